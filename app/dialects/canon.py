"""What identifies a message in a conversation, whatever its spelling.

Kept: role, text, calls (id, name, arguments as a value), results (call id, text), media. Left out: reasoning (also in
`<think>` tags), what the provider ran on its side, names, marks for caching; and how text was cut into parts. A turn
whose calls have ids is known by them: frameworks drop the words that came along.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.dialects.wire import UNREADABLE
from app.models.message import Media, Message, Part, Raw, Refusal, Text, ToolCall, ToolResult

_to_json: Final = msgspec.json.Encoder(order="sorted").encode
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()
_THINK: Final = re.compile(r"<think>.*?</think>", re.DOTALL)
_CHANGING: Final = ("id", "status", "cache_control", "created_by")
_INLINE_CHARS: Final = 64


def canon_message(message: Message, *, has_ids: bool = True) -> bytes:
    """Return the bytes that identify `message`. `has_ids`: the provider gives calls ids, so that clients keep them."""
    try:
        return _to_json([message.role, *_said(message, has_ids)])
    except RecursionError:
        return _to_json([message.role, message.text()])


def _said(message: Message, has_ids: bool) -> list[object]:
    if message.role != "assistant":
        return _canon_parts(message.parts, has_ids)
    text, *others = _canon_parts([part for part in message.parts if not _is_on_side(part)], has_ids)
    if has_ids and any(isinstance(part, ToolCall) and part.id and not part.is_server_side for part in message.parts):
        return ["", *others]
    if isinstance(text, str) and "</think>" in text:
        text = _THINK.sub("", text).strip()
    return [text, *others]


def _is_on_side(part: Part) -> bool:
    """Whether clients may leave it out, being the provider's own; a compaction they may not."""
    return isinstance(part, ToolResult) or (isinstance(part, Raw) and part.kind != "compaction")


def _canon_parts(parts: Iterable[Part], has_ids: bool) -> list[object]:
    """Return all text as one, then everything else in order."""
    texts: list[str] = []
    others: list[object] = []
    for part in parts:
        if isinstance(part, Text | Refusal):
            texts.append(part.text)
        elif isinstance(part, ToolCall):
            if not part.is_server_side:
                others.append([(has_ids and part.id) or "", part.name, _arguments(part.arguments)])
        elif isinstance(part, ToolResult):
            others.append([(has_ids and part.id) or "", *_canon_parts(part.parts, has_ids)])
        elif isinstance(part, Media):
            others.append([part.modality, _media(part)])
        elif isinstance(part, Raw):
            others.append([part.kind, _raw(part.value)])
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


def _raw(value: object) -> object:
    """Return a value without the fields that differ between an answer and what goes back."""
    if not isinstance(value, dict):
        return value
    return {key: field for key, field in value.items() if field is not None and key not in _CHANGING}


def _media(media: Media) -> str:
    text = media.url or media.file_id or media.data or ""
    if len(text) <= _INLINE_CHARS:
        return text
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
