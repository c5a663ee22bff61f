"""A stream of OpenAI's responses folded into the answer it tells.

The last event repeats the whole response; where it does not come, or comes without output, the items count as they
were built.
"""

import dataclasses
from typing import Any, Final

import msgspec

from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.openai_responses_items import Item, parts_of
from app.dialects.openai_usage import merge, usage_of
from app.dialects.sse import Event
from app.dialects.wire import UNREADABLE, decode, entries, fields, text_or_none, word
from app.models.chat import Choice, Reply, ReplyError
from app.models.message import Message
from app.models.usage import Usage

_ENDS: Final = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done")


class Whole(msgspec.Struct, gc=False):
    """A response; events that begin or end a stream carry one."""

    id: Any = None
    model: Any = None
    status: Any = None
    output: Any = None
    incomplete_details: Any = None
    error: Any = None
    usage: Any = None
    service_tier: Any = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    output_index: Any = None
    delta: Any = None
    item: Any = None
    response: Whole | None = None
    arguments: Any = None
    input: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_event: Final = msgspec.json.Decoder(_Event)
_DELTAS: Final = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "thought",
    "response.reasoning_summary_text.delta": "summary",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "arguments",
    "response.mcp_call_arguments.delta": "arguments",
    "response.code_interpreter_call_code.delta": "code",
}
_KINDS: Final = {"text": "message", "refusal": "message", "thought": "reasoning", "summary": "reasoning"}


class ResponseFold:
    """Takes events one by one; `reply` may be asked at any time."""

    def __init__(self) -> None:
        self._response = Whole()
        self._items: dict[int, _OpenItem] = {}
        self._usage: Any = None
        self._error: ReplyError | None = None
        self._is_done = False
        self._skipped = 0

    def add(self, event: Event) -> None:
        """Take one event; what cannot be read is counted and passed over."""
        try:
            read = decode(_event, event.data)
        except UNREADABLE:
            self._skipped += event.data != b"[DONE]"
            return
        grown = _DELTAS.get(read.type) if isinstance(read.type, str) else None
        if grown is not None:
            if isinstance(read.delta, str):
                self._item(read.output_index).pieces.setdefault(grown, []).append(read.delta)
        elif read.response is not None:
            self._response = read.response
            self._usage = merge(self._usage, read.response.usage)
            self._is_done = self._is_done or read.type in _ENDS
        elif isinstance(read.item, dict):
            item = self._item(read.output_index)
            item.item = read.item
            item.is_done = read.type == "response.output_item.done"
        elif isinstance(arguments := read.input if read.arguments is None else read.arguments, str):
            self._item(read.output_index).pieces["arguments"] = [arguments]
        elif read.type == "error" or read.error:
            said = read.error or {"message": read.message, "code": read.code}
            self._error = self._error or error_of({"error": said}, 200)

    def reply(self) -> Reply:
        """Return the answer so far."""
        response = self._response
        output = entries(response.output) or [self._items[index].close() for index in sorted(self._items)]
        whole = Whole(
            response.id,
            response.model,
            response.status if self._is_done else None,
            output,
            response.incomplete_details,
            response.error,
            self._usage,
            response.service_tier,
        )
        return reply_of(whole, self._error, is_complete=self._is_done, skipped_events=self._skipped)

    def _item(self, index: object) -> "_OpenItem":
        place = index if isinstance(index, int) else max(self._items, default=0)
        found = self._items.get(place)
        if found is None:
            found = self._items[place] = _OpenItem()
        return found


class _OpenItem:
    """An output item that is still written."""

    __slots__ = ("is_done", "item", "pieces")

    def __init__(self) -> None:
        self.item: Item = {}
        self.pieces: dict[str, list[str]] = {}
        self.is_done = False

    def close(self) -> Item:
        """Return the item as it stands in a whole response."""
        grown = {name: "".join(pieces) for name, pieces in self.pieces.items()}
        if self.is_done or not grown:
            return self.item
        kind = self.item.get("type") or next((_KINDS[name] for name in grown if name in _KINDS), "function_call")
        item: Item = {**self.item, "type": kind}
        if kind == "message":
            item["content"] = [{"type": "output_text", "text": grown.get("text", "")}]
            if "refusal" in grown:
                item["content"].append({"type": "refusal", "refusal": grown["refusal"]})
        elif kind == "reasoning":
            item["content"] = [{"type": "reasoning_text", "text": grown["thought"]}] if "thought" in grown else []
            item["summary"] = [{"type": "summary_text", "text": grown["summary"]}] if "summary" in grown else []
        elif "code" in grown:
            item["code"] = grown["code"]
        else:
            item["input" if kind == "custom_tool_call" else "arguments"] = grown.get("arguments", "")
        return item


def reply_of(
    whole: Whole, error: ReplyError | None = None, *, is_complete: bool = True, skipped_events: int = 0
) -> Reply:
    """Return the reply of a response, whole or folded."""
    # A compaction repeats the user's messages among its output.
    items = [item for item in entries(whole.output) if item.get("role", "assistant") == "assistant"]
    message = Message("assistant", tuple(part for item in items for part in parts_of(item)))
    has_calls = any(not call.is_server_side for call in message.tool_calls())
    native = word(fields(whole.incomplete_details).get("reason")) or word(whole.status)
    if native in ("in_progress", "queued"):
        native, has_calls = None, False
    if error is None and whole.error:
        error = error_of({"error": whole.error}, 200)
    choice = Choice(0, message, finish_of(native, has_calls=has_calls), native)
    return Reply(
        id=text_or_none(whole.id),
        model=text_or_none(whole.model),
        choices=(choice,) if items or native else (),
        usage=_with_searches(usage_of(whole.usage, whole.service_tier), items),
        error=error,
        is_complete=is_complete,
        skipped_events=skipped_events,
    )


def _with_searches(usage: Usage | None, items: list[Item]) -> Usage | None:
    """OpenAI bills web searches and leaves them out of its usage: they are counted in the output."""
    searches = sum(item.get("type") == "web_search_call" and item.get("status") != "failed" for item in items)
    if usage is None or not searches or usage.web_searches is not None:
        return usage
    return dataclasses.replace(usage, web_searches=searches)
