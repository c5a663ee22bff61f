"""OpenAI's `/v1/chat/completions`, and everyone who speaks it."""

from typing import Any, Final

import msgspec

from app.dialects import openai_request
from app.dialects.dialect import Stated
from app.dialects.failures import error_of, stated_error, without_answer
from app.dialects.finish import finish_of
from app.dialects.fold import fold
from app.dialects.openai_chat_deltas import ChatDeltas, logprobs_of
from app.dialects.openai_chat_parts import message_of
from app.dialects.openai_chat_settings import DIALECT, settings_of
from app.dialects.openai_chat_tools import choice_of, tools_of
from app.dialects.openai_usage import usage_of
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_request, entries, text_or_none, word
from app.models.chat import ChatRequest, Choice, Reply, ReplyError
from app.models.message import Message

_CONVERSATION: Final = frozenset({"model", "messages", "tools", "functions", "tool_choice", "function_call", "stream"})
_SAID: Final = frozenset({"id", "model", "created", "choices", "error"})
_OF_CHOICE: Final = frozenset({"index", "message", "delta", "error"})


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw]


_split: Final = msgspec.json.Decoder(_Split)
_object: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


class OpenAiChatReader(Reader):
    """Reads chat completions."""

    dialect = DIALECT

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_object, body)
        rest = {name: value for name, value in request.items() if name not in _CONVERSATION}
        settings, params = settings_of(rest)
        listed = request.get("messages")
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(map(_message, listed)) if isinstance(listed, list) else (),
            tools=tools_of(request),
            tool_choice=choice_of(request),
            is_stream=request.get("stream") is True,
            settings=settings,
            params=params,
            dialect=self.dialect,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            reply = decode(_object, body)
        except UNREADABLE:
            return without_answer(body, status)
        choices = entries(reply.get("choices"))
        created = reply.get("created")
        extras = {name: value for name, value in reply.items() if name not in _SAID}
        return Reply(
            id=text_or_none(reply.get("id")),
            model=text_or_none(reply.get("model")),
            choices=tuple(_choice(choice, place) for place, choice in enumerate(choices)),
            usage=usage_of(reply.get("usage"), reply.get("service_tier")),
            error=_error(reply, choices, status),
            created_s=created if type(created) is int else None,
            extras=extras or None,
            dialect=self.dialect,
        )

    def _stream(self, body: bytes) -> Reply:
        deltas = ChatDeltas()
        return msgspec.structs.replace(fold(deltas.feed(body) + deltas.close()), dialect=self.dialect)

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the request's messages as they stand there; empty where the body cannot be read."""
        try:
            return [bytes(raw) for raw in decode(_split, body).messages]
        except UNREADABLE:
            return []

    def _element(self, raw: bytes) -> Message:
        return _message(decode_request(_any, raw))

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
        return openai_request.stated(body)


class MistralReader(OpenAiChatReader):
    """Reads Mistral's chats: OpenAI's, spelled its own way."""

    dialect = "mistral"


def _message(value: object) -> Message:
    """Return the message of an entry; what is no object is taken for what a user said."""
    if isinstance(value, dict):
        return message_of(value)
    return message_of({"role": "user", "content": value if isinstance(value, str | list) else None})


def _error(reply: dict[str, Any], choices: list[dict[str, Any]], status: int) -> ReplyError | None:
    """An error may stand at the top, in a choice (OpenRouter), or be all there is."""
    if reply.get("error"):
        return error_of({"error": reply["error"]}, status)
    if not choices:
        return stated_error(reply, status)
    return next((error_of({"error": choice["error"]}, status) for choice in choices if choice.get("error")), None)


def _choice(choice: dict[str, Any], place: int) -> Choice:
    said = choice.get("message") or choice.get("delta")
    message = message_of(said if isinstance(said, dict) else {}, "assistant")
    native = word(choice.get("native_finish_reason")) or word(choice.get("finish_reason"))
    index = choice.get("index")
    extras = {name: value for name, value in choice.items() if name not in _OF_CHOICE}
    return Choice(
        index if isinstance(index, int) else place,
        message,
        finish_of(native, has_calls=bool(message.tool_calls())),
        native,
        logprobs=(logprobs_of(choice["logprobs"]) or None) if choice.get("logprobs") else None,
        extras=extras or None,
    )
