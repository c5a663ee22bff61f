"""What identifies a message in a conversation, whatever its spelling.

Kept: role, text, calls (id, name, arguments as a value), results (call id, text), media. Left out: reasoning, what the
provider ran on its side, names, marks for caching; and how text was cut into parts.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.dialects.wire import UNREADABLE
from app.models.message import Media, Message, Part, Raw, Refusal, Text, ToolCall, ToolResult

_to_json: Final = msgspec.json.Encoder(order="sorted").encode
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()
_INLINE_CHARS: Final = 64


def canon_message(message: Message) -> bytes:
    """Return the bytes that identify `message`."""
    parts: Iterable[Part] = message.parts
    if message.role == "assistant":
        parts = [part for part in parts if not isinstance(part, ToolResult)]
    return _to_json([message.role, *_canon_parts(parts)])


def _canon_parts(parts: Iterable[Part]) -> list[object]:
    """Return all text as one, then everything else in order."""
    texts: list[str] = []
    others: list[object] = []
    for part in parts:
        if isinstance(part, Text | Refusal):
            texts.append(part.text)
        elif isinstance(part, ToolCall):
            if not part.is_server_side:
                others.append([part.id or "", part.name, _arguments(part.arguments)])
        elif isinstance(part, ToolResult):
            others.append([part.id or "", *_canon_parts(part.parts)])
        elif isinstance(part, Media):
            others.append([part.modality, _media(part)])
        elif isinstance(part, Raw):
            others.append([part.kind, part.value])
    return ["".join(texts).strip(), *others]


def _arguments(text: str) -> object:
    """Return the arguments as a value: order and blanks do not count, nor does how a number is written."""
    try:
        return _plain(_any.decode(text)) if text else {}
    except UNREADABLE:
        return text


def _plain(value: Any) -> object:
    """Return `value` with whole floats as integers, and without null fields."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: _plain(field) for key, field in value.items() if field is not None}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value


def _media(media: Media) -> str:
    text = media.url or media.file_id or media.data or ""
    if len(text) <= _INLINE_CHARS:
        return text
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
