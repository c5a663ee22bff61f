"""Google's `generateContent` and `streamGenerateContent`, on Gemini's own API and on Vertex."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.dialects.dialect import Stated
from app.dialects.failures import stated_error, without_answer
from app.dialects.fold import fold
from app.dialects.gemini_deltas import GenerateDeltas
from app.dialects.gemini_parts import OWN, message_of, pick
from app.dialects.gemini_reply import reply_of
from app.dialects.gemini_settings import settings_of, tool_choice_of, tools_of
from app.dialects.openai_request import keyed, session_in
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, text_or_none
from app.models.chat import ChatRequest, Reply
from app.models.message import Message

_TAKEN: Final = frozenset({
    "model", "contents", "content", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config",
})  # fmt: skip
_NOTHING: Final = (b"", b"null", b'""', b"{}")
_EMPTY: Final[tuple[object, ...]] = (None, "", {})
_SYSTEM: Final = "systemInstruction"


class _Split(msgspec.Struct, gc=False):
    contents: list[msgspec.Raw] = []
    content: msgspec.Raw = msgspec.Raw()
    camel: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="systemInstruction")
    snake: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="system_instruction")


class _Plain(msgspec.Struct, gc=False):
    contents: msgspec.Raw = msgspec.Raw()
    camel: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="systemInstruction")
    snake: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="system_instruction")


class _Keyed(msgspec.Struct, gc=False):
    contents: Any = None
    content: Any = None
    system: Any = msgspec.field(default=None, name="systemInstruction")


class _Ids(msgspec.Struct, gc=False):
    labels: Any = None


_split: Final = msgspec.json.Decoder(_Split)
_plain: Final = msgspec.json.Decoder(_Plain)
_keyed: Final = msgspec.json.Decoder(_Keyed)
_ids: Final = msgspec.json.Decoder(_Ids)
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


class GeminiReader(Reader):
    """Reads generated contents. Model and stream stand in the path, not in the body."""

    has_call_ids = False

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        counted = request.get("generateContentRequest")
        if isinstance(counted, dict) and "contents" not in request:
            request = counted  # of which tokens are to be counted
        settings, params = settings_of({name: value for name, value in request.items() if name not in _TAKEN})
        config = pick(request, "toolConfig", "tool_config")
        choice = tool_choice_of(config)
        if choice is None and config is not None:
            params["toolConfig"] = config
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(_messages(request)),
            tools=tools_of(request.get("tools")),
            tool_choice=choice,
            settings=settings,
            params=params,
            dialect=OWN,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            value = decode_any(body)
        except UNREADABLE:
            return self._stream(body) if body.lstrip().startswith(b"[") else without_answer(body, status)
        if isinstance(value, list) and not stated_error(value, status):
            return self._stream(body)
        if not isinstance(value, dict):
            return without_answer(body, status)
        reply = reply_of(value)
        if reply.choices or "candidates" in value:
            return reply
        error = stated_error(value, status)
        return msgspec.structs.replace(reply, error=error, is_complete=True)

    def _stream(self, body: bytes) -> Reply:
        reader = GenerateDeltas()
        return fold(reader.feed(body) + reader.close())

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the system instruction with its key, then the contents; empty where the body cannot be read."""
        try:
            split = decode(_split, body)
        except msgspec.ValidationError:
            return _split_plain(body)
        except UNREADABLE:
            return []
        content = bytes(split.content)
        embedded = [] if content in _NOTHING else [keyed("content", content)]
        return _system(split.camel, split.snake) + [bytes(raw) for raw in split.contents] + embedded

    def _element(self, raw: bytes) -> Message:
        if raw.startswith(b'"systemInstruction":'):
            return message_of(_field(raw).system, "system")
        if raw.startswith((b'"contents":', b'"content":')):
            field = _field(raw)
            return message_of(field.content if field.contents is None else field.contents)
        return message_of(decode_request(_any, raw))

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states: Vertex has labels, Gemini's own API nothing."""
        try:
            return Stated(session=session_in(decode(_ids, body).labels))
        except UNREADABLE:
            return Stated()


def _messages(request: dict[str, Any]) -> Iterator[Message]:
    """Yield the messages of the elements that `split_messages` gives."""
    for name in (_SYSTEM, "system_instruction"):
        if request.get(name) not in _EMPTY:
            yield message_of(request[name], "system")
    contents = request.get("contents")
    if isinstance(contents, list):
        yield from map(message_of, contents)
    elif contents not in _EMPTY:
        yield message_of(contents)
    content = request.get("content")
    if isinstance(contents, list | None) and content not in _EMPTY:
        yield message_of(content)


def _split_plain(body: bytes) -> list[bytes]:
    """Split a request whose contents are one content or one text."""
    try:
        plain = decode(_plain, body)
    except UNREADABLE:
        return []
    contents = bytes(plain.contents)
    return _system(plain.camel, plain.snake) + ([] if contents in _NOTHING else [keyed("contents", contents)])


def _system(*raws: msgspec.Raw) -> list[bytes]:
    """Return the system instruction, in one spelling whichever it had."""
    written = [bytes(raw) for raw in raws]
    return [keyed(_SYSTEM, system) for system in written if system not in _NOTHING]


def _field(raw: bytes) -> _Keyed:
    return decode_request(_keyed, b"{" + raw + b"}")
