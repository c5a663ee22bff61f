"""Deltas put together into the reply they tell, and a reply taken apart into deltas. The one fold for every dialect."""

from collections.abc import Iterable

import msgspec

from app.models.chat import Choice, Logprob, Reply, ReplyError
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
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Citation, Extras, Message, Part, Reasoning, Refusal, Text, ToolCall
from app.models.usage import Usage


class Fold:
    """Takes deltas; `reply` may be asked at any time."""

    def __init__(self) -> None:
        self._begin = Begin()
        self._usage: Usage | None = None
        self._error: ReplyError | None = None
        self._choices: dict[int, _OpenChoice] = {}
        self._skipped = 0
        self._has_ended = False

    def add(self, deltas: Iterable[Delta]) -> None:
        """Take what came."""
        for delta in deltas:
            if isinstance(delta, Begin):
                self._begin = delta
            elif isinstance(delta, UsageDelta):
                self._usage = delta.usage
            elif isinstance(delta, Failed):
                self._error = self._error or delta.error
            elif isinstance(delta, Skipped):
                self._skipped += 1
            elif isinstance(delta, End):
                self._has_ended = True
            else:
                self._choice(delta.choice).add(delta)

    def reply(self) -> Reply:
        """Return the answer so far; it is complete where the provider said it ended."""
        return Reply(
            id=self._begin.id,
            model=self._begin.model,
            choices=tuple(self._choices[index].close() for index in sorted(self._choices)),
            usage=self._usage,
            error=self._error,
            is_complete=self._has_ended,
            skipped_events=self._skipped,
            created_s=self._begin.created_s,
            extras=self._begin.extras,
            dialect=self._begin.dialect,
        )

    def _choice(self, index: int) -> "_OpenChoice":
        found = self._choices.get(index)
        if found is None:
            found = self._choices[index] = _OpenChoice(index)
        return found


def fold(deltas: Iterable[Delta]) -> Reply:
    """Return the reply that deltas tell."""
    folded = Fold()
    folded.add(deltas)
    return folded.reply()


def unfold(reply: Reply) -> list[Delta]:
    """Return a whole reply as the deltas of a stream that says the same."""
    deltas: list[Delta] = [Begin(reply.id, reply.model, reply.created_s, reply.extras, reply.dialect)]
    for choice in reply.choices:
        place = 0
        for part in choice.message.parts:
            deltas += _deltas_of(part, choice.index, place)
            place += isinstance(part, ToolCall)
        if choice.logprobs:
            deltas.append(LogprobsDelta(choice.logprobs, choice.index))
        if choice.finish_reason is not None:
            native, met = choice.native_finish_reason, choice.stop_sequence
            deltas.append(Finish(choice.finish_reason, native, choice.index, met, choice.extras))
    if reply.usage is not None:
        deltas.append(UsageDelta(reply.usage))
    if reply.error is not None:
        deltas.append(Failed(reply.error))
    elif reply.is_complete:
        deltas.append(End())
    return deltas


def _deltas_of(part: Part, choice: int, place: int) -> list[Delta]:
    if isinstance(part, Text):
        said = TextDelta(part.text, choice, True, part.signature, part.extras)
        return [said, *(CitationDelta(citation, choice) for citation in part.citations)]
    if isinstance(part, Reasoning):
        thought = ReasoningDelta(part.text, choice, True, part.signature, part.is_redacted, part.origin, part.extras)
        return [thought]
    if isinstance(part, Refusal):
        return [RefusalDelta(part.text, choice, part.extras)]
    if isinstance(part, ToolCall):
        begin = CallBegin(
            place,
            part.id,
            part.name,
            choice,
            part.is_server_side,
            part.is_custom,
            part.signature,
            part.origin,
            part.extras,
        )
        return [begin, CallDelta(place, part.arguments, choice), CallEnd(place, choice)]
    return [PartDelta(part, choice)]


class _OpenPart:
    """A text, a thought, a refusal or a call whose pieces still come."""

    __slots__ = ("citations", "head", "pieces")

    def __init__(self, head: Text | Reasoning | Refusal | ToolCall) -> None:
        self.head = head
        self.pieces: list[str] = []
        self.citations: list[Citation] = []

    def close(self) -> Part:
        """Return the part as far as it came."""
        said = "".join(self.pieces)
        head = self.head
        if isinstance(head, ToolCall):
            return msgspec.structs.replace(head, arguments=said)
        if isinstance(head, Text):
            return msgspec.structs.replace(head, text=said, citations=tuple(self.citations))
        return msgspec.structs.replace(head, text=said)


