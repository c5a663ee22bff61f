"""An OpenAI chat stream read piece by piece.

Lenient where providers differ: calls without index (Mistral) or with one index for all, usage on any chunk, names that
come late, arguments that come whole, no `[DONE]`: a stream that gave its finish reason has said all it had to.
"""

from typing import Any, Final

import msgspec

from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.openai_chat_parts import (
    citation_of,
    content_parts,
    reasoning_parts,
)
from app.dialects.openai_usage import merge, usage_of
from app.dialects.sse import Event, SseParser
from app.dialects.wire import UNREADABLE, decode, decode_any, entries, fields, json_text, text_or_none, word
from app.models.chat import Logprob
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CitationDelta,
    Delta,
    End,
    Failed,
    Finish,
    LogprobsDelta,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Media, Part, Raw, Reasoning, Refusal, Text, ToolCall

_DONE: Final = b"[DONE]"
_chunk: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_OF_BLOCKS: Final = {"of": "thinking_blocks"}
_ORDINARY: Final = frozenset({"role", "content", "refusal", "tool_calls", "function_call"})
"""Fields of a delta that need no second look."""


class ChatDeltas:
    """Reads one stream."""

    def __init__(self) -> None:
        self._parser = SseParser()
        self._choices: dict[int, _Choice] = {}
        self._has_begun = False
        self._has_failed = False
        self._is_done = False
        self._usage: Any = None
        self._told_usage: Any = None
        self._tier: Any = None

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""
        out: list[Delta] = []
        for event in self._parser.feed(data):
            self._add(event, out)
        return out

    def close(self) -> list[Delta]:
        """Return what was still open when the bytes ended."""
        out: list[Delta] = []
        for event in self._parser.close():
            self._add(event, out)
        for index, choice in self._choices.items():
            choice.close(index, out)
        finished = bool(self._choices) and any(choice.native for choice in self._choices.values())
        if (self._is_done or finished) and not self._has_failed:
            out.append(End())
        return out

    def _add(self, event: Event, out: list[Delta]) -> None:
        if event.data == _DONE:
            self._is_done = True
            return
        try:
            chunk = decode(_chunk, event.data)
        except UNREADABLE:
            out.append(Skipped())
            return
        choices = entries(chunk.get("choices"))
        if not self._has_begun and (choices or chunk.get("id")):
            self._begin(chunk, out)
        self._tier = chunk.get("service_tier") or self._tier
        for choice in choices:
            self._add_choice(choice, out)
        if chunk.get("usage") is not None:
            self._use(chunk["usage"], out)
        if chunk.get("error") or chunk.get("x_groq") or event.name == b"error":
            self._add_oddities(chunk, event, out)

    def _begin(self, chunk: dict[str, Any], out: list[Delta]) -> None:
        self._has_begun = True
        created = chunk.get("created")
        begun_s = created if type(created) is int else None
        out.append(Begin(text_or_none(chunk.get("id")), text_or_none(chunk.get("model")), begun_s, None, "openai_chat"))

    def _add_choice(self, choice: dict[str, Any], out: list[Delta]) -> None:
        said = choice.get("index")
        index = said if isinstance(said, int) else 0
        into = self._choices.get(index)
        if into is None:
            into = self._choices[index] = _Choice()
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            into.add(delta, index, out)
        if choice.get("logprobs"):
            logprobs = logprobs_of(choice["logprobs"])
            if logprobs:
                out.append(LogprobsDelta(logprobs, index))
        native = word(choice.get("native_finish_reason")) or word(choice.get("finish_reason"))
        into.native = native or into.native
        if choice.get("error"):
            self._fail({"error": choice["error"]}, 200, out)

    def _use(self, usage: object, out: list[Delta]) -> None:
        self._usage = merge(self._usage, usage)
        found = usage_of(self._usage, self._tier)
        if found is not None and found != self._told_usage:
            self._told_usage = found
            out.append(UsageDelta(found))

    def _add_oddities(self, chunk: dict[str, Any], event: Event, out: list[Delta]) -> None:
        """Errors in mid-stream, and Groq's own field, where it puts usage and errors."""
        own = fields(chunk.get("x_groq"))
        if chunk.get("usage") is None and own.get("usage"):
            self._use(own["usage"], out)
        error = chunk.get("error") or own.get("error")
        if error:
            self._fail({"error": error}, 200, out)
        elif event.name == b"error":
            self._fail(decode_any(event.data), 500, out)

    def _fail(self, said: object, status: int, out: list[Delta]) -> None:
        error = error_of(said, status)
        if error is not None and not self._has_failed:
            self._has_failed = True
            out.append(Failed(error))


