"""The upstream client: connections that are kept and used again, one pool for each server."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.upstream.connection import Connection
from gateway.upstream.dial import dial
from gateway.upstream.failures import StaleConnection
from gateway.upstream.origin import Origin, Proxy, proxy_for

MAX_KEPT: Final = 256
"""Idle connections kept for one server."""
KEEP_S: Final = 30.0
"""Shorter than the time after which common servers hang up on their side."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a provider may take."""

    connect_s: float
    first_byte_s: float
    idle_s: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A request ready to be sent."""

    provider: str
    origin: Origin
    head: bytes
    """Request line and headers, with the empty line."""
    body: bytes
    expects_body: bool = True


class Client:
    """Sends requests to providers. One for the whole gateway; use it on its event loop only."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        """May be replaced at any time."""
        self._idle: dict[Origin, deque[Connection]] = {}
        self._all: dict[Connection, Origin] = {}
        self._proxies: dict[Origin, Proxy | None] = {}
        self._watch: asyncio.TimerHandle | None = None

    async def send(self, ask: Ask) -> Connection:
        """Return the connection once it has status and headers; the caller reads it and releases it.

        A kept connection that turns out dead before one byte of answer is replaced, once. Raises UpstreamError.
        """
        kept = self._take(ask.origin)
        if kept is not None:
            try:
                return await self._ask(kept, ask)
            except StaleConnection:
                pass
        return await self._ask(await self._open(ask), ask)

    def proxy_of(self, origin: Origin) -> Proxy | None:
        """Return the proxy on the way to a server. Asked of the environment once for each server."""
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(origin)
        return self._proxies[origin]

    @property
    def n_connections(self) -> int:
        """How many connections stand, idle or busy."""
        return len(self._all)

    def close(self) -> None:
        """Cut every connection."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        for connection in list(self._all):
            connection.close()
        self._all.clear()
        self._idle.clear()

    async def _ask(self, connection: Connection, ask: Ask) -> Connection:
        try:
            connection.send(ask.provider, ask.head, ask.body, ask.expects_body)
            await connection.head()
        except (asyncio.CancelledError, StaleConnection):
            connection.close()
            raise
        return connection

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if not connection.is_lost:
                return connection
        return None

    async def _open(self, ask: Ask) -> Connection:
        proxy = self.proxy_of(ask.origin)
        timeout_s = self.timeouts.connect_s
        connection = await dial(ask.origin, proxy, lambda: Connection(self._on_free), ask.provider, timeout_s)
        self._all[connection] = ask.origin
        if self._watch is None:
            self._look_again()
        return connection

    def _on_free(self, connection: Connection) -> None:
        if connection.is_lost:
            self._forget(connection)
            return
        origin = self._all.get(connection)
        if origin is None:
            connection.close()
            return
        idle = self._idle.setdefault(origin, deque())
        idle.append(connection)
        if len(idle) > MAX_KEPT:
            idle.popleft().close()

    def _forget(self, connection: Connection) -> None:
        origin = self._all.pop(connection, None)
        idle = self._idle.get(origin) if origin is not None else None
        if idle and not connection.is_busy:
            try:
                idle.remove(connection)
            except ValueError:
                pass

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        times = self.timeouts
        for connection in list(self._all):
            if connection.is_busy:
                connection.check(now, times.first_byte_s, times.idle_s)
            elif now - connection.free_since > KEEP_S:
                connection.close()
        self._watch = None
        if self._all:
            self._look_again()

    def _look_again(self) -> None:
        shortest = min(self.timeouts.first_byte_s, self.timeouts.idle_s)
        self._watch = asyncio.get_running_loop().call_later(min(1.0, max(0.02, shortest / 4)), self._look)
