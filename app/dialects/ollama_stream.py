"""An Ollama stream as deltas: one JSON object a line, the last of them `done`.

`/api/generate` streams are read too: they say `response` where a chat has a message.
"""

from typing import Any, Final

import msgspec

from app.dialects.failures import error_of
from app.dialects.ollama_answer import logprobs_of, reason_of, seconds_of, usage_of
from app.dialects.ollama_parts import NAME, call_of
from app.dialects.wire import UNREADABLE, decode, decode_any, entries, text_or_none, word
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
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


class _Turn(msgspec.Struct, gc=False):
    content: Any = None
    thinking: Any = None
    tool_calls: Any = None


class _Line(msgspec.Struct, gc=False):
    model: Any = None
    created_at: Any = None
    message: _Turn | None = None
    response: Any = None
    thinking: Any = None
    done: Any = None
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    logprobs: Any = None
    error: Any = None


_line: Final = msgspec.json.Decoder(_Line)


class OllamaDeltas:
    """Reads one stream."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        """Pieces of a line whose end has not come."""
        self._has_begun = False
        self._is_over = False
        self._has_thought = False
        self._n_calls = 0

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""
        self._pending.append(data)
        if b"\n" not in data:
            return []
        *lines, rest = b"".join(self._pending).split(b"\n")
        self._pending = [rest] if rest else []
        return self._read(lines)

    def close(self) -> list[Delta]:
        """Return what was still open when the bytes ended."""
        rest = b"".join(self._pending)
        self._pending = []
        return self._read([rest])

    def _read(self, lines: list[bytes]) -> list[Delta]:
        out: list[Delta] = []
        for line in lines:
            line = line.strip()
            if not line or self._is_over:
                continue
            try:
                self._add(decode(_line, line), line, out)
            except UNREADABLE:
                out.append(Skipped())
        return out

    def _add(self, line: _Line, raw: bytes, out: list[Delta]) -> None:
        if line.error:
            self._is_over = True
            error = error_of(decode_any(raw), 500)
            out += [Failed(error)] if error is not None else [Skipped()]
            return
        if not self._has_begun:
            self._has_begun = True
            out.append(Begin(None, text_or_none(line.model), seconds_of(line.created_at), dialect=NAME))
        turn = line.message
        thought = turn.thinking if turn else line.thinking
        if thought and isinstance(thought, str):
            out.append(ReasoningDelta(thought, origin=None if self._has_thought else NAME))
            self._has_thought = True
        text = turn.content if turn else line.response
        if text and isinstance(text, str):
            out.append(TextDelta(text))
        if turn and turn.tool_calls:
            self._add_calls(turn.tool_calls, out)
        if line.logprobs and (logprobs := logprobs_of(line.logprobs)):
            out.append(LogprobsDelta(logprobs))
        if line.done is True:
            self._end(line, out)

    def _add_calls(self, calls: object, out: list[Delta]) -> None:
        for wire in entries(calls):
            call, place = call_of(wire), self._n_calls
            self._n_calls += 1
            out.append(CallBegin(place, call.id, call.name, extras=call.extras))
            out += [CallDelta(place, call.arguments or "{}"), CallEnd(place)]

    def _end(self, line: _Line, out: list[Delta]) -> None:
        self._is_over = True
        native = word(line.done_reason)
        reason = reason_of(native, is_done=True, has_calls=self._n_calls > 0)
        out.append(Finish(reason or "stop", native))
        if (usage := usage_of(line.prompt_eval_count, line.eval_count)) is not None:
            out.append(UsageDelta(usage))
        out.append(End())
