"""An OpenAI chat stream folded into the answer it tells.

Lenient where providers differ: calls without index (Mistral) or with one index for all, usage on any chunk, names that
come late, arguments that come whole.
"""

from typing import Any, Final

import msgspec

from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.openai_chat_parts import Turn, content_parts, message_of
from app.dialects.openai_usage import merge, usage_of
from app.dialects.sse import Event
from app.dialects.wire import UNREADABLE, decode, decode_any, entries, fields, json_text, text_or_none, word
from app.models.chat import Choice, Reply, ReplyError
from app.models.message import Message, Reasoning, Refusal, Text

_DONE: Final = b"[DONE]"


class ChunkChoice(msgspec.Struct, gc=False):
    """One of an answer's choices: a `message` when whole, a `delta` in a stream."""

    index: Any = None
    message: Turn | None = None
    delta: Turn | None = None
    finish_reason: Any = None
    native_finish_reason: Any = None
    error: Any = None


class Chunk(msgspec.Struct, gc=False):
    """A chat completion, whole or one event of its stream."""

    id: Any = None
    model: Any = None
    choices: list[ChunkChoice] | None = None
    usage: Any = None
    error: Any = None
    service_tier: Any = None
    x_groq: Any = None


_chunk: Final = msgspec.json.Decoder(Chunk)


class ChatFold:
    """Takes events one by one; `reply` may be asked at any time."""

    def __init__(self) -> None:
        self._id: Any = None
        self._model: Any = None
        self._tier: Any = None
        self._usage: Any = None
        self._error: ReplyError | None = None
        self._choices: dict[int, _OpenChoice] = {}
        self._is_done = False
        self._skipped = 0

    def add(self, event: Event) -> None:
        """Take one event; what cannot be read is counted and passed over."""
        if event.data == _DONE:
            self._is_done = True
            return
        try:
            chunk = decode(_chunk, event.data)
        except UNREADABLE:
            self._skipped += 1
            return
        self._id = self._id or chunk.id
        self._model = self._model or chunk.model
        self._tier = chunk.service_tier or self._tier
        if chunk.usage is not None:
            self._usage = merge(self._usage, chunk.usage)
        for choice in chunk.choices or ():
            self._add_choice(choice)
        if chunk.error or chunk.x_groq or event.name == b"error":
            self._add_oddities(chunk, event)

    def reply(self) -> Reply:
        """Return the answer so far."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        return Reply(
            id=text_or_none(self._id),
            model=text_or_none(self._model),
            choices=tuple(choice.close() for choice in choices),
            usage=usage_of(self._usage, self._tier),
            error=self._error,
            is_complete=self._is_done or any(choice.native for choice in choices),
            skipped_events=self._skipped,
        )

    def _add_choice(self, choice: ChunkChoice) -> None:
        index = choice.index if isinstance(choice.index, int) else 0
        into = self._choices.get(index)
        if into is None:
            into = self._choices[index] = _OpenChoice(index)
        delta = choice.delta or choice.message
        if delta is not None:
            into.add(delta)
        if choice.finish_reason or choice.native_finish_reason:
            into.native = word(choice.native_finish_reason) or word(choice.finish_reason)
        if choice.error:
            self._error = self._error or error_of({"error": choice.error}, 200)

    def _add_oddities(self, chunk: Chunk, event: Event) -> None:
        """Errors in mid-stream, and Groq's own field, where it puts usage and errors."""
        own = fields(chunk.x_groq)
        if chunk.usage is None and own.get("usage"):
            self._usage = merge(self._usage, own["usage"])
        error = chunk.error or own.get("error")
        if error:
            self._error = self._error or error_of({"error": error}, 200)
        elif event.name == b"error":
            self._error = self._error or error_of(decode_any(event.data), 500)


class _OpenCall:
    """A tool call whose arguments still come."""

    __slots__ = ("arguments", "call", "id", "name")

    def __init__(self, call: dict[str, Any]) -> None:
        self.call = call
        self.id: str | None = None
        self.name = ""
        self.arguments: list[str] = []

    def close(self) -> dict[str, Any]:
        """Return the call as a whole answer would have it."""
        if not self.name and not self.arguments and "function" not in self.call and "custom" not in self.call:
            return self.call
        return {"id": self.id, "function": {"name": self.name, "arguments": "".join(self.arguments)}}


