"""One stream as Anthropic writes it.

Its grammar: `message_start`; blocks one after the other, each start, deltas, stop, counted from 0; one `message_delta`
with the stop reason and the usage; `message_stop`. A failure ends it with `error` instead.
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.dialects.anthropic_blocks import Block, answer_blocks, call_id_of, proof_for, written_citation
from app.dialects.anthropic_parts import OWN
from app.dialects.anthropic_reply import message_id, stop_reason_of
from app.dialects.anthropic_usage import write_usage
from app.dialects.wire import UNREADABLE, decode_any
from app.dialects.writing import Asked
from app.models.chat import ReplyError
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
    CitationDelta,
    Delta,
    Failed,
    Finish,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageDelta,
)
from app.models.usage import Usage

_ERROR_TYPES: Final = frozenset(
    [
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
        "rate_limit_error",
        "timeout_error",
        "overloaded_error",
        "api_error",
        "billing_error",
    ]
)
_CUT: Final = ReplyError("api_error", "The answer ended before it was complete.")
_BLOCKS: Final = (TextDelta, RefusalDelta, ReasoningDelta, CallBegin, CallDelta, CallEnd, PartDelta, CitationDelta)
_START_ONLY: Final = ("cache_creation", "service_tier", "inference_geo")
_PING: Final = b'event: ping\ndata: {"type":"ping"}\n\n'
_DELTA: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":'
_to_json: Final = msgspec.json.Encoder().encode


class MessageEvents:
    """Writes one stream. Calls whose pieces come mixed are told one after the other, and what follows them waits."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._out: list[bytes] = []
        self._begin: Begin | None = None
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._error: ReplyError | None = None
        self._open: _Open | None = None
        self._n_blocks = 0
        self._n_calls = 0
        self._is_new_text = False
        self._waiting: list[Delta] = []
        """What came while a call was open that it does not belong to."""

    def write(self, deltas: Sequence[Delta]) -> bytes:
        """Return the events for these deltas."""
        for delta in deltas:
            if isinstance(delta, _BLOCKS):
                if delta.choice == 0:
                    self._start(deltas)
                    self._take(delta)
            elif isinstance(delta, Begin):
                self._start(deltas, delta)
            elif isinstance(delta, UsageDelta):
                self._usage = delta.usage
            elif isinstance(delta, Finish):
                if delta.choice == 0:
                    self._start(deltas)
                    self._finish = delta
                    self._drain()
            elif isinstance(delta, Failed):
                self._error = self._error or delta.error
        return self._written()

    def close(self, *, is_complete: bool) -> bytes:
        """Return what ends the stream."""
        finish = self._finish
        failed = self._error
        if failed is None and finish is not None and finish.reason == "error":
            failed = ReplyError("api_error", f"The provider could not answer ({finish.native or 'error'}).")
        if failed is None and not is_complete:
            failed = _CUT
        if failed is not None:
            self._tell_error(failed)
            return self._written()
        self._start(())
        self._drain()
        self._tell_end(finish)
        return self._written()

    def ping(self) -> bytes:
        """Return an event that says nothing; clients take it at any moment."""
        return _PING

    def _start(self, deltas: Sequence[Delta], begin: Begin | None = None) -> None:
        """Tell the start, with the usage as far as it is known in what came together."""
        if self._begin is not None:
            return
        self._begin = begin = begin or next((delta for delta in deltas if isinstance(delta, Begin)), Begin())
        extras: dict[str, Any] = dict(begin.extras or {}) if begin.dialect == OWN else {}
        usage = self._usage or next((delta.usage for delta in deltas if isinstance(delta, UsageDelta)), None)
        message: dict[str, Any] = {
            "id": message_id(self._asked),
            "type": "message",
            "role": "assistant",
            "model": self._asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(usage, extras.pop("usage", None), is_start=True),
        }
        self._tell("message_start", {"message": {**extras, **message}})

    def _take(self, delta: Delta) -> None:
        """Tell one piece, or keep it while the open call may still grow."""
        opened = self._open
        if isinstance(opened, _OpenCall):
            if isinstance(delta, CallDelta) and delta.place == opened.place:
                self._argue(opened, delta.arguments)
                return
            if isinstance(delta, CallEnd) and delta.place == opened.place:
                self._stop()
                self._resume()
                return
            if self._waiting or not opened.is_whole():
                self._waiting.append(delta)
                return
        if isinstance(delta, TextDelta):
            self._say(delta.text, is_new=delta.is_new)
        elif isinstance(delta, ReasoningDelta):
            self._think(delta)
        elif isinstance(delta, CallBegin):
            self._begin_call(delta)
        elif isinstance(delta, RefusalDelta):
            self._say(delta.text, is_new=False)
        elif isinstance(delta, CitationDelta):
            self._cite(delta)
        elif isinstance(delta, PartDelta):
            for block in answer_blocks((delta.part,), self._asked.reply_id, is_own=self._is_own()):
                self._stop()
                self._start_block(_Open("part"), block)
                self._stop()

    def _resume(self) -> None:
        """Tell what waited for the end of a call."""
        waiting, self._waiting = self._waiting, []
        for delta in waiting:
            self._take(delta)

    def _drain(self) -> None:
        """Tell everything that waits: no call grows any more."""
        self._stop()
        while self._waiting:
            self._resume()
            self._stop()

    def _say(self, text: str, *, is_new: bool) -> None:
        self._is_new_text = self._is_new_text or is_new
        if text:
            opened = self._text()
            self._out.append(_DELTA % (opened.index, b"text_delta", b"text") + _to_json(text) + b"}}\n\n")

    def _text(self) -> "_Open":
        """Return the open text, a new one where there is none."""
        opened = self._open
        if opened is None or opened.kind != "text" or self._is_new_text:
            self._stop()
            opened = self._start_block(_Open("text"), {"type": "text", "text": ""})
            self._is_new_text = False
        return opened

    def _cite(self, delta: CitationDelta) -> None:
        citation = {"type": "citations_delta", "citation": written_citation(delta.citation)}
        self._tell("content_block_delta", {"index": self._text().index, "delta": citation})

    def _think(self, delta: ReasoningDelta) -> None:
        opened = self._open
        if delta.is_redacted:
            self._stop()
            data = proof_for(delta.signature, delta.origin, self._dialect())
            self._start_block(_Open("redacted"), {"type": "redacted_thinking", "data": data})
            self._stop()
            return
        if not isinstance(opened, _OpenThought) or delta.is_new or (opened.proof and delta.text):
            self._stop()
            opened = _OpenThought()
            self._start_block(opened, {"type": "thinking", "thinking": "", "signature": ""})
        if delta.text:
            self._out.append(_DELTA % (opened.index, b"thinking_delta", b"thinking") + _to_json(delta.text) + b"}}\n\n")
        opened.proof += delta.signature or ""
        opened.origin = delta.origin or opened.origin

    def _begin_call(self, begin: CallBegin) -> None:
        if begin.signature and not begin.is_server_side:  # a call has no place for a proof: the thought before it has
            has_proof = isinstance(self._open, _OpenThought) and bool(self._open.proof)
            self._think(ReasoningDelta("", is_new=has_proof, signature=begin.signature, origin=begin.origin))
        self._stop()
        place, self._n_calls = self._n_calls, self._n_calls + 1
        block: Block = {
            "type": "server_tool_use" if begin.is_server_side else "tool_use",
            "id": call_id_of(begin.id, self._asked.reply_id, place),
            "name": begin.name,
            "input": {},
            **((begin.extras or {}) if self._is_own() else {}),
        }
        opened = _OpenCall(begin)
        if begin.is_server_side and not self._is_own():
            self._open = opened  # another provider ran it: not told
            return
        self._start_block(opened, block)

    def _argue(self, opened: "_OpenCall", arguments: str) -> None:
        opened.arguments.append(arguments)
        if arguments and opened.is_told and not opened.is_custom:
            self._tell_arguments(opened, arguments)

    def _tell_arguments(self, opened: "_OpenCall", arguments: str) -> None:
        head = _DELTA % (opened.index, b"input_json_delta", b"partial_json")
        self._out.append(head + _to_json(arguments) + b"}}\n\n")

    def _start_block(self, opened: "_Open", block: Block) -> "_Open":
        opened.index = self._n_blocks
        opened.is_told = True
        self._n_blocks += 1
        self._open = opened
        self._tell("content_block_start", {"index": opened.index, "content_block": block})
        return opened

    def _stop(self) -> None:
        """End the open block; the proof of a thought comes whole, right before its end."""
        opened, self._open = self._open, None
        if opened is None or not opened.is_told:
            return
        if isinstance(opened, _OpenThought):
            proof = proof_for(opened.proof or None, opened.origin, self._dialect())
            if proof:
                delta = {"type": "signature_delta", "signature": proof}
                self._tell("content_block_delta", {"index": opened.index, "delta": delta})
        elif isinstance(opened, _OpenCall) and opened.is_custom:
            wrapped = _to_json({"input": "".join(opened.arguments)}).decode()
            self._tell_arguments(opened, wrapped)
        self._tell("content_block_stop", {"index": opened.index})

    def _tell_end(self, finish: Finish | None) -> None:
        is_own = self._is_own()
        extras: dict[str, Any] = dict(finish.extras or {}) if finish is not None and is_own else {}
        begun: Any = (self._begin.extras or {}).get("usage") if self._begin is not None and is_own else None
        usage = write_usage(self._usage, {**(begun or {}), **extras.pop("usage", {})})
        for name in _START_ONLY:
            usage.pop(name, None)
        around = {name: extras.pop(name) for name in ("context_management",) if name in extras}
        if finish is None:
            reason = "tool_use" if self._n_calls else "end_turn"
        else:
            reason = stop_reason_of(finish.reason, finish.native if is_own else None, finish.stop_sequence)
        met = finish.stop_sequence if finish is not None else None
        delta = {"stop_reason": reason, "stop_sequence": met, **extras}
        self._tell("message_delta", {"delta": delta, "usage": usage, **around})
        self._tell("message_stop", {})

    def _tell_error(self, error: ReplyError) -> None:
        kind = error.type if error.type in _ERROR_TYPES else "api_error"
        self._tell("error", {"error": {"type": kind, "message": error.message}})

    def _tell(self, kind: str, fields: dict[str, Any]) -> None:
        self._out.append(b"event: %s\ndata: %s\n\n" % (kind.encode(), _to_json({"type": kind, **fields})))

    def _is_own(self) -> bool:
        return self._begin is not None and self._begin.dialect == OWN

    def _dialect(self) -> str:
        return self._begin.dialect if self._begin is not None else ""

    def _written(self) -> bytes:
        written = b"".join(self._out)
        self._out.clear()
        return written


class _Open:
    """The block that is being told."""

    __slots__ = ("index", "is_told", "kind")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.index = -1
        self.is_told = False


class _OpenThought(_Open):
    """A thought and its proof as far as it came."""

    __slots__ = ("origin", "proof")

    def __init__(self) -> None:
        super().__init__("thinking")
        self.proof = ""
        self.origin: str | None = None


class _OpenCall(_Open):
    """A call and its arguments so far."""

    __slots__ = ("arguments", "is_custom", "place")

    def __init__(self, begin: CallBegin) -> None:
        super().__init__("call")
        self.place = begin.place
        self.is_custom = begin.is_custom
        self.arguments: list[str] = []

    def is_whole(self) -> bool:
        """Whether nothing can follow: the arguments are a JSON object."""
        last = next((piece for piece in reversed(self.arguments) if piece), "")
        if not last.rstrip().endswith("}"):
            return False
        try:
            decode_any("".join(self.arguments).encode("utf-8", "replace"))
        except UNREADABLE:
            return False
        return True
