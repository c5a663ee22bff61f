"""Answers for clients of Gemini: whole ones, and streams as events or as one JSON array.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.dialects.fold import unfold
from app.dialects.gemini_deltas import FEEDBACK, USAGE
from app.dialects.gemini_grounding import grounding_of, logprobs_result
from app.dialects.gemini_parts import OWN
from app.dialects.gemini_usage import usage_metadata
from app.dialects.gemini_wire import Block, arguments_of, own_call, own_part, sealed, with_extras
from app.dialects.writing import Asked
from app.models.chat import FinishReason, Logprob, Reply, ReplyError
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
    RefusalDelta,
    TextDelta,
    UsageDelta,
)
from app.models.message import Citation, Extras, Media, Part, ToolCall
from app.models.usage import Usage

_FINISHES: Final[dict[FinishReason, str]] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "error": "OTHER",
    "pause": "OTHER",
    "other": "OTHER",
}
_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_CODES: Final = {
    "overloaded_error": 503,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "throttlingException": 429,
    "timeout_error": 504,
    "invalid_request_error": 400,
    "validationException": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    **{status: code for code, status in _STATUSES.items()},
}
"""Kinds of errors, of Google and of others, as HTTP status codes."""
_CUT: Final = ReplyError("UNAVAILABLE", "The provider's stream ended before its answer was whole.", "503")
_text: Final = msgspec.json.Encoder().encode


def write_answer(reply: Reply, asked: Asked) -> bytes:
    """Return a whole answer: what a stream says, in one chunk."""
    answer = _Answer(asked)
    parts: dict[int, list[Block]] = {choice.index: [] for choice in reply.choices}
    for delta in unfold(reply):
        for index, block in answer.take(delta):
            parts.setdefault(index, []).append(block)
    for index, block in answer.open_calls():
        parts.setdefault(index, []).append(block)
    return _text(answer.last_chunk(parts))


class AnswerDeltas:
    """Writes one stream. A call goes out whole, the reasons and the usage last."""

    def __init__(self, asked: Asked, *, is_array: bool = False) -> None:
        self._answer = _Answer(asked)
        self._is_array = is_array
        self._has_written = False
        self._is_done = False
        self._error: ReplyError | None = None
        self._tail = b""

    def write(self, deltas: Sequence[Delta]) -> bytes:
        """Return the chunks for these deltas."""
        if self._is_done:
            return b""
        out: list[bytes] = []
        answer = self._answer
        for delta in deltas:
            if isinstance(delta, Failed):
                self._error = self._error or delta.error
            elif isinstance(delta, End):
                if self._error is None:
                    out.append(self._finish())
                break
            elif type(delta) is TextDelta and not (delta.signature or delta.extras):
                if delta.text:
                    answer.note_text(delta)
                    out.append(self._chunk(delta.choice, b'{"text":' + _text(delta.text) + b"}"))
            else:
                out += [self._chunk(index, _text(block)) for index, block in answer.take(delta)]
        return b"".join(out)

    def close(self, *, is_complete: bool) -> bytes:
        """Return what ends the stream: reasons and usage, or an error."""
        out = b""
        if not self._is_done:
            if is_complete and self._error is None:
                out = self._finish()
            else:
                self._is_done = True
                out = self._framed(_text({"error": error_block(self._error or _CUT)}))
        if self._is_array:
            out += b"]" if self._has_written else b"[]"
            self._is_array = False
        return out

    def ping(self) -> bytes:
        """Return an empty line: Google's SDKs take a comment for broken JSON."""
        return b"\r\n"

    def _chunk(self, index: int, part: bytes) -> bytes:
        if not self._tail:
            self._tail = b"}]," + _text(self._answer.about())[1:]
        head = b'{"candidates":[{"content":{"parts":[' + part + b'],"role":"model"},"index":%d' % index
        return self._framed(head + self._tail)

    def _finish(self) -> bytes:
        self._is_done = True
        parts: dict[int, list[Block]] = {}
        for index, block in self._answer.open_calls():
            parts.setdefault(index, []).append(block)
        return self._framed(_text(self._answer.last_chunk(parts)))

    def _framed(self, chunk: bytes) -> bytes:
        is_first, self._has_written = not self._has_written, True
        if self._is_array:
            return (b"[" if is_first else b",\r\n") + chunk
        return b"data: " + chunk + b"\r\n\r\n"


