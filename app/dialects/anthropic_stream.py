"""An Anthropic stream folded into the message it tells, and the usage it adds up to."""

from typing import Any, Final

import msgspec

from app.dialects.anthropic_parts import part_of
from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.openai_usage import merge
from app.dialects.sse import Event
from app.dialects.wire import UNREADABLE, count, decode, entries, fields, text_or_none, word
from app.models.chat import Choice, Reply, ReplyError
from app.models.message import Message, Part, ToolCall
from app.models.usage import Usage


class Whole(msgspec.Struct, gc=False):
    """A whole answer; `message_start` carries the same, still empty."""

    id: Any = None
    model: Any = None
    content: Any = None
    stop_reason: Any = None
    usage: Any = None
    error: Any = None


class _Delta(msgspec.Struct, gc=False):
    type: Any = None
    text: Any = None
    partial_json: Any = None
    thinking: Any = None
    signature: Any = None
    content: Any = None
    encrypted_content: Any = None
    stop_reason: Any = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    index: Any = None
    message: Whole | None = None
    content_block: Any = None
    delta: _Delta | None = None
    usage: Any = None
    error: Any = None


_event: Final = msgspec.json.Decoder(_Event)
_GROWING: Final = ("text", "thinking", "signature", "content")


class MessageFold:
    """Takes events one by one; `reply` may be asked at any time."""

    def __init__(self) -> None:
        self._start = Whole()
        self._stop_reason: Any = None
        self._usage: Any = None
        self._error: ReplyError | None = None
        self._blocks: dict[int, _OpenBlock] = {}
        self._is_done = False
        self._skipped = 0

    def add(self, event: Event) -> None:
        """Take one event; what cannot be read is counted and passed over."""
        try:
            read = decode(_event, event.data)
        except UNREADABLE:
            self._skipped += 1
            return
        if read.type == "content_block_delta":
            if read.delta is not None:
                self._block(read.index).add(read.delta)
        elif read.type == "content_block_start":
            self._block(read.index).block.update(fields(read.content_block))
        elif read.type == "message_start":
            self._start = read.message or self._start
            self._usage = merge(self._usage, self._start.usage)
        elif read.type == "message_delta":
            self._usage = merge(self._usage, read.usage)
            if read.delta is not None:
                self._stop_reason = read.delta.stop_reason or self._stop_reason
        elif read.type == "message_stop":
            self._is_done = True
        if read.error:
            self._error = self._error or error_of({"error": read.error}, 200)

    def reply(self) -> Reply:
        """Return the answer so far."""
        parts = [part for index in sorted(self._blocks) for part in self._blocks[index].close()]
        native = word(self._stop_reason) or word(self._start.stop_reason)
        has_calls = any(isinstance(part, ToolCall) and not part.is_server_side for part in parts)
        has_begun = bool(self._start.id or parts or native)
        choice = Choice(0, Message("assistant", tuple(parts)), finish_of(native, has_calls=has_calls), native)
        return Reply(
            id=text_or_none(self._start.id),
            model=text_or_none(self._start.model),
            choices=(choice,) if has_begun else (),
            usage=usage_of(self._usage),
            error=self._error,
            is_complete=self._is_done,
            skipped_events=self._skipped,
        )

    def _block(self, index: object) -> "_OpenBlock":
        place = index if isinstance(index, int) else len(self._blocks)
        found = self._blocks.get(place)
        if found is None:
            found = self._blocks[place] = _OpenBlock()
        return found


class _OpenBlock:
    """A content block whose deltas still come."""

    __slots__ = ("block", "grown", "json")

    def __init__(self) -> None:
        self.block: dict[str, Any] = {}
        self.grown: dict[str, list[str]] = {}
        self.json: list[str] = []

    def add(self, delta: _Delta) -> None:
        """Take one delta of whatever type."""
        if isinstance(delta.partial_json, str):
            self.json.append(delta.partial_json)
            return
        for key in _GROWING:
            piece = getattr(delta, key)
            if isinstance(piece, str):
                self.grown.setdefault(key, []).append(piece)
        if delta.encrypted_content is not None:
            self.block["encrypted_content"] = delta.encrypted_content

    def close(self) -> list[Part]:
        """Return the block's parts as a whole answer would have them; arguments as they were streamed."""
        block = self.block
        for key, pieces in self.grown.items():
            before = block.get(key)
            block[key] = (before if isinstance(before, str) else "") + "".join(pieces)
        self.grown = {}
        if "type" not in block:
            block["type"] = "thinking" if "thinking" in block else "text"
        arguments = "".join(self.json)
        if arguments:
            block["input"] = arguments
        return part_of(block)


def usage_of(usage: object) -> Usage | None:
    """Return Anthropic's usage; its `input_tokens` leave out what was cached, ours do not.

    A compaction is billed and left out of the totals: it is added. What an advisor used is another model's.
    """
    if not isinstance(usage, dict) or not usage:
        return None
    steps = [usage, *(step for step in entries(usage.get("iterations")) if step.get("type") == "compaction")]
    sent = _sum(steps, "input_tokens")
    read = _sum(steps, "cache_read_input_tokens")
    written = _sum(steps, "cache_creation_input_tokens")
    lifetimes = [fields(step.get("cache_creation")) for step in steps]
    long_lived = _sum(lifetimes, "ephemeral_1h_input_tokens")
    if written is None and long_lived is not None:
        written = (_sum(lifetimes, "ephemeral_5m_input_tokens") or 0) + long_lived
    return Usage(
        input_tokens=None if sent is None else sent + (read or 0) + (written or 0),
        output_tokens=_sum(steps, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=long_lived,
        reasoning_tokens=count(fields(usage.get("output_tokens_details")).get("thinking_tokens")),
        web_searches=count(fields(usage.get("server_tool_use")).get("web_search_requests")),
        service_tier=word(usage.get("service_tier")),
    )


def _sum(steps: list[dict[str, Any]], name: str) -> int | None:
    found = [tokens for step in steps if (tokens := count(step.get(name))) is not None]
    return sum(found) if found else None
