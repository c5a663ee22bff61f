"""OpenAI's `/v1/chat/completions`, and everyone who speaks it."""

from typing import Any, Final

import msgspec

from app.dialects import openai_request
from app.dialects.dialect import Stated
from app.dialects.failures import error_of, stated_error, without_answer
from app.dialects.finish import finish_of
from app.dialects.openai_chat_parts import Turn, message_of
from app.dialects.openai_chat_stream import ChatFold, Chunk, ChunkChoice
from app.dialects.openai_usage import usage_of
from app.dialects.reader import Reader
from app.dialects.sse import read_events
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, text_or_none, word
from app.models.chat import ChatRequest, Choice, Reply, ReplyError, Tool
from app.models.message import Message

_TAKEN: Final = frozenset({"model", "messages", "tools", "functions", "tool_choice", "function_call", "stream"})


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw]


_split: Final = msgspec.json.Decoder(_Split)
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_turn: Final = msgspec.json.Decoder(Turn)
_whole: Final = msgspec.json.Decoder(Chunk)


class OpenAiChatReader(Reader):
    """Reads chat completions."""

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(self._element(raw) for raw in self.split_messages(body)),
            tools=openai_request.tools_of(request.get("tools")) + _functions(request.get("functions")),
            tool_choice=request.get("tool_choice", request.get("function_call")),
            is_stream=request.get("stream") is True,
            params=openai_request.params_of(request, _TAKEN),
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            reply = decode(_whole, body)
        except UNREADABLE:
            return without_answer(body, status)
        return Reply(
            id=text_or_none(reply.id),
            model=text_or_none(reply.model),
            choices=tuple(_choice(choice, place) for place, choice in enumerate(reply.choices or ())),
            usage=usage_of(reply.usage, reply.service_tier),
            error=_error(reply, body, status),
        )

    def _stream(self, body: bytes) -> Reply:
        fold = ChatFold()
        for event in read_events(body):
            fold.add(event)
        return fold.reply()

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the request's messages as they stand there; empty where the body cannot be read."""
        try:
            return [bytes(raw) for raw in decode(_split, body).messages]
        except UNREADABLE:
            return []

    def _element(self, raw: bytes) -> Message:
        if raw[:1] != b"{":
            value = decode_request(_any, raw)
            return message_of(Turn(role="user", content=value if isinstance(value, str | list) else None))
        return message_of(decode_request(_turn, raw))

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
        return openai_request.stated(body)


_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


def _error(reply: Chunk, body: bytes, status: int) -> ReplyError | None:
    """An error may stand at the top, in a choice (OpenRouter), or be all there is."""
    if reply.error:
        return error_of({"error": reply.error}, status)
    if not reply.choices:
        return stated_error(decode_any(body), status)
    return next((error_of({"error": choice.error}, status) for choice in reply.choices if choice.error), None)


def _choice(choice: ChunkChoice, place: int) -> Choice:
    message = message_of(choice.message or choice.delta or Turn(), "assistant")
    native = word(choice.native_finish_reason) or word(choice.finish_reason)
    index = choice.index if isinstance(choice.index, int) else place
    return Choice(index, message, finish_of(native, has_calls=bool(message.tool_calls())), native)


def _functions(functions: object) -> tuple[Tool, ...]:
    """Return the tools of the field that `tools` replaced."""
    if not isinstance(functions, list):
        return ()
    return openai_request.tools_of([{"type": "function", "function": function} for function in functions])