def error_block(error: ReplyError) -> Block:
    """Return an error as Google writes one."""
    stated = int(error.code) if error.code is not None and error.code.isdecimal() and len(error.code) == 3 else None
    code = stated or _CODES.get(error.type or "") or _CODES.get(error.code or "") or 500
    return {"code": code, "message": error.message, "status": _STATUSES.get(code, "INTERNAL")}


class _Choice:
    """One answer, as far as it came."""

    __slots__ = ("calls", "citations", "finish", "has_parts", "logprobs", "said")

    def __init__(self) -> None:
        self.calls: dict[int, _Call] = {}
        """Those that are not yet sent, in the order they began."""
        self.said: list[str] = []
        self.citations: list[Citation] = []
        self.logprobs: list[Logprob] = []
        self.finish: Finish | None = None
        self.has_parts = False


class _Call:
    """A call whose arguments still come."""

    __slots__ = ("begin", "is_whole", "pieces")

    def __init__(self, begin: CallBegin) -> None:
        self.begin = begin
        self.pieces: list[str] = []
        self.is_whole = False


class _Answer:
    """What the answer is made of, whole or in pieces."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._begin = Begin()
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None

    @property
    def _is_own(self) -> bool:
        return self._begin.dialect == OWN

    def about(self) -> Block:
        """Return what every chunk says of the answer."""
        told: Block = {"modelVersion": self._asked.model, "responseId": self._asked.reply_id}
        if self._is_own and self._begin.extras:
            told |= {name: value for name, value in self._begin.extras.items() if name != FEEDBACK}
        return told

    def note_text(self, delta: TextDelta) -> None:
        """Keep a text's length for the places of citations."""
        choice = self._choice(delta.choice)
        choice.said.append(delta.text)
        choice.has_parts = True

    def take(self, delta: Delta) -> list[tuple[int, Block]]:
        """Return the parts that a delta completes, each with its answer's index."""
        if isinstance(delta, TextDelta):
            block = self._text_block(delta)
        elif isinstance(delta, ReasoningDelta):
            block = self._thought_block(delta)
        elif isinstance(delta, RefusalDelta):
            block = {"text": delta.text} if delta.text else {}
        elif isinstance(delta, PartDelta):
            block = self._part_block(delta.part)
        elif isinstance(delta, CallBegin | CallDelta | CallEnd):
            return self._call(delta)
        else:
            self._note(delta)
            return []
        if not block:
            return []
        self._choice(delta.choice).has_parts = True
        return [(delta.choice, block)]

    def open_calls(self) -> list[tuple[int, Block]]:
        """Return the calls whose end nobody told; they are whole, as the answer is."""
        found: list[tuple[int, Block]] = []
        for index, choice in self._choices.items():
            for call in choice.calls.values():
                call.is_whole = True
            found += self._whole_calls(index, choice)
        return found

    def last_chunk(self, parts: dict[int, list[Block]]) -> Block:
        """Return the chunk with the reasons and the usage; `parts` are those that still belong to it."""
        chunk: Block = {}
        feedback = (self._begin.extras or {}).get(FEEDBACK) if self._is_own else None
        if feedback is None or any(parts.values()) or any(choice.has_parts for choice in self._choices.values()):
            indices = sorted({*self._choices, *parts}) or [0]
            chunk["candidates"] = [self._candidate(index, parts.get(index, [])) for index in indices]
        if feedback is not None:
            chunk[FEEDBACK] = feedback
        usage = self._usage_block()
        if usage is not None:
            chunk[USAGE] = usage
        return {**chunk, **self.about()}

    def _choice(self, index: int) -> _Choice:
        found = self._choices.get(index)
        if found is None:
            found = self._choices[index] = _Choice()
        return found

    def _note(self, delta: Delta) -> None:
        if isinstance(delta, Begin):
            self._begin = delta
        elif isinstance(delta, UsageDelta):
            self._usage = delta.usage
        elif isinstance(delta, Finish):
            choice = self._choice(delta.choice)
            choice.finish = choice.finish or delta
        elif isinstance(delta, CitationDelta):
            self._choice(delta.choice).citations.append(delta.citation)
        elif isinstance(delta, LogprobsDelta):
            self._choice(delta.choice).logprobs += delta.logprobs

    def _text_block(self, delta: TextDelta) -> Block:
        if not delta.text and not self._is_own:
            return {}
        self._choice(delta.choice).said.append(delta.text)
        block: Block = {"text": delta.text}
        if delta.signature:
            block["thoughtSignature"] = delta.signature
        return with_extras(block, delta.extras) if self._is_own else block

    def _thought_block(self, delta: ReasoningDelta) -> Block:
        if not delta.text and not delta.signature:
            return {}
        # a proof alone has an empty text beside it, as Gemini's own: a part without any is unknown to clients
        block: Block = {"text": delta.text, "thought": True}
        if delta.signature:
            block["thoughtSignature"] = sealed(
                delta.signature, self._origin(delta.origin), is_redacted=delta.is_redacted
            )
        return with_extras(block, delta.extras) if self._is_own else block

    def _origin(self, origin: str | None) -> str:
        return origin or self._begin.dialect or "other"

    def _part_block(self, part: Part) -> Block:
        if self._is_own:
            return own_part(part)
        if isinstance(part, Media):
            return _media_block(part)
        return {}

    def _call(self, delta: CallBegin | CallDelta | CallEnd) -> list[tuple[int, Block]]:
        choice = self._choice(delta.choice)
        if isinstance(delta, CallBegin):
            choice.calls[delta.place] = _Call(delta)
            return []
        call = choice.calls.get(delta.place)
        if call is None:
            return []
        if isinstance(delta, CallDelta):
            call.pieces.append(delta.arguments)
            return []
        call.is_whole = True
        return self._whole_calls(delta.choice, choice)

    def _whole_calls(self, index: int, choice: _Choice) -> list[tuple[int, Block]]:
        """Return the calls that are whole, but none before another that began earlier."""
        found: list[tuple[int, Block]] = []
        for place, call in list(choice.calls.items()):
            if not call.is_whole:
                break
            del choice.calls[place]
            block = self._call_block(call)
            if block:
                choice.has_parts = True
                found.append((index, block))
        return found

    def _call_block(self, call: _Call) -> Block:
        begin, arguments = call.begin, "".join(call.pieces)
        if self._is_own:
            on_side = begin.is_server_side
            whole = ToolCall(begin.id, begin.name, arguments, on_side, signature=begin.signature, extras=begin.extras)
            return own_call(whole)
        if begin.is_server_side:
            return {}
        said: Block = {"name": begin.name, "args": arguments_of(arguments, is_custom=begin.is_custom)}
        block: Block = {"functionCall": said if begin.id is None else {"id": begin.id, **said}}
        if begin.signature:
            block["thoughtSignature"] = sealed(begin.signature, self._origin(begin.origin))
        return block

    def _candidate(self, index: int, parts: list[Block]) -> Block:
        choice = self._choice(index)
        finish = choice.finish
        candidate: Block = {"content": {"parts": parts, "role": "model"}}
        candidate["finishReason"] = self._reason(finish)
        candidate["index"] = index
        if self._is_own:
            extras: Extras = finish.extras if finish is not None else None
            return {**candidate, **{name: value for name, value in (extras or {}).items() if name != USAGE}}
        if choice.citations:
            candidate["groundingMetadata"] = grounding_of(choice.citations, "".join(choice.said))
        if choice.logprobs:
            candidate["logprobsResult"] = logprobs_result(tuple(choice.logprobs))
        return candidate

    def _reason(self, finish: Finish | None) -> str:
        if finish is None:
            return "STOP"
        if self._is_own and finish.native is not None:
            return finish.native
        return _FINISHES[finish.reason]

    def _usage_block(self) -> Any:
        """Return the usage, in the provider's own words where it is Google."""
        if self._is_own:
            for choice in self._choices.values():
                told = (choice.finish.extras or {}).get(USAGE) if choice.finish is not None else None
                if told is not None:
                    return told
        return None if self._usage is None else usage_metadata(self._usage)


def _media_block(media: Media) -> Block:
    if media.data is not None:
        kind = media.media_type or {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}.get(
            media.modality, "application/octet-stream"
        )
        return {"inlineData": {"mimeType": kind, "data": media.data}}
    if media.url is not None:
        return {"fileData": {"mimeType": media.media_type or "application/octet-stream", "fileUri": media.url}}
    return {"text": media.transcript} if media.transcript else {}
