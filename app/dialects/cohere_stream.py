"""A Cohere v2 chat stream as deltas (https://docs.cohere.com/v2/docs/streaming)."""

from typing import Any, Final

import msgspec

from app.dialects.cohere_answer import NAME, failure_of, logprobs_of, reason_of, usage_of
from app.dialects.cohere_parts import PLAN, citation_of
from app.dialects.failures import error_of
from app.dialects.sse import Event, SseParser
from app.dialects.wire import UNREADABLE, decode, decode_any, entries, fields, json_text, text_or_none, word
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
    CitationDelta,
    Delta,
    End,
    Failed,
    Finish,
    LogprobsDelta,
    ReasoningDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)

_DONE: Final = b"[DONE]"


class _Message(msgspec.Struct, gc=False):
    content: Any = None
    tool_plan: Any = None
    tool_calls: Any = None
    citations: Any = None


class _Said(msgspec.Struct, gc=False):
    message: _Message | None = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    index: Any = None
    delta: _Said | None = None
    logprobs: Any = None


_event: Final = msgspec.json.Decoder(_Event)
_NOTHING: Final = _Message()


class CohereDeltas:
    """Reads one stream."""

    def __init__(self) -> None:
        self._sse = SseParser()
        self._has_begun = False
        self._is_over = False
        self._opens_text = self._opens_thought = False
        """The next piece begins another block."""
        self._has_plan = False
        self._places: dict[object, int] = {}
        """A call's index → its place."""

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""
        return self._read(self._sse.feed(data))

    def close(self) -> list[Delta]:
        """Return what was still open when the bytes ended."""
        return self._read(self._sse.close())

    def _read(self, events: list[Event]) -> list[Delta]:
        out: list[Delta] = []
        for event in events:
            if event.data == _DONE or self._is_over:
                continue
            try:
                self._add(decode(_event, event.data), event, out)
            except UNREADABLE:
                out.append(Skipped())
        return out

    def _add(self, event: _Event, raw: Event, out: list[Delta]) -> None:
        kind = event.type or raw.name.decode("ascii", "replace")
        message = (event.delta.message if event.delta else None) or _NOTHING
        if kind == "content-delta":
            self._add_content(message.content, out)
            if event.logprobs is not None and (logprobs := logprobs_of([event.logprobs])):
                out.append(LogprobsDelta(logprobs))
        elif kind == "tool-call-delta":
            self._add_arguments(event.index, fields(message.tool_calls), out)
        elif kind == "tool-plan-delta":
            if plan := text_or_none(message.tool_plan):
                out.append(TextDelta(plan) if self._has_plan else TextDelta(plan, is_new=True, extras=PLAN))
                self._has_plan = True
        elif kind == "content-start":
            self._opens_text = self._opens_thought = True
            self._add_content(message.content, out)
        elif kind == "citation-start":
            self._add_citations(message.citations, out)
        elif kind == "tool-call-start":
            self._begin_call(event.index, fields(message.tool_calls), out)
        elif kind == "tool-call-end":
            if event.index in self._places:
                out.append(CallEnd(self._places[event.index]))
        elif kind == "message-start":
            self._begin(event, out)
        elif kind == "message-end":
            self._end(event.delta or _Said(), out)
        elif not event.type:
            self._add_error(raw, out)

    def _begin(self, event: _Event, out: list[Delta]) -> None:
        if not self._has_begun:
            self._has_begun = True
            out.append(Begin(text_or_none(event.id), dialect=NAME))

    def _add_content(self, content: object, out: list[Delta]) -> None:
        if not isinstance(content, dict):
            return
        if text := text_or_none(content.get("text")):
            out.append(TextDelta(text, is_new=self._opens_text))
            self._opens_text = False
        elif thought := text_or_none(content.get("thinking")):
            is_new = self._opens_thought
            out.append(ReasoningDelta(thought, is_new=is_new, origin=NAME if is_new else None))
            self._opens_thought = False

    def _begin_call(self, index: Any, call: dict[str, Any], out: list[Delta]) -> None:
        place = self._places[index] = len(self._places)
        out.append(CallBegin(place, word(call.get("id")), word(fields(call.get("function")).get("name")) or ""))
        self._add_arguments(index, call, out)

    def _add_arguments(self, index: Any, call: dict[str, Any], out: list[Delta]) -> None:
        arguments = fields(call.get("function")).get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json_text(arguments)
        if arguments and index in self._places:
            out.append(CallDelta(self._places[index], arguments))

    def _add_citations(self, citations: object, out: list[Delta]) -> None:
        """Those of a plan or a thought have no place in the shared form: their texts cannot be cited."""
        for cited in entries([citations] if isinstance(citations, dict) else citations):
            if cited.get("type") in (None, "TEXT_CONTENT"):
                out.append(CitationDelta(citation_of(cited)))

    def _end(self, said: _Said, out: list[Delta]) -> None:
        self._is_over = True
        if (usage := usage_of(said.usage)) is not None:
            out.append(UsageDelta(usage))
        native = word(said.finish_reason)
        failure = failure_of(native, text_or_none(said.error))
        if failure is not None:
            out.append(Failed(failure))
            return
        reason = reason_of(native, has_calls=bool(self._places))
        out += [Finish(reason or "other", native), End()]

    def _add_error(self, raw: Event, out: list[Delta]) -> None:
        error = error_of(decode_any(raw.data), 400)
        if error is not None:
            self._is_over = True
            out.append(Failed(error))
