"""Gemini's answers as deltas: chunks of a stream, sent as events or as one JSON array.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

import re
from typing import Any, Final

from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.gemini_grounding import citations_of, logprobs_of, more_logprobs, names_sources
from app.dialects.gemini_parts import OWN, left_of, part_of, pick
from app.dialects.gemini_usage import usage_of
from app.dialects.openai_usage import merge
from app.dialects.sse import SseParser
from app.dialects.wire import UNREADABLE, decode_any, entries, fields, text_or_none, word
from app.models.chat import FinishReason
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
    PartDelta,
    ReasoningDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Extras, Part, Reasoning, Text, ToolCall

USAGE: Final = "usageMetadata"
FEEDBACK: Final = "promptFeedback"

_FINISHES: Final = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
"""What numbers mean in Gemini's API and Vertex alike; above these the two differ."""
_BLOCKED: Final = frozenset({6, 7, 8})
"""Whichever of the two it is, these are refusals."""
_TEXT_ONLY: Final = 1
_STRUCTURE: Final = re.compile(rb'["{}\\]')


class GenerateDeltas:
    """Reads one stream, whichever framing it has."""

    def __init__(self) -> None:
        self._chunks = ChunkDeltas()
        self._begun = b""
        self._frames: SseParser | None = None
        self._array: ArrayParser | None = None

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""
        if self._frames is None and self._array is None:
            data = self._begun = self._begun + data
            start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
            if not start:
                return []
            if start[:1] in (b"[", b"{"):
                self._array = ArrayParser()
            else:
                self._frames = SseParser()
            self._begun = b""
        out: list[Delta] = []
        if self._frames is not None:
            for event in self._frames.feed(data):
                self._read(event.data, out)
        elif self._array is not None:
            for raw in self._array.feed(data):
                self._read(raw, out)
        return out

    def close(self) -> list[Delta]:
        """Return what was still open, and the end where every answer had its reason."""
        out: list[Delta] = []
        if self._frames is not None:
            for event in self._frames.close():
                self._read(event.data, out)
        is_cut = self._array is not None and self._array.is_inside
        return out + self._chunks.close(is_cut=is_cut)

    def _read(self, data: bytes, out: list[Delta]) -> None:
        try:
            chunk = decode_any(data)
        except UNREADABLE:
            if data != b"[DONE]":
                out.append(Skipped())
            return
        try:
            self._chunks.add(chunk, out)
        except RecursionError:
            out.append(Skipped())


class ChunkDeltas:
    """Takes an answer's chunks one by one."""

    def __init__(self) -> None:
        self._has_begun = False
        self._usage: Any = None
        self._is_told = True
        """Whether the usage so far was told."""
        self._choices: dict[int, _Choice] = {}
        self._blocked: str | None = None
        self._has_failed = False

    def add(self, chunk: object, out: list[Delta]) -> None:
        """Take a chunk; what is no object is passed over."""
        if not isinstance(chunk, dict):
            out.append(Skipped())
            return
        if chunk.get("error"):
            self._fail(chunk, out)
            if len(chunk) == 1:
                return
        if not self._has_begun:
            self._begin(chunk, out)
        for candidate in entries(chunk.get("candidates")):
            self._candidate(candidate, out)
        if FEEDBACK in chunk or "prompt_feedback" in chunk:
            feedback = fields(pick(chunk, FEEDBACK, "prompt_feedback"))
            self._blocked = self._blocked or word(pick(feedback, "blockReason", "block_reason"))
        stated = pick(chunk, USAGE, "usage_metadata")
        if stated is not None:
            self._count(stated, out)

    def close(self, *, is_cut: bool) -> list[Delta]:
        """Return why each answer ended, and the end unless the bytes were cut or no reason was given."""
        out: list[Delta] = []
        if not self._is_told:
            self._tell_usage(out)
        told = self._usage
        has_ended = False
        for index in sorted(self._choices):
            finish = self._choices[index].finish(told, out)
            if finish is not None:
                out.append(finish)
                has_ended, told = True, None
        if self._blocked is not None and not self._choices:
            extras: Extras = None if told is None else {USAGE: told}
            out.append(Finish("content_filter", self._blocked, extras=extras))
            has_ended = True
        if has_ended and not is_cut and not self._has_failed:
            out.append(End())
        return out

    def _count(self, stated: Any, out: list[Delta]) -> None:
        """Take what was used so far, which every chunk says: told with the first, and at the end."""
        before = self._usage
        if before is None:
            self._usage = stated
            self._tell_usage(out)
            return
        is_more = isinstance(stated, dict) and isinstance(before, dict) and before.keys() <= stated.keys()
        is_more = is_more and 0 not in stated.values()
        self._usage = stated if is_more else merge(before, stated)
        self._is_told = False

    def _tell_usage(self, out: list[Delta]) -> None:
        self._is_told = True
        usage = usage_of(self._usage)
        if usage is not None:
            out.append(UsageDelta(usage))

    def _begin(self, chunk: dict[str, Any], out: list[Delta]) -> None:
        self._has_begun = True
        extras = left_of(chunk, "candidates", USAGE, "modelVersion", "responseId", "error")
        name = text_or_none(pick(chunk, "modelVersion", "model_version"))
        out.append(Begin(text_or_none(pick(chunk, "responseId", "response_id")), name, None, extras, OWN))

    def _fail(self, chunk: dict[str, Any], out: list[Delta]) -> None:
        error = error_of(chunk, 200)
        if error is not None and not self._has_failed:
            self._has_failed = True
            out.append(Failed(error))

    def _candidate(self, candidate: dict[str, Any], out: list[Delta]) -> None:
        place = candidate.get("index")
        index = place if type(place) is int else 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(index)
        content = candidate.get("content")
        if isinstance(content, dict):
            parts = content.get("parts")
            if isinstance(parts, list):
                choice.add_parts(parts, out)
            elif isinstance(parts, dict):
                choice.add_parts([parts], out)
        if len(candidate) > 1 + (place is not None):
            choice.add_details(candidate, out)


