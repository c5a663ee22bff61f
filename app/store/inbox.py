"""The writer's queue: filled on the event loop, emptied by the writer's thread, bounded by bytes.

`put` never waits and never refuses: who fills it asks `wait_room` before taking on more.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

LIMIT_BYTES: Final = 64_000_000
_HURRY_BYTES: Final = 2_000_000
_HURRY_COUNT: Final = 200
_OVERHEAD_BYTES: Final = 2000


class Inbox(Generic[T]):
    """Items with their weights, first in, first out."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._items: deque[tuple[T, int]] = deque()
        self._lock = threading.Lock()
        self._came_bytes = 0
        self._gone_bytes = 0
        self._some = threading.Event()
        self._hurry = threading.Event()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    @property
    def queued_bytes(self) -> int:
        """Weight of what is queued or being written."""
        return self._came_bytes - self._gone_bytes

    def put(self, item: T, size_bytes: int) -> None:
        """Queue an item. Any thread."""
        with self._lock:
            self._came_bytes += size_bytes + _OVERHEAD_BYTES
            self._items.append((item, size_bytes + _OVERHEAD_BYTES))
        if not self._some.is_set():
            self._some.set()
        if (len(self._items) > _HURRY_COUNT or self.queued_bytes > _HURRY_BYTES) and not self._hurry.is_set():
            self._hurry.set()

    def hurry(self) -> None:
        """Wake the writer at once. Any thread."""
        self._hurry.set()
        self._some.set()

    async def wait_room(self) -> None:
        """Return when less than the limit is queued."""
        while self.queued_bytes > self._limit_bytes:
            loop = asyncio.get_running_loop()
            room: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, room))
            if self.queued_bytes <= self._limit_bytes:
                return
            await room

    def wait(self, timeout_s: float | None) -> bool:
        """Return True when there is something to do, False after `timeout_s`. Writer's thread, as all below."""
        return self._some.wait(timeout_s)

    def gather(self, until_s: float) -> None:
        """Let more come until the monotonic time `until_s`, or until enough is there to hurry."""
        remaining_s = until_s - time.monotonic()
        if remaining_s > 0:
            self._hurry.wait(remaining_s)

    def take(self, most: int, most_bytes: int) -> list[tuple[T, int]]:
        """Return the oldest items with their weights, none where there is none."""
        self._some.clear()
        self._hurry.clear()
        taken: list[tuple[T, int]] = []
        weight = 0
        while self._items and len(taken) < most and weight < most_bytes:
            taken.append(self._items.popleft())
            weight += taken[-1][1]
        if self._items:
            self.hurry()
        return taken

    def release(self, size_bytes: int) -> None:
        """Say that taken items of this weight are done with."""
        self._gone_bytes += size_bytes
        while self._waiting and self.queued_bytes <= self._limit_bytes:
            loop, room = self._waiting.popleft()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, room)


def _resolve(room: "asyncio.Future[None]") -> None:
    if not room.done():
        room.set_result(None)
