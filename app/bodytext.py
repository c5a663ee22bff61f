"""A recorded body as text for a person: indented JSON, or the events of a stream with their arrival times."""

import json
from collections.abc import Iterator
from typing import Final

from app.dialects.sse import Event, SseParser
from app.models.timing import Timing
from app.models.trace import StreamEvent

_DUMP_BYTES: Final = 65_536


def readable(body: bytes) -> str:
    """Return JSON indented by two, any other text as it is, binary as a hex dump of its beginning."""
    text = as_text(body)
    if text[:1] not in "{[":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, indent=2, ensure_ascii=False)


def as_text(body: bytes) -> str:
    """Return the bytes as text, unchanged where they are UTF-8; else a hex dump of their beginning."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return hex_dump(body)


def hex_dump(body: bytes) -> str:
    """Return offsets, hex and letters, 16 bytes a line, of the first 64 KB."""
    lines = []
    for at in range(0, min(len(body), _DUMP_BYTES), 16):
        piece = body[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{at:08x}  {piece.hex(' '):<47}  {letters}")
    if len(body) > _DUMP_BYTES:
        lines.append(f"… {len(body) - _DUMP_BYTES:,} bytes more")
    return "\n".join(lines)


def events(body: bytes, timing: Timing) -> list[StreamEvent]:
    """Return the server-sent events of a recorded stream; each came with the piece that completed it."""
    parser = SseParser()
    found: list[StreamEvent] = []
    for at_ns, piece in _pieces(body, timing):
        found += [_event(at_ns, event) for event in parser.feed(piece)]
    return found + [_event(None, event) for event in parser.close()]


def _pieces(body: bytes, timing: Timing) -> Iterator[tuple[int | None, bytes]]:
    at = 0
    for offset_ns, size_bytes in zip(timing.offsets_ns, timing.sizes_bytes, strict=True):
        yield offset_ns, body[at : at + size_bytes]
        at += size_bytes
    if at < len(body):
        yield None, body[at:]


def _event(at_ns: int | None, event: Event) -> StreamEvent:
    return StreamEvent(at_ns, event.name.decode(errors="replace"), event.data.decode(errors="replace"))
