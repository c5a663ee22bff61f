"""The two things the gateway must know of a request before it sends it on: which model, and whether to stream.

Everything else in the body is only checked to be JSON.
"""

import re
from typing import Any, Final

import msgspec

from app.dialects.wire import mended
from app.errors import InputError

_KEY: Final = b'"model"'
_COLON: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")
_NEAR_BYTES: Final = 4096
"""The model almost always stands this close to one end, outside of any list: no need to look further."""


class Peek(msgspec.Struct, frozen=True, gc=False):
    """What stands at the top of a request's body."""

    model: str | None
    is_stream: bool
    model_start: int
    """Where the model's JSON string begins, its opening quote included; -1 without a model."""
    model_end: int
    """One past its closing quote; -1 without a model."""


class _Top(msgspec.Struct, gc=False):
    model: msgspec.Raw = msgspec.Raw()
    stream: Any = None


_decode = msgspec.json.Decoder(_Top).decode
_decode_text = msgspec.json.Decoder(str).decode


def peek(body: bytes) -> Peek:
    """Return the top-level model and stream flag of a JSON object.

    Raises InputError where `body` is no JSON object.
    """
    top = _top(body)
    written = bytes(top.model)
    if not written.startswith(b'"'):
        return Peek(None, top.stream is True, -1, -1)
    start = _find(body, written)
    return Peek(_text(written), top.stream is True, start, start + len(written))


def _top(body: bytes) -> _Top:
    try:
        return _decode(body)
    except RecursionError:
        raise InputError("The body is nested too deep to be read.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise InputError("The body is JSON, but not an object.") from error
        return _top_of_mended(body, error)


def _top_of_mended(body: bytes, error: Exception) -> _Top:
    """Read a body with half a surrogate pair: JavaScript writes those when it cuts a string inside an emoji."""
    try:
        return _decode(mended(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError(f"The body is not JSON: {error}.") from error


def _text(written: bytes) -> str:
    try:
        return _decode_text(written)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return written[1:-1].decode("utf-8", "replace")


def _find(body: bytes, written: bytes) -> int:
    """Return where the top-level model's value stands; the same text may stand elsewhere in the body."""
    start = _value_after(body, body.find(_KEY, 0, _NEAR_BYTES), written)
    if start >= 0 and body.count(b"{", 0, start) == 1 and b"[" not in body[:start]:
        return start
    start = _value_after(body, body.rfind(_KEY, max(0, len(body) - _NEAR_BYTES)), written)
    end = start + len(written)
    if start >= 0 and body.count(b"}", end) == 1 and b"]" not in body[end:]:
        return start
    return _search(body, written)


def _value_after(body: bytes, key: int, written: bytes) -> int:
    """Return where `written` begins after the key that stands at `key`, -1 where it does not follow."""
    if key < 0:
        return -1
    match = _COLON.match(body, key + len(_KEY))
    return match.end() if match and body.startswith(written, match.end()) else -1


def _search(body: bytes, written: bytes) -> int:
    """Return the one place among all whose change changes the model; the last, as parsers take the last of equals."""
    key = body.rfind(_KEY)
    while key >= 0:
        start = _value_after(body, key, written)
        if start >= 0:
            other = body[:start] + b"null" + body[start + len(written) :]
            if bytes(_top(other).model) != written:
                return start
        key = body.rfind(_KEY, 0, key)
    raise InputError("The model cannot be told apart in the body.", hint='Write the key "model" without escapes.')