class _Choice:
    """One choice: which calls are open, and why it ended."""

    __slots__ = ("by_index", "calls", "has_calls", "has_thought", "legacy", "native")

    def __init__(self) -> None:
        self.native: str | None = None
        self.calls: list[_Call] = []
        self.by_index: dict[int, _Call] = {}
        """The newest call of each index."""
        self.legacy: _Call | None = None
        self.has_calls = False
        self.has_thought = False
        """A thought came in plain text."""

    def add(self, delta: dict[str, Any], index: int, out: list[Delta]) -> None:
        """Take what one chunk adds."""
        if not delta.keys() <= _ORDINARY:
            self._add_rare(delta, index, out)
        content = delta.get("content")
        if content:
            if isinstance(content, str):
                out.append(TextDelta(content, index))
            else:
                for part in content_parts(content):
                    _add_part(part, index, out)
        if delta.get("tool_calls"):
            for call in entries(delta["tool_calls"]):
                self._add_call(call, index, out)
        refusal = delta.get("refusal")
        if refusal and isinstance(refusal, str):
            out.append(RefusalDelta(refusal, index))
        if isinstance(delta.get("function_call"), dict):
            self._add_legacy(delta["function_call"], index, out)

    def close(self, index: int, out: list[Delta]) -> None:
        """Say why it ended, if it did; calls whose name never came begin without one."""
        for call in (*self.calls, *([self.legacy] if self.legacy else ())):
            call.begin(index, out)
        if self.native is not None:
            reason = finish_of(self.native, has_calls=self.has_calls)
            out.append(Finish(reason or "other", self.native, index))

    def _add_rare(self, delta: dict[str, Any], index: int, out: list[Delta]) -> None:
        is_plain = bool(delta.get("reasoning_content") or delta.get("reasoning"))
        for part in reasoning_parts(delta):
            if isinstance(part, Reasoning) and self.has_thought and not is_plain and part.extras == _OF_BLOCKS:
                part = msgspec.structs.replace(part, text="")  # said before, piece by piece
            _add_part(part, index, out)
        self.has_thought = self.has_thought or is_plain
        for annotation in entries(delta.get("annotations")):
            out.append(CitationDelta(citation_of(annotation), index))
        audio = delta.get("audio")
        if isinstance(audio, dict):
            if text_or_none(audio.get("transcript")):
                out.append(TextDelta(audio["transcript"], index))
            if text_or_none(audio.get("data")):
                out.append(PartDelta(Media("audio", data=audio["data"]), index))
        for image in entries(delta.get("images")):
            for part in content_parts([{key: value for key, value in image.items() if key != "index"}]):
                out.append(PartDelta(part, index))

    def _add_call(self, call: dict[str, Any], index: int, out: list[Delta]) -> None:
        place = call.get("index")
        into = self.by_index.get(place) if isinstance(place, int) else self.calls[-1] if self.calls else None
        call_id = word(call.get("id"))
        if into is None or (call_id is not None and into.id is not None and call_id != into.id):
            if not any(key in call for key in ("function", "custom")):
                out.append(PartDelta(Raw(word(call.get("type")) or "tool_call", call), index))
                return
            into = _Call(len(self.calls))
            self.calls.append(into)
            self.has_calls = True
            if isinstance(place, int):
                self.by_index[place] = into
        into.id = into.id or call_id
        into.add(call, index, out)

    def _add_legacy(self, function: dict[str, Any], index: int, out: list[Delta]) -> None:
        if not any(function.get(name) for name in ("name", "arguments")):
            return  # Snowflake sends an empty one always
        if self.legacy is None:
            self.legacy = _Call(len(self.calls))
            self.has_calls = True
        self.legacy.add({"function": function}, index, out)


class _Call:
    """A call whose arguments still come. It begins once its name is known."""

    __slots__ = ("has_begun", "held", "id", "is_custom", "name", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.id: str | None = None
        self.name = ""
        self.is_custom = False
        self.has_begun = False
        self.held: list[str] = []
        """Arguments that came before the name."""

    def add(self, call: dict[str, Any], index: int, out: list[Delta]) -> None:
        """Take a piece."""
        self.is_custom = self.is_custom or isinstance(call.get("custom"), dict)
        said = fields(call.get("function") or call.get("custom"))
        name = said.get("name")
        if isinstance(name, str) and name and not self.name:
            self.name = name
            self.begin(index, out)
        arguments = said.get("arguments", said.get("input"))
        if arguments is None:
            return
        text = arguments if isinstance(arguments, str) else json_text(arguments)
        if not text:
            return
        if self.has_begun:
            out.append(CallDelta(self.place, text, index))
        else:
            self.held.append(text)

    def begin(self, index: int, out: list[Delta]) -> None:
        """Begin the call, once."""
        if self.has_begun:
            return
        self.has_begun = True
        out.append(CallBegin(self.place, self.id, self.name, index, is_custom=self.is_custom))
        if self.held:
            out.append(CallDelta(self.place, "".join(self.held), index))


def logprobs_of(said: object) -> tuple[Logprob, ...]:
    """Return how likely the tokens were, of a whole answer or a chunk."""
    return tuple(_logprob(one) for one in entries(fields(said).get("content")))


def _logprob(one: dict[str, Any]) -> Logprob:
    utf8, likely = one.get("bytes"), one.get("logprob")
    return Logprob(
        str(one.get("token", "")),
        float(likely) if isinstance(likely, int | float) else 0.0,
        tuple(utf8) if isinstance(utf8, list) and all(type(byte) is int for byte in utf8) else None,
        tuple(_logprob(top) for top in entries(one.get("top_logprobs"))),
    )


def _add_part(part: Part, index: int, out: list[Delta]) -> None:
    if isinstance(part, Text):
        out.append(TextDelta(part.text, index))
    elif isinstance(part, Reasoning):
        if part.text or part.signature:
            out.append(
                ReasoningDelta(
                    part.text,
                    index,
                    signature=part.signature,
                    is_redacted=part.is_redacted,
                    origin=part.origin,
                )
            )
    elif isinstance(part, Refusal):
        out.append(RefusalDelta(part.text, index))
    elif not isinstance(part, ToolCall):
        out.append(PartDelta(part, index))
