import asyncio
import threading

from app.models.change import Change
from gateway.live import MOST_TRACES, Live


def test_a_listener_is_told_at_once_and_numbered_from_one() -> None:
    async def go() -> Change | None:
        live = Live()
        with live.listening() as listener:
            live.publish((7, 3))
            return await listener.change(1)

    assert asyncio.run(go()) == Change(1, (3, 7))


def test_what_a_listener_has_not_fetched_is_merged() -> None:
    async def go() -> tuple[Change | None, Change | None]:
        live = Live()
        with live.listening() as listener:
            live.publish((1,))
            live.publish((2, 1), keys=True)
            live.publish(config=True)
            return await listener.change(1), await listener.change(0.01)

    assert asyncio.run(go()) == (Change(1, (1, 2), keys=True, config=True), None)


def test_a_slow_listener_is_told_to_read_everything_again() -> None:
    async def go() -> Change | None:
        live = Live()
        with live.listening() as listener:
            live.publish(range(MOST_TRACES + 1))
            live.publish((5,))
            return await listener.change(1)

    assert asyncio.run(go()) == Change(1, (), is_all=True)


def test_each_listener_has_numbers_of_its_own() -> None:
    async def go() -> tuple[Change | None, Change | None]:
        live = Live()
        with live.listening() as early:
            live.publish((1,))
            await early.change(1)
            with live.listening() as late:
                live.publish((2,))
                return await early.change(1), await late.change(1)

    assert asyncio.run(go()) == (Change(2, (2,)), Change(1, (2,)))


def test_a_commit_is_told_from_the_writers_thread() -> None:
    async def go() -> Change | None:
        live = Live()
        with live.listening() as listener:
            thread = threading.Thread(target=live.on_commit, args=((4,),))
            thread.start()
            change = await listener.change(5)
            thread.join()
            return change

    assert asyncio.run(go()) == Change(1, (4,))


def test_a_commit_after_the_loops_end_is_nothing() -> None:
    async def go() -> Live:
        return Live()

    asyncio.run(go()).on_commit((1,))