class _OpenChoice:
    """A choice whose parts still come."""

    __slots__ = ("calls", "finish", "index", "logprobs", "parts")

    def __init__(self, index: int) -> None:
        self.index = index
        self.parts: list[_OpenPart | Part] = []
        self.calls: dict[int, _OpenPart] = {}
        self.logprobs: list[Logprob] = []
        self.finish: Finish | None = None

    def add(self, delta: Delta) -> None:
        """Take one delta of this choice."""
        if isinstance(delta, TextDelta):
            self._add_text(delta)
        elif isinstance(delta, ReasoningDelta):
            self._add_thought(delta)
        elif isinstance(delta, CallDelta):
            if (call := self.calls.get(delta.place)) is not None:
                call.pieces.append(delta.arguments)
        elif isinstance(delta, CallBegin):
            self._begin_call(delta)
        elif isinstance(delta, RefusalDelta):
            refused = self._open(Refusal)
            refused.pieces.append(delta.text)
            if delta.extras:
                refused.head = msgspec.structs.replace(refused.head, extras=_merged(refused.head.extras, delta.extras))
        elif isinstance(delta, PartDelta):
            self.parts.append(delta.part)
        elif isinstance(delta, CitationDelta):
            self._open(Text).citations.append(delta.citation)
        elif isinstance(delta, LogprobsDelta):
            self.logprobs += delta.logprobs
        elif isinstance(delta, Finish):
            self.finish = delta
        else:
            assert isinstance(delta, CallEnd)

    def close(self) -> Choice:
        """Return the choice as far as it came."""
        parts = tuple(part.close() if isinstance(part, _OpenPart) else part for part in self.parts)
        finish = self.finish
        return Choice(
            self.index,
            Message("assistant", parts),
            finish.reason if finish else None,
            finish.native if finish else None,
            finish.stop_sequence if finish else None,
            tuple(self.logprobs) or None,
            finish.extras if finish else None,
        )

    def _open(self, kind: type[Text] | type[Refusal] | type[Reasoning], *, is_new: bool = False) -> _OpenPart:
        """Return the open part at the end if it is of this kind, else a new one."""
        last = self.parts[-1] if self.parts else None
        if not is_new and isinstance(last, _OpenPart) and isinstance(last.head, kind):
            return last
        opened = _OpenPart(kind(""))
        self.parts.append(opened)
        return opened

    def _add_text(self, delta: TextDelta) -> None:
        into = self._open(Text, is_new=delta.is_new)
        into.pieces.append(delta.text)
        if delta.signature or delta.extras:
            into.head = msgspec.structs.replace(
                into.head,
                signature=delta.signature or getattr(into.head, "signature", None),
                extras=_merged(into.head.extras, delta.extras),
            )

    def _add_thought(self, delta: ReasoningDelta) -> None:
        last = self.parts[-1] if self.parts else None
        ended = isinstance(last, _OpenPart) and isinstance(last.head, Reasoning) and last.head.signature is not None
        into = self._open(Reasoning, is_new=delta.is_new or (ended and bool(delta.text)))
        into.pieces.append(delta.text)
        head = into.head
        assert isinstance(head, Reasoning)
        if delta.signature or delta.is_redacted or delta.origin or delta.extras:
            into.head = Reasoning(
                "",
                (head.signature or "") + (delta.signature or "") or None,
                head.is_redacted or delta.is_redacted,
                delta.origin or head.origin,
                _merged(head.extras, delta.extras),
            )

    def _begin_call(self, begin: CallBegin) -> None:
        call = ToolCall(
            begin.id,
            begin.name,
            "",
            begin.is_server_side,
            begin.is_custom,
            begin.signature,
            begin.origin,
            extras=begin.extras,
        )
        self.calls[begin.place] = opened = _OpenPart(call)
        self.parts.append(opened)


def _merged(first: Extras, second: Extras) -> Extras:
    return {**first, **second} if first and second else second or first
