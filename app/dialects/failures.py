"""Errors as providers write them, and answers that are no answer at all."""

import re
from typing import Any, Final

from app.dialects.wire import UNREADABLE, decode_any, entries, fields, json_text, text_or_none, word
from app.models.chat import Reply, ReplyError

_TITLE: Final = re.compile(rb"<(?:title|h1)[^>]*>(.*?)</", re.IGNORECASE | re.DOTALL)
_LONGEST_CHARS: Final = 500


def error_of(body: object, status: int) -> ReplyError | None:
    """Return the error that a JSON answer states, in any shape seen so far; None where it states none.

    Known: {"error": {…}}, {"error": "text"}, {"detail": …}, {"message": …}, {"object": "error"}, {"errors": […]}, and
    any of them as the only entry of a list.
    """
    if isinstance(body, list):
        return error_of(body[0], status) if body else None
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, dict) and error:
        return _of_object(error)
    if isinstance(error, str) and error:
        return ReplyError(word(body.get("type")), error, word(body.get("code")))
    if status < 400 and body.get("object") != "error":
        return None
    if body.get("detail"):
        return ReplyError(word(body.get("type")), _of_detail(body["detail"]), word(body.get("code")))
    if text_or_none(body.get("message")):
        return _of_object(body)
    return next((_of_object(entry) for entry in entries(body.get("errors"))), None)


def without_answer(body: bytes, status: int) -> Reply:
    """Return the reply for bytes that hold no answer: an error, nothing, HTML, text, JSON that was cut off."""
    text = body.strip()
    if not text:
        failed = ReplyError(None, f"HTTP {status} with an empty body.") if status >= 400 else None
        return Reply(error=failed, is_complete=False)
    try:
        value = decode_any(body)
    except UNREADABLE:
        is_cut = text[:1] in (b"{", b"[") and status < 400
        return Reply(error=None if is_cut else ReplyError("unreadable", _shown(text)), is_complete=False)
    return Reply(error=stated_error(value, status) or ReplyError("unreadable", _shown(text)))


def stated_error(body: object, status: int) -> ReplyError | None:
    """Return the error of a JSON answer that has no answer in it; with a failing status there always is one."""
    error = error_of(body, status)
    if error is None and status >= 400:
        return ReplyError(None, json_text(body)[:_LONGEST_CHARS])
    return error


def _of_object(error: dict[str, Any]) -> ReplyError:
    """Google writes the code as a number and the type as `status`; all others `type` and `code`."""
    message = text_or_none(error.get("message")) or text_or_none(error.get("error"))
    kind = word(error.get("type")) or text_or_none(error.get("status"))
    if message is None:
        message = _of_detail(error["detail"]) if error.get("detail") else json_text(error)[:_LONGEST_CHARS]
    return ReplyError(kind, message, word(error.get("code")))


def _of_detail(detail: object) -> str:
    """FastAPI's `detail`: a text, an object with a message, or a list of places and messages."""
    if isinstance(detail, str):
        return detail
    found = []
    for entry in entries(detail):
        place = entry.get("loc")
        where = ".".join(str(step) for step in place) if isinstance(place, list) else ""
        found.append(f"{where}: {entry.get('msg')}" if where else str(entry.get("msg")))
    return "; ".join(found) or text_or_none(fields(detail).get("message")) or json_text(detail)[:_LONGEST_CHARS]


def _shown(text: bytes) -> str:
    title = _TITLE.search(text[:4096]) if text.startswith(b"<") else None
    shown = title.group(1) if title else text
    return " ".join(shown[: 4 * _LONGEST_CHARS].decode("utf-8", "replace").split())[:_LONGEST_CHARS]