class _Choice:
    """One answer's parts, as far as they came."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._open: str | None = None
        """`text` or `thought`: what the next piece of its kind goes on with."""
        self._n_calls = 0
        self._has_calls = False
        self._text: list[str] = []
        self._reason: object = None
        self._details: dict[str, Any] = {}

    def add_parts(self, parts: list[Any], out: list[Delta]) -> None:
        """Take the parts of one chunk: the first may go on with what came before, two neighbours in it are two."""
        is_first = True
        for part in parts:
            if not isinstance(part, dict) or not part:
                continue
            text = part.get("text")
            if len(part) == _TEXT_ONLY and isinstance(text, str):
                self._say(text, is_first, out)
            else:
                self._add(part_of(part), is_first, out)
            is_first = False

    def add_details(self, candidate: dict[str, Any], out: list[Delta]) -> None:
        """Take what stands beside the content."""
        for name, value in (left_of(candidate, "content", "index") or {}).items():
            if name in ("finishReason", "finish_reason"):
                self._reason = value or self._reason
                continue
            if name in ("logprobsResult", "logprobs_result"):
                told = logprobs_of(value)
                if told:
                    out.append(LogprobsDelta(told, self._index))
                value = more_logprobs(self._details.get("logprobsResult"), value)
                name = "logprobsResult"
            if value or name not in self._details:
                self._details[name] = value

    def finish(self, usage: Any, out: list[Delta]) -> Finish | None:
        """Return why it ended, None where it was cut; its citations come before."""
        if self._reason is None:
            return None
        if names_sources(self._details):
            text = "".join(self._text)
            out += [CitationDelta(citation, self._index) for citation in citations_of(self._details, text)]
        reason, native = ending_of(self._reason, has_calls=self._has_calls)
        told = self._details if usage is None else {**self._details, USAGE: usage}
        return Finish(reason, native, self._index, extras=told or None)

    def _say(self, text: str, is_first: bool, out: list[Delta]) -> None:
        if not text:
            return
        is_new = not (is_first and self._open == "text")
        out.append(TextDelta(text, self._index, is_new))
        self._open = "text"
        self._text.append(text)

    def _add(self, part: Part, is_first: bool, out: list[Delta]) -> None:
        index = self._index
        if isinstance(part, Text):
            is_new = not (is_first and self._open == "text")
            if part.text or part.signature or part.extras:
                out.append(TextDelta(part.text, index, is_new, part.signature, part.extras))
                self._open = None if part.signature else "text"
                self._text.append(part.text)
        elif isinstance(part, Reasoning):
            is_new = not (is_first and self._open == "thought")
            out.append(
                ReasoningDelta(part.text, index, is_new, part.signature, part.is_redacted, part.origin, part.extras)
            )
            self._open = None if part.signature else "thought"
        else:
            self._open = None
            if isinstance(part, ToolCall):
                self._call(part, out)
            else:
                out.append(PartDelta(part, index))

    def _call(self, call: ToolCall, out: list[Delta]) -> None:
        place, index = self._n_calls, self._index
        self._n_calls += 1
        self._has_calls = self._has_calls or not call.is_server_side
        origin = call.origin if call.signature else None
        on_side = call.is_server_side
        out.append(CallBegin(place, call.id, call.name, index, on_side, False, call.signature, origin, call.extras))
        out.append(CallDelta(place, call.arguments, index))
        out.append(CallEnd(place, index))


class ArrayParser:
    """Cuts the objects of a JSON array (or one object alone) out of bytes, however they were split."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._depth = 0
        self._in_string = False
        self._is_escaped = False

    @property
    def is_inside(self) -> bool:
        """Whether an object has begun that is not whole."""
        return self._depth > 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the objects that these bytes complete."""
        found: list[bytes] = []
        start = 0
        escaped_at = 0 if self._is_escaped else -1
        self._is_escaped = False
        for match in _STRUCTURE.finditer(data):
            at = match.start()
            if at == escaped_at:
                continue
            char = data[at]
            if self._in_string:
                if char == 0x5C:
                    escaped_at = at + 1
                elif char == 0x22:
                    self._in_string = False
            elif char == 0x22:
                self._in_string = self._depth > 0
            elif char == 0x7B:
                if self._depth == 0:
                    start = at
                self._depth += 1
            elif char == 0x7D and self._depth:
                self._depth -= 1
                if self._depth == 0:
                    self._pieces.append(data[start : at + 1])
                    found.append(b"".join(self._pieces))
                    self._pieces = []
        self._is_escaped = escaped_at == len(data)
        if self._depth:
            self._pieces.append(data[start:])
        return found


def ending_of(stated: object, *, has_calls: bool) -> tuple[FinishReason, str]:
    """Return why an answer ended, in our word and in Google's; `$alt=json;enum-encoding=int` says it in numbers."""
    native = _FINISHES.get(stated, str(stated)) if isinstance(stated, int) else str(stated)
    if native.isdecimal():
        return ("content_filter" if int(native) in _BLOCKED else "error"), native
    return finish_of(native, has_calls=has_calls) or "other", native
