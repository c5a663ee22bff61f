"""Server-sent events out of bytes, however they were split (WHATWG HTML, section 9.2).

Lenient where providers are: an event that the last blank line is missing of still counts.
"""

from typing import Final, NamedTuple

_BOM: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: its name (empty where none was given) and its data lines, joined by newlines."""

    name: bytes
    data: bytes


class SseParser:
    """Feeds on pieces of a stream, gives the events that are whole. Any split gives the same events."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        """Pieces of a line whose end has not come."""
        self._name = b""
        self._data: list[bytes] = []
        self._is_start = True

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes."""
        if b"\n" not in chunk and b"\r" not in chunk and not self._ends_in_return():
            if chunk:
                self._pending.append(chunk)
            return []
        self._pending.append(chunk)
        text = b"".join(self._pending)
        # A CR at the very end may be the first half of a CRLF: it waits.
        held = b"\r" if text.endswith(b"\r") else b""
        if b"\r" in text:
            text = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._pending = [rest + held] if rest or held else []
        return self._read(lines)

    def close(self) -> list[Event]:
        """Return the event that was cut off before its blank line, if it had data."""
        text = b"".join(self._pending)
        self._pending = []
        events = self._read(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
        return events + self._read([b""])

    def _ends_in_return(self) -> bool:
        return bool(self._pending) and self._pending[-1].endswith(b"\r")

    def _read(self, lines: list[bytes]) -> list[Event]:
        """Return the events whose blank line is among `lines`."""
        events: list[Event] = []
        data = self._data
        if lines and self._is_start:
            lines[0] = lines[0].removeprefix(_BOM)
            self._is_start = False
        for line in lines:
            if not line:
                if data:
                    events.append(Event(self._name, data[0] if len(data) == 1 else b"\n".join(data)))
                    data.clear()
                self._name = b""
            elif line[:6] == b"data: ":
                data.append(line[6:])
            elif line[:5] == b"data:":
                data.append(line[5:])
            elif line.startswith(b"event:"):
                self._name = line[6:].strip()
            elif line == b"data":
                data.append(b"")
        return events


def read_events(body: bytes) -> list[Event]:
    """Return all events of a recorded stream."""
    parser = SseParser()
    return parser.feed(body) + parser.close()
