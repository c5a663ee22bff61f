"""A stream of OpenAI's responses, piece by piece.

The same words come up to three times: in deltas, at the end of their item, and in the last event, which repeats the
whole response. What was told is not told again; what a server leaves out of one is taken from the next.
"""

from typing import Any, Final

import msgspec

from app.dialects.failures import error_of
from app.dialects.openai_responses_items import Item, citation_of
from app.dialects.openai_responses_open import OpenItems
from app.dialects.openai_responses_reply import answer_items, begin_of, ended, logprobs_of, used
from app.dialects.openai_usage import merge
from app.dialects.sse import Event, SseParser
from app.dialects.wire import UNREADABLE, decode, decode_any, entries
from app.models.chat import ReplyError
from app.models.delta import CitationDelta, Delta, End, Failed, Finish, LogprobsDelta, Skipped, UsageDelta

_ENDS: Final = {
    "response.completed": "completed",
    "response.done": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
_GOING_ON: Final = ("response.in_progress", "response.queued")
_GROWN: Final = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "thought",
    "response.reasoning_summary_text.delta": "summary",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "arguments",
}


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    logprobs: Any = None
    annotation: Any = None
    item: Any = None
    arguments: Any = None
    input: Any = None
    text: Any = None
    error: Any = None
    code: Any = None
    message: Any = None
    response: msgspec.Raw = msgspec.Raw()


_event: Final = msgspec.json.Decoder(_Event)


class ResponseDeltas:
    """Reads one stream, however its bytes are split."""

    def __init__(self) -> None:
        self._parser = SseParser()
        self._items = OpenItems()
        self._has_begun = False
        self._has_failed = False
        self._is_done = False
        self._usage: Any = None

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
        if not self._is_done:
            self._items.let_go(out)
        return out

    def _add(self, event: Event, out: list[Delta]) -> None:
        try:
            self._read(decode(_event, event.data), out)
        except UNREADABLE:
            if event.data.strip() != b"[DONE]":
                out.append(Skipped())

    def _read(self, read: _Event, out: list[Delta]) -> None:
        kind = read.type if isinstance(read.type, str) else ""
        what = _GROWN.get(kind)
        if what is not None:
            if isinstance(read.delta, str) and (read.delta or what != "arguments"):
                index = read.summary_index if what == "summary" else read.content_index
                self._items.grow(read.output_index, what, index, read.delta, out)
            if read.logprobs:
                self._items.note_logprobs(read.output_index, read.content_index)
                out.append(LogprobsDelta(logprobs_of(read.logprobs)))
        elif isinstance(read.item, dict):
            if kind == "response.output_item.done":
                self._items.end(read.output_index, read.item, out)
            else:
                self._items.begin(read.output_index, read.item, out)
        elif read.response:
            self._read_response(kind, bytes(read.response), out)
        elif isinstance(arguments := read.input if read.arguments is None else read.arguments, str):
            self._items.complete(read.output_index, "arguments", 0, arguments, out)
        elif kind == "response.output_text.done" and isinstance(read.text, str):
            self._items.complete(read.output_index, "text", read.content_index, read.text, out)
        elif isinstance(read.annotation, dict):
            self._items.note_citation(read.output_index, read.content_index)
            out.append(CitationDelta(citation_of(read.annotation)))
        elif kind == "error" or read.error:
            said = read.error or {"message": read.message, "code": read.code}
            self._fail(error_of({"error": said}, 200), out)

    def _read_response(self, kind: str, raw: bytes, out: list[Delta]) -> None:
        """Take an event that carries the response; those that only say it goes on need no reading."""
        if self._is_done or (self._has_begun and kind in _GOING_ON):
            return
        whole = decode_any(raw)
        if not isinstance(whole, dict):
            return
        output = entries(whole.get("output"))
        head = begin_of(whole)
        if not self._has_begun:
            self._has_begun = True
            out.append(head)
        self._usage = merge(self._usage, whole.get("usage"))
        if kind in _ENDS:
            if not whole.get("status"):
                whole["status"] = _ENDS[kind]
            self._end(whole, output, out)

    def _end(self, whole: Item, output: list[Item], out: list[Delta]) -> None:
        self._is_done = True
        items = answer_items(output)
        self._items.end_all(items, out)
        usage = used(self._usage, whole.get("service_tier"), items or self._items.searches())
        if usage is not None:
            out.append(UsageDelta(usage))
        reason, native = ended(whole, has_calls=self._items.has_calls)
        if reason is not None:
            out.append(Finish(reason, native, extras=whole))
        if whole.get("error"):
            self._fail(error_of({"error": whole["error"]}, 200), out)
        out.append(End())

    def _fail(self, error: ReplyError | None, out: list[Delta]) -> None:
        if not self._has_failed:
            self._has_failed = True
            out.append(Failed(error or ReplyError(None, "The provider failed and did not say why.")))
