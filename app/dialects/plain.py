"""The searchable text of a message, without knowing its dialect."""

import re
from typing import Any, Final

from app.dialects.wire import UNREADABLE, decode_any

_SKIPPED: Final = frozenset({
    "role", "type", "id", "call_id", "tool_call_id", "tool_use_id", "item_id", "signature", "thoughtSignature",
    "thought_signature", "encrypted_content", "encrypted_index", "data", "file_data", "file_id", "mimeType",
    "mime_type", "media_type", "detail", "status", "cache_control", "format", "index", "logprobs",
    "server_label", "container_id",
})  # fmt: skip
"""Fields whose text nobody searches for: ids, enums, proofs, base64."""

_FREE: Final = frozenset({"input", "args", "response", "arguments"})

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\-\r\n]{512,}")
_DATA_URI: Final = re.compile(r"data:[\w.+-]+/[\w.+-]+[;,]")
_DEEPEST: Final = 64


def text_of(raw: bytes) -> str:
    """Return the text of a JSON element, strings joined by newlines; JSON inside strings is read as well.

    What is not JSON gives its own text.
    """
    found: list[str] = []
    _collect(_value(raw), found, 0)
    return "\n".join(found)


def _value(raw: bytes) -> Any:
    """An element is a value, a field with its key, or a run of values (see `dialect`)."""
    for written in (raw, b"{" + raw + b"}", b"[" + raw + b"]"):
        try:
            return decode_any(written)
        except UNREADABLE:
            continue
    return raw.decode("utf-8", "replace")


def _collect(value: Any, found: list[str], depth: int, is_free: bool = False) -> None:
    """`is_free`: below a tool's arguments or result, where every field is the user's own."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        _collect_text(value, found, depth)
    elif isinstance(value, list):
        for entry in value:
            _collect(entry, found, depth + 1, is_free)
    elif isinstance(value, dict):
        for key, field in value.items():
            if is_free or key not in _SKIPPED or (key == "data" and value.get("type") == "text"):
                _collect(field, found, depth + 1, is_free or key in _FREE)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found.append(str(value))


def _collect_text(text: str, found: list[str], depth: int) -> None:
    if not text or _DATA_URI.match(text) or _BASE64.fullmatch(text):
        return
    if text[0] in "{[" and text[-1] in "}]":
        try:
            inner = decode_any(text.encode("utf-8", "replace"))
        except UNREADABLE:
            found.append(text)
        else:
            _collect(inner, found, depth + 1, is_free=True)
        return
    found.append(text)
