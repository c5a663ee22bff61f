import asyncio
import time

from app.store.inbox import Inbox


def taken(inbox: Inbox[int], most: int = 100, most_bytes: int = 10**9) -> list[int]:
    return [item for item, _ in inbox.take(most, most_bytes)]


def test_items_come_out_in_their_order_and_in_portions() -> None:
    inbox: Inbox[int] = Inbox()
    for number in range(5):
        inbox.put(number, 1000)
    assert inbox.wait(0)
    assert taken(inbox, most=2) == [0, 1]
    assert inbox.wait(0)
    assert taken(inbox, most_bytes=1) == [2]
    assert taken(inbox) == [3, 4]
    assert not inbox.wait(0)


def test_what_was_taken_counts_until_it_is_done_with() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put(1, 1000)
    ((_, weight),) = inbox.take(9, 10**9)
    assert inbox.queued_bytes == weight >= 1000
    inbox.release(weight)
    assert inbox.queued_bytes == 0


def test_much_waiting_ends_the_gathering_early() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put(1, 100_000_000)
    began = time.monotonic()
    inbox.gather(began + 60)
    assert time.monotonic() - began < 30


def test_who_waits_for_room_goes_on_when_there_is_some() -> None:
    async def main() -> None:
        inbox: Inbox[int] = Inbox(limit_bytes=10_000)
        await inbox.wait_room()
        inbox.put(1, 20_000)
        waiting = [asyncio.ensure_future(inbox.wait_room()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(one.done() for one in waiting)
        ((_, weight),) = inbox.take(9, 10**9)
        await asyncio.to_thread(inbox.release, weight)
        await asyncio.wait_for(asyncio.gather(*waiting), 10)

    asyncio.run(main())


def test_a_loop_that_is_gone_does_not_hold_the_writer_up() -> None:
    inbox: Inbox[int] = Inbox(limit_bytes=1)

    async def give_up() -> None:
        inbox.put(1, 10)
        waiting = asyncio.ensure_future(inbox.wait_room())
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(give_up())
    inbox.release(sum(weight for _, weight in inbox.take(9, 10**9)))
    assert inbox.queued_bytes == 0
