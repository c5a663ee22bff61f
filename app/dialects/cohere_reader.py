"""Cohere's `/v2/chat` (https://docs.cohere.com/reference/chat)."""

from typing import Any, Final

import msgspec

from app.dialects.cohere_answer import NAME, failure_of, logprobs_of, reason_of, usage_of
from app.dialects.cohere_parts import left, message_of
from app.dialects.cohere_stream import CohereDeltas
from app.dialects.dialect import Stated
from app.dialects.failures import error_of, stated_error, without_answer
from app.dialects.fold import fold
from app.dialects.knobs import Knobs
from app.dialects.openai_request import session_in
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, count, decode, decode_any, decode_request, entries, fields, text_or_none, word
from app.dialects.writing import deltas_of_body
from app.models.chat import ChatRequest, Choice, Reply, ReplyError, Tool
from app.models.message import Extras, Message
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice

_ANSWER: Final = frozenset({"id", "message", "finish_reason", "usage", "logprobs"})


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw]


_split: Final = msgspec.json.Decoder(_Split)
_object: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


class CohereReader(Reader):
    """Reads v2 chats."""

    def _request(self, body: bytes) -> ChatRequest:
        knobs = Knobs(decode_request(_object, body))
        model, is_stream = knobs.take("model"), knobs.take("stream")
        turns = knobs.take("messages")
        tools = tuple(_tool(tool) for tool in entries(knobs.take_list("tools")))
        return ChatRequest(
            model=text_or_none(model),
            messages=tuple(message_of(turn) for turn in entries(turns)),
            tools=tools,
            tool_choice=_tool_choice(knobs),
            is_stream=is_stream is True,
            settings=_settings(knobs),
            params=knobs.left(),
            dialect=NAME,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            answer = decode_any(body)
        except UNREADABLE:
            return without_answer(body, status)
        if not isinstance(answer, dict) or not isinstance(answer.get("message"), dict):
            error = stated_error(answer, status) or error_of(answer, 400)
            return Reply(error=error or ReplyError("unreadable", body[:200].decode("utf-8", "replace")))
        message = message_of(answer["message"], "assistant")
        native = word(answer.get("finish_reason"))
        reason = reason_of(native, has_calls=bool(message.tool_calls()))
        logprobs = logprobs_of(answer.get("logprobs"))
        return Reply(
            id=text_or_none(answer.get("id")),
            choices=(Choice(0, message, reason, native, logprobs=logprobs or None),),
            usage=usage_of(answer.get("usage")),
            error=failure_of(native, None),
            extras=left(answer, _ANSWER),
            dialect=NAME,
        )

    def _stream(self, body: bytes) -> Reply:
        return fold(deltas_of_body(CohereDeltas(), body))

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the request's messages as they stand there; empty where the body cannot be read."""
        try:
            return [raw for raw in map(bytes, decode(_split, body).messages) if raw.startswith(b"{")]
        except UNREADABLE:
            return []

    def _element(self, raw: bytes) -> Message:
        return message_of(decode_request(_object, raw))

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states: a session in `metadata`, as Cohere has no field for any."""
        try:
            return Stated(session=session_in(fields(decode_any(body)).get("metadata")))
        except UNREADABLE:
            return Stated()


def _tool(tool: dict[str, Any]) -> Tool:
    function = fields(tool.get("function"))
    extras: Extras = left(tool, frozenset({"type", "function"}))
    if (more := left(function, frozenset({"name", "description", "parameters"}))) is not None:
        extras = {**(extras or {}), "function": more}
    return Tool(
        name=word(function.get("name")) or "",
        description=text_or_none(function.get("description")),
        schema=function.get("parameters"),
        kind=word(tool.get("type")) or "function",
        extras=extras,
    )


def _tool_choice(knobs: Knobs) -> ToolChoice | None:
    stated = knobs.take("tool_choice")
    if stated == "REQUIRED":
        return ToolChoice("required")
    if stated == "NONE":
        return ToolChoice("none")
    if stated is not None:
        knobs.put("tool_choice", stated)
    return None


def _settings(knobs: Knobs) -> Settings:
    return Settings(
        max_tokens=knobs.whole("max_tokens"),
        temperature=knobs.number("temperature"),
        top_p=knobs.number("p"),
        top_k=knobs.whole("k"),
        stop=knobs.texts("stop_sequences"),
        seed=knobs.whole("seed"),
        presence_penalty=knobs.number("presence_penalty"),
        frequency_penalty=knobs.number("frequency_penalty"),
        logprobs=knobs.flag("logprobs"),
        thinking=_thinking(knobs),
        output=_output(knobs),
    )


def _thinking(knobs: Knobs) -> Thinking | None:
    stated = knobs.take("thinking")
    if not isinstance(stated, dict) or stated.get("type") not in ("enabled", "disabled"):
        if stated is not None:
            knobs.put("thinking", stated)
        return None
    extras = left(stated, frozenset({"type", "token_budget"}))
    return Thinking(stated["type"] == "enabled", budget_tokens=count(stated.get("token_budget")), extras=extras)


def _output(knobs: Knobs) -> OutputFormat | None:
    stated = knobs.take("response_format")
    if not isinstance(stated, dict) or stated.get("type") not in ("json_object", "text"):
        if stated is not None:
            knobs.put("response_format", stated)
        return None
    schema = stated.get("json_schema", stated.get("schema"))
    extras = left(stated, frozenset({"type", "json_schema", "schema"}))
    if stated["type"] == "text":
        return OutputFormat("text", extras=extras)
    return OutputFormat("json" if schema is None else "schema", schema, extras=extras)
