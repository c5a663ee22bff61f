"""OpenAI's `/v1/responses`."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import msgspec

from app.dialects import openai_request
from app.dialects.dialect import Stated
from app.dialects.failures import stated_error, without_answer
from app.dialects.fold import fold
from app.dialects.openai_request import keyed
from app.dialects.openai_responses_deltas import ResponseDeltas
from app.dialects.openai_responses_input import INSTRUCTIONS
from app.dialects.openai_responses_items import DIALECT, content_parts, is_answer, message_of
from app.dialects.openai_responses_reply import reply_of
from app.dialects.openai_responses_settings import settings_of
from app.dialects.openai_responses_tools import choice_of, tools_of
from app.dialects.reader import Reader
from app.dialects.sse import read_events
from app.dialects.wire import UNREADABLE, decode, decode_request, entries, text_or_none
from app.dialects.writing import deltas_of_body
from app.models.chat import ChatRequest, Reply
from app.models.message import Extras, Message

_OF_INSTRUCTIONS: Final[Extras] = {INSTRUCTIONS: True}
_NOTHING: Final = (b"", b"null", b'""')
_WHOLE: Final = ("response.completed", "response.incomplete")
_NO_EVENT: Final = (None, "error")


class _Listed(msgspec.Struct, gc=False):
    input: list[msgspec.Raw]
    instructions: msgspec.Raw = msgspec.Raw()


class _Plain(msgspec.Struct, gc=False):
    input: msgspec.Raw = msgspec.Raw()
    instructions: msgspec.Raw = msgspec.Raw()


class _Head(msgspec.Struct, gc=False):
    type: Any = None
    role: Any = None
    execution: Any = None


class _Last(msgspec.Struct, gc=False):
    type: Any = None
    response: Any = None


class _Keyed(msgspec.Struct, gc=False):
    input: Any = None
    instructions: Any = None


_listed: Final = msgspec.json.Decoder(_Listed)
_plain: Final = msgspec.json.Decoder(_Plain)
_head: Final = msgspec.json.Decoder(_Head)
_last: Final = msgspec.json.Decoder(_Last)
_keyed: Final = msgspec.json.Decoder(_Keyed)
_items: Final[msgspec.json.Decoder[list[Any]]] = msgspec.json.Decoder(list[Any])
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


class OpenAiResponsesReader(Reader):
    """Reads responses. The items of one assistant turn are one element."""

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        settings, params = settings_of(request)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(_messages(request)),
            tools=tools_of(request.get("tools")),
            tool_choice=choice_of(request.get("tool_choice")),
            is_stream=request.get("stream") is True,
            settings=settings,
            params=params,
            dialect=DIALECT,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            whole = decode(_request, body)
        except UNREADABLE:
            return without_answer(body, status)
        reply = reply_of(whole)
        if reply.choices or reply.error:
            return reply
        return msgspec.structs.replace(reply, error=stated_error(whole, status))

    def _stream(self, body: bytes) -> Reply:
        told = _told_whole(body)
        if told is not None:
            return told
        reply = fold(deltas_of_body(ResponseDeltas(), body))
        ended = reply.choices[0].extras if reply.choices else None
        if ended is None:
            return reply
        choices = (msgspec.structs.replace(reply.choices[0], extras=None),)
        return msgspec.structs.replace(reply, choices=choices, extras=ended)

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the instructions with their key, then the input, runs of one turn joined by commas."""
        try:
            listed = decode(_listed, body)
            return _instructions(listed.instructions) + _runs(listed.input)
        except msgspec.ValidationError:
            return _split_plain(body)
        except UNREADABLE:
            return []

    def _element(self, raw: bytes) -> Message:
        if raw.startswith(b'"instructions":'):
            return _instructed(_field(raw).instructions)
        if raw.startswith(b'"input":'):
            return _asked(_field(raw).input)
        return _run(decode_request(_items, b"[" + raw + b"]"))

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
        return openai_request.stated(body)


def _messages(request: dict[str, Any]) -> Iterator[Message]:
    """Return the messages of the elements that `split_messages` cuts, without cutting."""
    given, instructions = request.get("input"), request.get("instructions")
    if instructions not in (None, ""):
        yield _instructed(instructions)
    if isinstance(given, list):
        for is_turn, run in groupby(given, key=_belongs_to_answer):
            items = list(run)
            yield from (_run(items),) if is_turn else (_run([item]) for item in items)
    elif given not in (None, ""):
        yield _asked(given)


def _instructed(instructions: object) -> Message:
    return Message("system", tuple(content_parts(instructions)), extras=_OF_INSTRUCTIONS)


def _asked(given: object) -> Message:
    return message_of([given]) if isinstance(given, dict) else Message("user", tuple(content_parts(given)))


def _run(items: list[Any]) -> Message:
    listed = entries(items)
    return message_of(listed) if listed else Message("user", tuple(content_parts(items)))


def _belongs_to_answer(item: object) -> bool:
    return isinstance(item, dict) and is_answer(item.get("type"), item.get("role"), item.get("execution"))


def _told_whole(body: bytes) -> Reply | None:
    """Return the reply that a stream's last event repeats whole; None where it does not, or an error came before."""
    events = [event for event in read_events(body) if event.data != b"[DONE]"]
    skipped = 0
    for event in events[:-1]:
        try:
            if decode(_head, event.data).type in _NO_EVENT:
                return None
        except UNREADABLE:
            skipped += 1
    try:
        last = decode(_last, events[-1].data) if events else _Last()
    except UNREADABLE:
        return None
    response = last.response
    if (
        last.type not in _WHOLE
        or not isinstance(response, dict)
        or not (response.get("output") and response.get("usage"))
    ):
        return None
    reply = reply_of(response)
    return msgspec.structs.replace(reply, skipped_events=skipped) if skipped else reply


def _split_plain(body: bytes) -> list[bytes]:
    """Split a request whose input is one text, or missing."""
    try:
        plain = decode(_plain, body)
    except UNREADABLE:
        return []
    given = bytes(plain.input)
    return _instructions(plain.instructions) + ([] if given in _NOTHING else [keyed("input", given)])


def _instructions(raw: msgspec.Raw) -> list[bytes]:
    written = bytes(raw)
    return [] if written in _NOTHING else [keyed("instructions", written)]


def _runs(raws: list[msgspec.Raw]) -> list[bytes]:
    elements: list[bytes] = []
    for is_turn, run in groupby(map(bytes, raws), key=_is_answer):
        if is_turn:
            elements.append(b",".join(run))
        else:
            elements += run
    return elements


def _is_answer(raw: bytes) -> bool:
    try:
        head = decode(_head, raw)
    except UNREADABLE:
        return False
    return is_answer(head.type, head.role, head.execution)


def _field(raw: bytes) -> _Keyed:
    return decode_request(_keyed, b"{" + raw + b"}")
