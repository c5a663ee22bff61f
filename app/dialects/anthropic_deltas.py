"""One Anthropic stream read piece by piece.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Callable
from typing import Any, Final

from app.dialects.anthropic_parts import OWN, arguments_of, citation_of, part_of, proof_of, rest_of
from app.dialects.anthropic_usage import usage_of, usage_rest
from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.openai_usage import merge
from app.dialects.sse import Event, SseParser
from app.dialects.wire import UNREADABLE, decode_any, fields, text_or_none, word
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
    PartDelta,
    ReasoningDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Extras

_OF_START: Final = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage")
_CALLS: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_CONNECTED: Final = ("id", "name", "input", "cache_control")


class AnthropicDeltas:
    """Reads one stream. Events of unknown types say nothing; those that cannot be read are `Skipped`."""

    def __init__(self) -> None:
        self._events = SseParser()
        self._usage: Any = None
        self._blocks: dict[int, _Block] = {}
        self._n_calls = 0
        self._has_calls = False
        self._first_reason: str | None = None
        self._is_finished = False
        self._has_failed = False

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""
        out: list[Delta] = []
        for event in self._events.feed(data):
            self._read(event, out)
        return out

    def close(self) -> list[Delta]:
        """Return what was still open when the bytes ended."""
        out: list[Delta] = []
        for event in self._events.close():
            self._read(event, out)
        for block in self._blocks.values():
            block.cut(out)
        self._blocks.clear()
        return out

    def _read(self, event: Event, out: list[Delta]) -> None:
        try:
            said = decode_any(event.data)
        except UNREADABLE:
            out.append(Skipped())
            return
        if not isinstance(said, dict):
            out.append(Skipped())
            return
        kind = said.get("type")
        if kind == "content_block_delta":
            delta = said.get("delta")
            if isinstance(delta, dict):
                self._block(said.get("index"), out, delta).add(delta, out)
        elif isinstance(kind, str) and (known := _KNOWN.get(kind)) is not None:
            known(self, said, out)
        if said.get("error") and not self._has_failed:
            self._has_failed = True
            error = error_of({"error": said["error"]}, 500)
            if error is not None:
                out.append(Failed(error))

    def _start(self, said: dict[str, Any], out: list[Delta]) -> None:
        message = fields(said.get("message"))
        usage = message.get("usage")
        rest = rest_of(message, _OF_START) or {}
        if more := usage_rest(usage):
            rest["usage"] = more
        out.append(Begin(text_or_none(message.get("id")), text_or_none(message.get("model")), None, rest or None, OWN))
        self._first_reason = word(message.get("stop_reason"))
        self._count(usage, out)

    def _open(self, said: dict[str, Any], out: list[Delta]) -> None:
        self._begin(self._place(said.get("index")), dict(fields(said.get("content_block"))), out)

    def _stop(self, said: dict[str, Any], out: list[Delta]) -> None:
        place = self._place(said.get("index"), is_new=False)
        block = self._blocks.pop(place, None)
        if block is not None:
            block.close(out)

    def _change(self, said: dict[str, Any], out: list[Delta]) -> None:
        delta = fields(said.get("delta"))
        rest = rest_of(delta, ("stop_reason", "stop_sequence")) or {}
        rest |= rest_of(said, ("type", "delta", "usage", "error")) or {}
        if more := usage_rest(said.get("usage")):
            rest["usage"] = more
        native = word(delta.get("stop_reason"))
        if native is not None:
            self._finish(native, text_or_none(delta.get("stop_sequence")), rest or None, out)
        self._count(said.get("usage"), out)

    def _end(self, said: dict[str, Any], out: list[Delta]) -> None:
        if self._first_reason is not None:
            self._finish(self._first_reason, None, None, out)
        out.append(End())

    def _finish(self, native: str, met: str | None, extras: Extras, out: list[Delta]) -> None:
        if self._is_finished:
            return
        self._is_finished = True
        for block in self._blocks.values():
            block.close(out)
        self._blocks.clear()
        reason = finish_of(native, has_calls=self._has_calls)
        assert reason is not None
        out.append(Finish(reason, native, 0, met, extras))

    def _count(self, usage: object, out: list[Delta]) -> None:
        if not isinstance(usage, dict):
            return
        self._usage = merge(self._usage, usage)
        found = usage_of(self._usage)
        if found is not None:
            out.append(UsageDelta(found))

    def _place(self, index: object, *, is_new: bool = True) -> int:
        if isinstance(index, int):
            return index
        return max(self._blocks, default=-1) + is_new

    def _block(self, index: object, out: list[Delta], delta: dict[str, Any]) -> "_Block":
        place = index if isinstance(index, int) else self._place(index, is_new=not self._blocks)
        found = self._blocks.get(place)
        if found is not None:
            return found
        return self._begin(place, {"type": _TYPE_OF.get(delta.get("type") or "", "text")}, out)

    def _begin(self, place: int, head: dict[str, Any], out: list[Delta]) -> "_Block":
        before = self._blocks.pop(place, None)
        if before is not None:
            before.close(out)
        kind = head.get("type")
        block: _Block
        if kind == "text":
            block = _TextBlock(head, out)
        elif kind == "thinking":
            block = _ThinkingBlock(head, out)
        elif kind in _CALLS:
            block = _CallBlock(head, self._n_calls, out)
            self._n_calls += 1
            self._has_calls = self._has_calls or kind == "tool_use"
        else:
            block = _OtherBlock(head)
        self._blocks[place] = block
        return block


_KNOWN: Final[dict[str, Callable[[AnthropicDeltas, dict[str, Any], list[Delta]], None]]] = {
    "message_start": AnthropicDeltas._start,
    "content_block_start": AnthropicDeltas._open,
    "content_block_stop": AnthropicDeltas._stop,
    "message_delta": AnthropicDeltas._change,
    "message_stop": AnthropicDeltas._end,
}
_TYPE_OF: Final = {"thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use"}
"""What a block is whose start was lost, by its first delta."""


class _Block:
    """A content block whose deltas still come."""

    def add(self, delta: dict[str, Any], out: list[Delta]) -> None:
        """Take one delta."""

    def close(self, out: list[Delta]) -> None:
        """Take the block's end."""

    def cut(self, out: list[Delta]) -> None:
        """Take the end of the bytes in the middle of the block."""