class _OpenChoice:
    """A choice whose message still comes."""

    __slots__ = (
        "audio",
        "calls",
        "details",
        "function_call",
        "index",
        "native",
        "others",
        "reasonings",
        "refusals",
        "slots",
        "texts",
    )

    def __init__(self, index: int) -> None:
        self.index = index
        self.native: str | None = None
        self.texts: list[str] = []
        self.reasonings: list[str] = []
        self.refusals: list[str] = []
        self.others: list[Any] = []
        """Parts of a content list that are neither text nor thinking."""
        self.details: list[dict[str, Any]] = []
        self.calls: list[_OpenCall] = []
        self.slots: dict[int, _OpenCall] = {}
        """The newest call of each index."""
        self.function_call: _OpenCall | None = None
        self.audio: dict[str, Any] = {}

    def add(self, delta: Turn) -> None:
        """Take what one chunk adds."""
        content = delta.content
        if content:
            if isinstance(content, str):
                self.texts.append(content)
            else:
                self._add_parts(content)
        thought = delta.reasoning_content or delta.reasoning
        if thought and isinstance(thought, str):
            self.reasonings.append(thought)
        if delta.reasoning_details:
            self._add_details(delta.reasoning_details)
        if delta.tool_calls:
            for call in entries(delta.tool_calls):
                self._add_call(call)
        if delta.refusal and isinstance(delta.refusal, str):
            self.refusals.append(delta.refusal)
        if delta.function_call:
            self.function_call = self.function_call or _OpenCall({"function": {}})
            _extend(self.function_call, {"function": delta.function_call})
        if delta.audio:
            self._add_audio(fields(delta.audio))

    def close(self) -> Choice:
        """Return the choice as far as it came."""
        turn = Turn(
            reasoning="".join(self.reasonings),
            reasoning_details=self.details,
            tool_calls=[call.close() for call in self.calls],
            function_call=self.function_call.close()["function"] if self.function_call else None,
            refusal="".join(self.refusals),
            audio=self.audio,
            content="".join(self.texts),
        )
        message = message_of(turn, "assistant")
        if self.others:
            message = Message("assistant", (*message.parts, *self.others))
        return Choice(self.index, message, finish_of(self.native, has_calls=bool(message.tool_calls())), self.native)

    def _add_parts(self, content: object) -> None:
        for part in content_parts(content):
            if isinstance(part, Text):
                self.texts.append(part.text)
            elif isinstance(part, Reasoning):
                self.reasonings.append(part.text)
            elif isinstance(part, Refusal):
                self.refusals.append(part.text)
            else:
                self.others.append(part)

    def _add_details(self, details: object) -> None:
        """Pieces of one detail follow each other under one type and index; a proof ends it."""
        for detail in entries(details):
            last = self.details[-1] if self.details else None
            if last is None or any(last.get(key) != detail.get(key) for key in ("type", "index")) or _has_proof(last):
                self.details.append(dict(detail))
                continue
            for key, value in detail.items():
                if key in ("text", "summary") and isinstance(value, str):
                    last[key] = (last.get(key) or "") + value
                elif value is not None:
                    last[key] = value

    def _add_call(self, call: dict[str, Any]) -> None:
        index = call.get("index")
        into = self.slots.get(index) if isinstance(index, int) else self.calls[-1] if self.calls else None
        call_id = word(call.get("id"))
        is_new = into is None or (call_id is not None and into.id is not None and call_id != into.id)
        if into is None or is_new:
            into = _OpenCall(call)
            self.calls.append(into)
            if isinstance(index, int):
                self.slots[index] = into
        into.id = into.id or call_id
        _extend(into, call)

    def _add_audio(self, audio: dict[str, Any]) -> None:
        for key, value in audio.items():
            if key in ("data", "transcript") and isinstance(value, str):
                self.audio[key] = self.audio.get(key, "") + value
            elif value is not None:
                self.audio[key] = value


def _extend(call: _OpenCall, delta: dict[str, Any]) -> None:
    said = fields(delta.get("function") or delta.get("custom"))
    name = said.get("name")
    if isinstance(name, str) and name and not call.name:
        call.name = name
    arguments = said.get("arguments", said.get("input"))
    if isinstance(arguments, str):
        call.arguments.append(arguments)
    elif arguments is not None:
        call.arguments.append(json_text(arguments))


def _has_proof(detail: dict[str, Any]) -> bool:
    return bool(detail.get("signature"))
