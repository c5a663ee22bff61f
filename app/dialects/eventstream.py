"""AWS's event-stream frames out of bytes, however they were split, and back.

A message is: total length and length of the headers (4 bytes each, big endian), CRC-32 of those eight, the headers, the
payload, and CRC-32 of everything before it. A header is the length of its name (1 byte), the name, its type (1 byte)
and a value. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
"""

import zlib
from collections.abc import Mapping
from struct import Struct
from typing import Final, NamedTuple

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

_PRELUDE: Final = Struct(">III")
_CRC: Final = Struct(">I")
_SHORT: Final = Struct(">H")
_PRELUDE_BYTES: Final = 12
_LEAST_BYTES: Final = 16
_MOST_BYTES: Final = 24 * 1024 * 1024
"""AWS allows 16 MB of payload and 128 KB of headers: whatever claims to be larger is no frame."""
_TEXT_TYPE: Final = 7
_WIDTHS: Final = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a value by its type: byte, short, integer, long, timestamp, UUID. 0 and 1 are true and false."""

Header = str | bool | bytes


class Message(NamedTuple):
    """One frame. A `problem` says what is wrong with it; it then has neither headers nor payload."""

    headers: Mapping[str, Header]
    payload: bytes
    problem: str = ""

    @property
    def kind(self) -> str:
        """Its message type: event, exception, error; "" where it says none."""
        return _text(self.headers.get(":message-type"))

    @property
    def event(self) -> str:
        """What happened: the type of an event or exception, the code of an error."""
        headers = self.headers
        found = headers.get(":event-type") or headers.get(":exception-type") or headers.get(":error-code")
        return _text(found)


class EventStreamReader:
    """Feeds on pieces of a stream, gives the messages that are whole. Any split gives the same messages.

    Never raises. A frame whose bytes are wrong is a message with a `problem`. Where only its end is wrong the next one
    is read; where its beginning is wrong nothing says where the next begins, and all that follows is left unread.
    """

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._n_pending = 0
        self._n_wanted = _PRELUDE_BYTES
        self._is_lost = False

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes."""
        if self._is_lost or not data:
            return []
        self._pending.append(data)
        self._n_pending += len(data)
        if self._n_pending < self._n_wanted:
            return []
        return self._read(b"".join(self._pending) if len(self._pending) > 1 else data)

    def close(self) -> list[Message]:
        """Return a problem where the stream ended inside a frame."""
        if self._is_lost or not self._n_pending:
            return []
        self._is_lost = True
        return [_broken(f"The stream ended {self._n_pending} bytes into a frame.")]

    def _read(self, data: bytes) -> list[Message]:
        messages: list[Message] = []
        start, size = 0, len(data)
        wanted = _PRELUDE_BYTES
        while size - start >= _PRELUDE_BYTES:
            n_total, n_headers, checked = _PRELUDE.unpack_from(data, start)
            problem = _prelude_problem(data, start, n_total, n_headers, checked)
            if problem:
                self._is_lost = True
                self._pending, self._n_pending = [], 0
                messages.append(_broken(problem))
                return messages
            if size - start < n_total:
                wanted = n_total
                break
            messages.append(_message(data, start, n_total, n_headers))
            start += n_total
        rest = data[start:] if start else data
        self._pending, self._n_pending = ([rest] if rest else []), len(rest)
        self._n_wanted = wanted
        return messages


def read_messages(body: bytes) -> list[Message]:
    """Return all messages of a recorded stream."""
    reader = EventStreamReader()
    return reader.feed(body) + reader.close()


def write_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return a frame. Names and values must be short enough for their lengths: 255 and 65,535 bytes."""
    head = b"".join(_written(name.encode(), value.encode()) for name, value in headers.items())
    prelude = (_LEAST_BYTES + len(head) + len(payload)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    framed = prelude + _CRC.pack(zlib.crc32(prelude)) + head + payload
    return framed + _CRC.pack(zlib.crc32(framed))


def write_event(event: str, payload: bytes) -> bytes:
    """Return the frame of a JSON event as Bedrock writes it."""
    return write_message({":event-type": event, ":content-type": "application/json", ":message-type": "event"}, payload)


def _prelude_problem(data: bytes, start: int, n_total: int, n_headers: int, checked: int) -> str:
    if zlib.crc32(data[start : start + 8]) != checked:
        return "A frame's lengths do not match their checksum."
    if not _LEAST_BYTES + n_headers <= n_total <= _MOST_BYTES:
        return f"A frame claims {n_total} bytes with {n_headers} bytes of headers."
    return ""


def _message(data: bytes, start: int, n_total: int, n_headers: int) -> Message:
    end = start + n_total - 4
    if zlib.crc32(data[start:end]) != _CRC.unpack_from(data, end)[0]:
        return _broken("A frame does not match its checksum.")
    head_end = start + _PRELUDE_BYTES + n_headers
    headers = _headers(data[start + _PRELUDE_BYTES : head_end])
    if headers is None:
        return _broken("The headers of a frame cannot be read.")
    return Message(headers, data[head_end:end])


_known: Final[dict[bytes, dict[str, Header]]] = {}
_MOST_KNOWN: Final = 256


def _headers(head: bytes) -> Mapping[str, Header] | None:
    """Return the headers, None where they are not well formed. A stream has a handful of them, over and over."""
    known = _known.get(head)
    if known is None:
        known = _parsed(head)
        if known is not None and len(_known) < _MOST_KNOWN and len(head) < 512:
            _known[head] = known
    return known


def _parsed(head: bytes) -> dict[str, Header] | None:
    headers: dict[str, Header] = {}
    at, size = 0, len(head)
    while at < size:
        name_end = at + 1 + head[at]
        if name_end >= size:
            return None
        name = head[at + 1 : name_end].decode("utf-8", "replace")
        found = _value(head, name_end + 1, head[name_end])
        if found is None:
            return None
        headers[name], at = found
    return headers


def _value(head: bytes, at: int, kind: int) -> tuple[Header, int] | None:
    """Return a value and where it ends."""
    if kind in (0, 1):
        return kind == 0, at
    width = _WIDTHS.get(kind)
    if width is None:
        if kind not in (6, _TEXT_TYPE) or at + 2 > len(head):
            return None
        width = _SHORT.unpack_from(head, at)[0]
        at += 2
    end = at + width
    if end > len(head):
        return None
    value = head[at:end]
    return (value.decode("utf-8", "replace") if kind == _TEXT_TYPE else value), end


def _written(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + bytes((_TEXT_TYPE,)) + _SHORT.pack(len(value)) + value


def _text(value: Header | None) -> str:
    return value if isinstance(value, str) else ""


def _broken(problem: str) -> Message:
    return Message({}, b"", problem)
