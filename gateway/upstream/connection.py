"""One HTTP/1.1 connection to a provider: sends a request, gives its answer in pieces as they arrive.

The parser is llhttp (through httptools); the rest is ours because the client is the largest piece of what a gateway
adds to a call. Everything runs on the event loop.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import httptools

from app.errors import UpstreamError
from gateway.upstream.failures import StaleConnection, UpstreamCut, UpstreamTimeout

HEADER_LIMIT_BYTES: Final = 256 * 1024
_PAUSE_BYTES: Final = 1024 * 1024
"""Unread bytes at which the provider is asked to wait."""
_JOIN_BYTES: Final = 64 * 1024


class Connection(asyncio.Protocol):
    """One connection, for one request at a time. It is also the answer to that request (`exchange.Upstream`)."""

    __slots__ = (
        "_abort_reason",
        "_buffer",
        "_buffered",
        "_expects_body",
        "_has_begun",
        "_has_head",
        "_has_length",
        "_header_bytes",
        "_is_interim",
        "_is_lasting",
        "_is_paused",
        "_loop",
        "_on_free",
        "_parser",
        "_provider",
        "_waiter",
        "answers",
        "free_since",
        "headers",
        "heard_at",
        "is_busy",
        "is_complete",
        "is_lost",
        "status",
        "transport",
    )

    def __init__(self, on_free: Callable[["Connection"], None]) -> None:
        """`on_free` is called when the connection may carry the next request, and when it is lost."""
        self._loop = asyncio.get_running_loop()
        self._on_free = on_free
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._provider = ""
        self.transport: asyncio.Transport | None = None
        self.is_busy = False
        self.is_lost = False
        self.answers = 0
        """How many it has given."""
        self.free_since = 0.0
        """Loop time since it is idle."""
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_complete = False
        self.heard_at = self._loop.time()
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._header_bytes = 0
        self._has_begun = False
        self._has_head = False
        self._has_length = False
        self._is_interim = False
        self._is_lasting = False
        self._is_paused = False
        self._expects_body = True
        self._abort_reason: UpstreamError | None = None

    # What the client of a connection calls

    def send(self, provider: str, head: bytes, body: bytes, expects_body: bool) -> None:
        """Send one request; `expects_body` is False for HEAD."""
        if self.transport is None or self.is_lost:
            raise StaleConnection("The connection was closed.", provider=provider)
        self._reset()
        self._provider = provider
        self._expects_body = expects_body
        self.is_busy = True
        if len(body) < _JOIN_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))

    async def head(self) -> None:
        """Wait until status and headers are there. Raises UpstreamError; StaleConnection where a retry is safe."""
        while not self._has_head:
            self._raise_if_lost()
            await self._wait()

    async def read(self) -> bytes:
        """Return what has come since, at least one byte; empty at the end of the body."""
        while not self._buffer:
            if self.is_complete:
                return b""
            self._raise_if_lost()
            await self._wait()
        data = self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)
        self._buffer.clear()
        self._buffered = 0
        if self._is_paused and self.transport is not None and not self.is_lost:
            self._is_paused = False
            self.heard_at = self._loop.time()
            self.transport.resume_reading()
        return data

    def release(self) -> None:
        """Let the answer go: keep the connection if it is whole and may be kept, else cut it."""
        if not self.is_busy:
            return
        transport = self.transport
        if (
            transport is None
            or self.is_lost
            or not self.is_complete
            or not self._expects_body
            or not self._is_lasting
            or transport.get_write_buffer_size()
        ):
            self.is_busy = False
            self.close()
            return
        if self._is_paused:
            self._is_paused = False
            transport.resume_reading()
        self.is_busy = False
        self.answers += 1
        self._buffer.clear()
        self.free_since = self._loop.time()
        self._on_free(self)

    def close(self) -> None:
        """Cut the connection."""
        if not self.is_lost:
            self.is_lost = True
            if self.transport is not None:
                self.transport.abort()
            self._wake()

    def fail(self, error: UpstreamError) -> None:
        """Cut the connection; whoever waits for it gets `error`."""
        if self._abort_reason is None:
            self._abort_reason = error
        self.close()

    def check(self, now: float, first_byte_timeout_s: float, idle_timeout_s: float) -> None:
        """Fail where the provider has been silent for too long."""
        if not self.is_busy or self.is_complete or self._is_paused or self.is_lost:
            return
        silence = now - self.heard_at
        if not self._has_head and silence > first_byte_timeout_s:
            text = f"{self._provider} did not begin to answer within {first_byte_timeout_s:g} s."
        elif self._has_head and silence > idle_timeout_s:
            text = f"{self._provider} stopped in the middle of its answer for {idle_timeout_s:g} s."
        else:
            return
        self.fail(UpstreamTimeout(text, provider=self._provider))

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a new connection."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if not self.is_busy:
            self.close()  # bytes that nobody asked for: a server's goodbye, or a fault
            return
        self._has_begun = True
        self.heard_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(
                UpstreamError(
                    f"{self._provider} answered with something that is not HTTP: {error}.", provider=self._provider
                )
            )
            return
        if (
            self._buffered > _PAUSE_BYTES
            and not self._is_paused
            and not self.is_complete
            and self.transport is not None
        ):
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Let the transport close itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end: of the body too, where only the connection's end tells it."""
        is_clean = exc is None and not self.is_lost
        self.is_lost = True
        if self.is_busy and is_clean and self._has_head and not self._has_length and not self._is_interim:
            self.is_complete = True
        self._wake()
        self._on_free(self)

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_LIMIT_BYTES:
            raise ValueError("too many header bytes")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Keep the status, and see how the body's end will be told."""
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self._is_interim = True
            return
        self._is_interim = False
        self.status = status
        for name, _ in self.headers:
            if len(name) in (14, 17) and name.lower() in (b"content-length", b"transfer-encoding"):
                self._has_length = True
        self._is_lasting = self._parser.should_keep_alive()
        self._has_head = True
        if not self._expects_body:
            self.is_complete = True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        self._buffer.append(data)
        self._buffered += len(data)

    def on_message_complete(self) -> None:
        """End the answer; an interim one (1xx) only makes room for the real one."""
        if self._is_interim:
            self.headers.clear()
            self._header_bytes = 0
            self._is_interim = False
        else:
            self.is_complete = True

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _raise_if_lost(self) -> None:
        if self._abort_reason is not None:
            raise self._abort_reason
        if not self.is_lost:
            return
        if not self._has_begun and self.answers:
            raise StaleConnection(f"{self._provider} had closed the connection.", provider=self._provider)
        if not self._has_head:
            raise UpstreamCut(f"{self._provider} closed the connection without an answer.", provider=self._provider)
        raise UpstreamCut(f"{self._provider} cut its answer off in the middle.", provider=self._provider)