class _TextBlock(_Block):
    """A text; it begins with its first word or citation, so that an empty one is none."""

    def __init__(self, head: dict[str, Any], out: list[Delta]) -> None:
        self._rest = rest_of(head, ("type", "text", "citations")) if len(head) > 2 else None
        self._is_new = True
        if text := text_or_none(head.get("text")):
            self._say(text, out)
        for citation in head.get("citations") or () if isinstance(head.get("citations"), list) else ():
            self._cite(citation, out)

    def add(self, delta: dict[str, Any], out: list[Delta]) -> None:
        """Take a piece of text or a citation."""
        text = delta.get("text")
        if isinstance(text, str):
            if self._is_new:
                if text:
                    self._say(text, out)
            else:
                out.append(TextDelta(text))
        elif delta.get("type") == "citations_delta":
            self._cite(delta.get("citation"), out)

    def _say(self, text: str, out: list[Delta]) -> None:
        out.append(TextDelta(text, 0, True, None, self._rest))
        self._is_new = False

    def _cite(self, citation: object, out: list[Delta]) -> None:
        if isinstance(citation, dict):
            if self._is_new:
                self._say("", out)
            out.append(CitationDelta(citation_of(citation)))


class _ThinkingBlock(_Block):
    """A thought; its proof comes after its words, or alone where the words are not shown."""

    def __init__(self, head: dict[str, Any], out: list[Delta]) -> None:
        rest = rest_of(head, ("type", "thinking", "signature")) if len(head) > 3 else None
        proof, origin = proof_of(head.get("signature"))
        self._proof: list[str] = []
        out.append(ReasoningDelta(text_or_none(head.get("thinking")) or "", 0, True, proof, False, origin, rest))

    def add(self, delta: dict[str, Any], out: list[Delta]) -> None:
        """Take a piece of thought or of its proof."""
        text = delta.get("thinking")
        if isinstance(text, str):
            if text:
                out.append(ReasoningDelta(text))
        elif isinstance(delta.get("signature"), str):
            self._proof.append(delta["signature"])

    def close(self, out: list[Delta]) -> None:
        """Tell the proof."""
        proof, origin = proof_of("".join(self._proof))
        if proof is not None:
            out.append(ReasoningDelta("", signature=proof, origin=origin))

    def cut(self, out: list[Delta]) -> None:
        """Tell the proof as far as it came."""
        self.close(out)


class _CallBlock(_Block):
    """A tool call; without arguments it gets an empty object."""

    def __init__(self, head: dict[str, Any], place: int, out: list[Delta]) -> None:
        self._place = place
        self._given = head.get("input")
        self._has_arguments = False
        kind = head.get("type")
        rest = rest_of(head, (*_CONNECTED, *(() if kind == "mcp_tool_use" else ("type",))))
        name = word(head.get("name")) or ""
        out.append(CallBegin(place, word(head.get("id")), name, 0, kind != "tool_use", extras=rest))

    def add(self, delta: dict[str, Any], out: list[Delta]) -> None:
        """Take a piece of the arguments."""
        piece = delta.get("partial_json")
        if isinstance(piece, str) and piece:
            self._has_arguments = True
            out.append(CallDelta(self._place, piece))

    def close(self, out: list[Delta]) -> None:
        """Tell the arguments that came whole, and the end."""
        if not self._has_arguments:
            out.append(CallDelta(self._place, arguments_of(self._given)))
        out.append(CallEnd(self._place))

    def cut(self, out: list[Delta]) -> None:
        """Tell the arguments that came whole."""
        if not self._has_arguments and self._given:
            out.append(CallDelta(self._place, arguments_of(self._given)))


class _OtherBlock(_Block):
    """Everything else comes whole, or grows field by field."""

    def __init__(self, head: dict[str, Any]) -> None:
        self._block = head

    def add(self, delta: dict[str, Any], out: list[Delta]) -> None:
        """Let the block grow by whatever a delta says."""
        for name, value in delta.items():
            if name == "type" or value is None:
                continue
            before = self._block.get(name)
            self._block[name] = before + value if isinstance(before, str) and isinstance(value, str) else value

    def close(self, out: list[Delta]) -> None:
        """Tell the block."""
        for part in part_of(self._block):
            if self._block.get("type") == "redacted_thinking":
                proof, origin = proof_of(self._block.get("data"))
                out.append(ReasoningDelta("", 0, True, proof, True, origin))
            else:
                out.append(PartDelta(part))

    def cut(self, out: list[Delta]) -> None:
        """Tell the block as far as it came."""
        self.close(out)
