"""Our answer to the client, written straight to its connection: a head, a body, one write where it can be.

The server library's own response objects cost more than everything else we do for a small call together, so only
what it needs to go on with the connection is left to it: `Answer.finished` is handed back to it.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, web

Pairs = Iterable[tuple[bytes, bytes]]

_STATUS_LINES: Final[dict[int, bytes]] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_BODILESS: Final = frozenset({204, 304})
_JOIN_BYTES: Final = 64 * 1024
"""Below this it is cheaper to copy head and body into one write."""


class _Finished(web.StreamResponse):
    """Tells the server library that the answer is out, and whether the connection goes on."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._eof_sent = True
        self._keep_alive = keep_alive


_KEEP: Final = _Finished(True)
_CLOSE: Final = _Finished(False)


class Answer:
    """One answer. `whole`, or `begin`, any number of `write` and `end`. Nothing here waits but `drain`."""

    __slots__ = ("_is_chunked", "_is_closing", "_is_head", "_request", "has_begun", "has_ended", "headers", "status")

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._is_head = request.method == "HEAD"
        self._is_closing = not request.keep_alive
        self._is_chunked = False
        self.status: int | None = None
        """None until it is decided."""
        self.headers: list[tuple[bytes, bytes]] = []
        """As they were sent, for the record."""
        self.has_begun = False
        """The head is out."""
        self.has_ended = False

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        transport = self._request.transport
        return transport is None or transport.is_closing()

    @property
    def finished(self) -> web.StreamResponse:
        """What the server library is given back."""
        return _CLOSE if self._is_closing or not self.has_ended else _KEEP

    def foretell(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Say what `whole` is going to send, for the record that is written before it."""
        self.status = status
        self.headers = headers

    def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send everything at once. `headers` name no length and no connection."""
        head = self._head(status, headers, len(body))
        self.has_ended = True
        if self._is_head or status in _BODILESS:
            self._send(head)
        elif len(body) < _JOIN_BYTES:
            self._send(head + body)
        else:
            self._send(head)
            self._send(body)

    def begin(self, status: int, headers: list[tuple[bytes, bytes]], size: int | None) -> None:
        """Send the head. `size` of the body in bytes, None where it is not known."""
        self._send(self._head(status, headers, size))

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self._is_head:
            return
        self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def end(self, last: bytes = b"") -> None:
        """Send the last piece and the end of the body."""
        self.has_ended = True
        if self._is_chunked and not self._is_head:
            self._send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last) if last else b"0\r\n\r\n")
        elif last:
            self.write(last)

    def cut(self) -> None:
        """Break the connection, so that nobody takes what was sent for the whole."""
        self._is_closing = True
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    @property
    def must_drain(self) -> bool:
        """Whether the client reads slower than we write."""
        return self._request.protocol.writing_paused

    async def drain(self) -> None:
        """Wait until the client has taken most of what was sent. Raises ConnectionError where it left."""
        await self._request.writer.drain()

    def _head(self, status: int, headers: list[tuple[bytes, bytes]], size: int | None) -> bytes:
        self.status = status
        self.headers = headers
        self.has_begun = True
        lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d Status\r\n" % status]
        lines += [b"%b: %b\r\n" % pair for pair in headers]
        if status in _BODILESS:
            pass
        elif size is not None:
            lines.append(b"content-length: %d\r\n" % size)
        elif self._request.version >= HttpVersion11:
            self._is_chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        else:
            self._is_closing = True
        if self._is_closing:
            lines.append(b"connection: close\r\n\r\n")
        elif self._request.version < HttpVersion11:
            lines.append(b"connection: keep-alive\r\n\r\n")
        else:
            lines.append(b"\r\n")
        return b"".join(lines)

    def _send(self, data: bytes) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        transport.write(data)
