"""What happens now, for whoever listens: changes as they are committed, and how the gateway stands.

A listener that is slow costs nothing but its own detail: what it has not fetched is merged, and where that grows too
much it is told to read everything again. Event loop only, but for `Live.on_commit`.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from app.models.change import Change

MOST_TRACES: Final = 500
"""Traces named in one notice; beyond that it says `is_all`."""
PACE_S: Final = 0.1
"""Between two notices to one listener. The first one after a silence goes at once."""


class Running(msgspec.Struct, frozen=True):
    """A call that runs."""

    span_id: str
    """16 hex digits."""
    request_id: str
    method: str
    path: str
    """Secrets masked."""
    model: str | None
    started_ns: int
    bytes: int
    """Of the answer, so far."""


class Status(msgspec.Struct, frozen=True):
    """How the gateway stands. On the wire it is this struct as JSON in an event named `status`."""

    in_flight: tuple[Running, ...] = ()
    calls_per_minute: int = 0
    """Calls that ended within the last minute."""
    config_problem: str | None = None
    record_problem: str | None = None
    """Why calls cannot be put on disk."""
    queued_bytes: int = 0
    """Recorded and not yet in the database."""


class Listener:
    """One connection's view: what it has not been told yet. Notices are numbered for each listener from 1."""

    def __init__(self) -> None:
        self._traces: set[int] = set()
        self._flags: set[str] = set()
        self._seq = 0
        self._news = asyncio.Event()
        self._next_s = 0.0

    def add(self, traces: Iterable[int], flags: Iterable[str]) -> None:
        """Take something up for the next notice."""
        self._flags.update(flags)
        if "is_all" not in self._flags:
            self._traces.update(traces)
            if len(self._traces) > MOST_TRACES:
                self._flags.add("is_all")
        if "is_all" in self._flags:
            self._traces.clear()
        self._news.set()

    async def change(self, wait_s: float) -> Change | None:
        """Return the next notice, at most one a `PACE_S`; None where nothing happened within `wait_s`."""
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            return None
        early_s = self._next_s - time.monotonic()
        if early_s > 0:
            await asyncio.sleep(early_s)
        self._next_s = time.monotonic() + PACE_S
        self._seq += 1
        change = Change(self._seq, tuple(sorted(self._traces)), **dict.fromkeys(self._flags, True))
        self._traces.clear()
        self._flags.clear()
        self._news.clear()
        return change


class Live:
    """Passes changes on to every listener."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners: set[Listener] = set()

    def publish(self, traces: Iterable[int] = (), *, keys: bool = False, config: bool = False) -> None:
        """Tell every listener."""
        flags = [name for name, is_set in (("keys", keys), ("config", config)) if is_set]
        for listener in self._listeners:
            listener.add(traces, flags)

    def on_commit(self, traces: tuple[int, ...]) -> None:
        """Tell every listener, from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.publish, traces)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener for as long as its connection lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
