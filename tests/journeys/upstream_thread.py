"""The fake upstream on a thread with a loop of its own, beside the desktop's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from fake_upstream import FakeUpstream


class UpstreamThread(FakeUpstream):
    """A fake upstream that other threads may ask to `release` what an answer waits for."""

    loop: asyncio.AbstractEventLoop

    def release(self, event: asyncio.Event) -> None:
        """Set an event of this upstream's loop. Any thread."""
        self.loop.call_soon_threadsafe(event.set)


Upstream = TypeVar("Upstream", bound=UpstreamThread)


@contextmanager
def fake_upstream() -> Iterator[UpstreamThread]:
    """A fake upstream for the length of a block."""
    with running(UpstreamThread()) as upstream:
        yield upstream


@contextmanager
def running(upstream: Upstream) -> Iterator[Upstream]:
    """Run an upstream on a thread for the length of a block."""
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        upstream.loop = asyncio.get_running_loop()
        async with upstream:
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="fake upstream")
    thread.start()
    try:
        assert ready.wait(10)
        yield upstream
    finally:
        upstream.loop.call_soon_threadsafe(over.set)
        thread.join(10)
