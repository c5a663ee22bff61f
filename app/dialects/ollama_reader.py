"""Ollama's own `/api/chat`, and `/api/generate` as a chat of one turn (https://docs.ollama.com/api)."""

from typing import Any, Final

import msgspec

from app.dialects.dialect import Stated
from app.dialects.failures import stated_error, without_answer
from app.dialects.fold import fold
from app.dialects.knobs import Knobs
from app.dialects.ollama_answer import logprobs_of, reason_of, seconds_of, usage_of
from app.dialects.ollama_parts import NAME, left, message_of
from app.dialects.ollama_stream import OllamaDeltas
from app.dialects.openai_request import keyed
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, entries, fields, text_or_none, word
from app.dialects.writing import deltas_of_body
from app.models.chat import ChatRequest, Choice, Reply, ReplyError, Tool
from app.models.message import Extras, Message
from app.models.settings import OutputFormat, Settings, Thinking

_LEVELS: Final = ("low", "medium", "high")
_ANSWER: Final = frozenset(
    {"model", "created_at", "message", "response", "thinking", "done", "done_reason", "logprobs"}
    | {"prompt_eval_count", "eval_count"}
)


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw] | None = None
    system: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()


_split: Final = msgspec.json.Decoder(_Split)
_object: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


class OllamaReader(Reader):
    """Reads chats and generations."""

    has_call_ids = False

    def read_answer(self, body: bytes, content_type: str, status: int) -> Reply:
        """Return what an answer says: a stream where it is several objects, one a line. Never raises."""
        first, end, rest = body.strip().partition(b"\n")
        if "ndjson" in content_type or (end and rest and first.rstrip().endswith(b"}")):
            return self.read_stream(body)
        return self.read_reply(body, status)

    def _request(self, body: bytes) -> ChatRequest:
        knobs = Knobs(decode_request(_object, body))
        turns, system, prompt = knobs.take("messages"), knobs.text("system"), knobs.text("prompt")
        if turns is None:  # a generation
            turns = [{"role": role, "content": said} for role, said in (("system", system), ("user", prompt)) if said]
        model, is_stream = knobs.take("model"), knobs.take("stream")
        tools = tuple(_tool(tool) for tool in entries(knobs.take_list("tools")))
        settings = _settings(knobs)
        return ChatRequest(
            model=text_or_none(model),
            messages=tuple(message_of(turn) for turn in entries(turns)),
            tools=tools,
            is_stream=is_stream is not False,
            settings=settings,
            params=knobs.left(),
            dialect=NAME,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            answer = decode_any(body)
        except UNREADABLE:
            return without_answer(body, status)
        if not isinstance(answer, dict) or answer.get("error") or not ("message" in answer or "response" in answer):
            error = stated_error(answer, status)
            return Reply(error=error or ReplyError("unreadable", body[:200].decode("utf-8", "replace")))
        message = message_of(_turn(answer), "assistant")
        native = word(answer.get("done_reason"))
        is_done = answer.get("done") is True
        reason = reason_of(native, is_done=is_done, has_calls=bool(message.tool_calls()))
        logprobs = logprobs_of(answer.get("logprobs"))
        return Reply(
            model=text_or_none(answer.get("model")),
            choices=(Choice(0, message, reason, native, logprobs=logprobs or None),),
            usage=usage_of(answer.get("prompt_eval_count"), answer.get("eval_count")),
            is_complete=is_done,
            created_s=seconds_of(answer.get("created_at")),
            extras=left(answer, _ANSWER),
            dialect=NAME,
        )

    def _stream(self, body: bytes) -> Reply:
        return fold(deltas_of_body(OllamaDeltas(), body))

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the request's messages, or a generation's system and prompt with their keys."""
        try:
            top = decode(_split, body)
        except UNREADABLE:
            return []
        if top.messages is not None:
            return [raw for raw in map(bytes, top.messages) if raw.startswith(b"{")]
        named = (("system", bytes(top.system)), ("prompt", bytes(top.prompt)))
        return [keyed(name, value) for name, value in named if value.startswith(b'"') and value != b'""']

    def _element(self, raw: bytes) -> Message:
        if raw.startswith(b'"'):
            named = decode_request(_object, b"{" + raw + b"}")
            role = "system" if "system" in named else "user"
            return message_of({"role": role, "content": next(iter(named.values()), None)})
        return message_of(decode_request(_object, raw))

    def stated(self, body: bytes) -> Stated:
        """Return nothing: Ollama's requests name neither user nor session."""
        return Stated()


def _turn(answer: dict[str, Any]) -> dict[str, Any]:
    if isinstance(answer.get("message"), dict):
        found: dict[str, Any] = answer["message"]
        return found
    return {"content": answer.get("response"), "thinking": answer.get("thinking")}


def _tool(tool: dict[str, Any]) -> Tool:
    function = fields(tool.get("function"))
    extras: Extras = left(tool, frozenset({"type", "function"}))
    if (more := left(function, frozenset({"name", "description", "parameters"}))) is not None:
        extras = {**(extras or {}), "function": more}
    name, said = word(function.get("name")) or "", text_or_none(function.get("description"))
    return Tool(name, said, function.get("parameters"), word(tool.get("type")) or "function", extras=extras)


def _settings(knobs: Knobs) -> Settings:
    stated = knobs.take("options")
    options = Knobs(fields(stated))
    settings = Settings(
        max_tokens=options.whole("num_predict"),
        temperature=options.number("temperature"),
        top_p=options.number("top_p"),
        top_k=options.whole("top_k"),
        stop=options.texts("stop"),
        seed=options.whole("seed"),
        presence_penalty=options.number("presence_penalty"),
        frequency_penalty=options.number("frequency_penalty"),
        logprobs=knobs.flag("logprobs"),
        top_logprobs=knobs.whole("top_logprobs"),
        thinking=_thinking(knobs),
        output=_output(knobs),
    )
    if (left_over := options.left()) or stated == {}:
        knobs.put("options", left_over)
    return settings


def _thinking(knobs: Knobs) -> Thinking | None:
    stated = knobs.take("think")
    if isinstance(stated, bool):
        return Thinking(stated)
    if stated in _LEVELS:
        return Thinking(effort=str(stated))
    knobs.put("think", stated)
    return None


def _output(knobs: Knobs) -> OutputFormat | None:
    stated = knobs.take("format")
    if stated == "json":
        return OutputFormat("json")
    if isinstance(stated, dict):
        return OutputFormat("schema", stated)
    knobs.put("format", stated)
    return None
