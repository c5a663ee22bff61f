"""Reading JSON that strangers wrote: mending what can be mended, turning leaves into what they should be.

Structs describe the skeleton of a body and leave its leaves `Any`, so that one odd field never costs the rest.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import msgspec

from app.errors import InputError

T = TypeVar("T")

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `decode` raises on bytes that nothing can be made of."""

_BOM: Final = b"\xef\xbb\xbf"
_LARGEST_COUNT: Final = 2**53
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
"""A surrogate pair, a lone surrogate, or any other escape (so that an escaped backslash is passed over whole)."""
_to_json = msgspec.json.Encoder().encode
_any: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return what `decoder` reads in `body`; bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD.

    Raises one of `UNREADABLE`.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(mended(body))


def decode_any(body: bytes) -> Any:
    """Return the JSON value of `body`, mended like `decode`."""
    return decode(_any, body)


def decode_request(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return what `decoder` reads in a request's body.

    Raises InputError with the place where it went wrong.
    """
    try:
        return decode(decoder, body)
    except RecursionError:
        raise InputError("The body is nested too deep to be read.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The body cannot be read: {error}.") from error


def mended(body: bytes) -> bytes:
    """Return `body` as valid UTF-8 without byte order mark and lone surrogates; other bytes keep their place."""
    text = body.removeprefix(_BOM).decode("utf-8", "replace").encode()
    return _ESCAPE.sub(_mend_escape, text)


def text_or_none(value: object) -> str | None:
    """Return a string with something in it, None for anything else."""
    return value if isinstance(value, str) and value else None


def word(value: object) -> str | None:
    """Return a short value (a code, an id, a reason) as text; None for null, "" and whatever is not short."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def count(value: object) -> int | None:
    """Return a token count, None for anything that cannot be one."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _LARGEST_COUNT else None


def first_count(*values: object) -> int | None:
    """Return the first of `values` that is a token count."""
    for value in values:
        if value is not None and (found := count(value)) is not None:
            return found
    return None


def nusd(value: object) -> int | None:
    """Return US dollars as integer nano-USD, rounded half to even; None for anything that is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value)).scaleb(9)
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount < _LARGEST_COUNT:
        return None
    return int(amount.to_integral_value())


def json_text(value: object) -> str:
    """Return `value` as compact JSON text."""
    return _to_json(value).decode()


def entries(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, and nothing of what is neither."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def fields(value: object) -> dict[str, Any]:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _mend_escape(match: re.Match[bytes]) -> bytes:
    found = match.group()
    return b"\\ufffd" if len(found) == 6 else found
