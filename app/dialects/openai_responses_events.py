"""A stream of OpenAI's responses, written.

Its grammar (https://platform.openai.com/docs/api-reference/responses-streaming): `response.created` and
`response.in_progress` once; every item from `output_item.added` to `output_item.done`, its content inside; the whole
response at the end. Texts and thoughts are written one after the other; calls may overlap, each has its own index.
"""

from collections.abc import Sequence
from typing import Final

from app.dialects.openai_responses_growing import GrowingCall, GrowingMessage, GrowingThought, Lines, add_whole
from app.dialects.openai_responses_items import DIALECT, ITEM, Item
from app.dialects.openai_responses_output import (
    CUT,
    OutputItems,
    ending,
    served_tier,
    skeleton,
    written_error,
    written_usage,
)
from app.dialects.openai_responses_reply import OUTPUT
from app.dialects.writing import Asked
from app.models.chat import Logprob, ReplyError
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
    CitationDelta,
    Delta,
    Failed,
    Finish,
    LogprobsDelta,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageDelta,
)
from app.models.message import Extras, Part, ToolCall
from app.models.usage import Usage

_PING: Final = b": ping\n\n"
_ERRED: Final = ReplyError(None, "The provider ended the answer with an error.")


class ResponseEvents:
    """Writes one stream. Of several answers only the first has a place in it."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._lines = Lines()
        self._items = OutputItems(asked, "")
        self._response: Item = {}
        """As it was begun; empty before."""
        self._done: dict[int, Item] = {}
        self._n_items = 0
        self._said: GrowingMessage | None = None
        self._thought: GrowingThought | None = None
        self._calls: dict[int, GrowingCall] = {}
        self._hosted: dict[int, tuple[ToolCall, list[str]]] = {}
        """Calls that the provider runs itself: they are told when they are whole."""
        self._waiting_logprobs: tuple[Logprob, ...] = ()
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._error: ReplyError | None = None
        self._is_closed = False

    def write(self, deltas: Sequence[Delta]) -> bytes:
        """Return the events for these deltas."""
        for place, delta in enumerate(deltas):
            if self._is_closed or self._error is not None:
                break
            if isinstance(delta, TextDelta):
                follows = deltas[place + 1] if place + 1 < len(deltas) else None
                self._say(delta, follows.logprobs if isinstance(follows, LogprobsDelta) else ())
            elif isinstance(delta, LogprobsDelta):
                if place == 0 or not isinstance(deltas[place - 1], TextDelta):
                    self._add_logprobs(delta)
            else:
                self._add(delta)
        return self._lines.take()

    def close(self, *, is_complete: bool) -> bytes:
        """Return what ends the stream: the whole response, completed, incomplete or failed."""
        if self._is_closed:
            return b""
        self._begin(Begin())
        self._is_closed = True
        finish = self._finish
        if self._error is None and not is_complete:
            self._error = CUT
        if self._error is None and finish is not None and finish.reason == "error":
            self._error = _ERRED
        failed = self._error
        status, details = ending(finish.reason if finish else None, has_failed=failed is not None)
        if failed is None:
            self._close_items("incomplete" if status == "incomplete" else "completed")
        self._end(status, details, failed)
        return self._lines.take()

    def ping(self) -> bytes:
        """Return a comment: it is no event, and may stand before the first one."""
        return _PING

    def _add(self, delta: Delta) -> None:
        if isinstance(delta, UsageDelta):
            self._usage = delta.usage
        elif isinstance(delta, Begin):
            self._begin(delta)
        elif isinstance(delta, Failed):
            self._error = delta.error
        elif getattr(delta, "choice", -1) == 0:
            self._begin(Begin())
            self._add_piece(delta)

    def _add_piece(self, delta: Delta) -> None:
        if isinstance(delta, ReasoningDelta):
            self._think(delta)
        elif isinstance(delta, CallDelta):
            self._grow_call(delta)
        elif isinstance(delta, CallBegin):
            self._begin_call(delta)
        elif isinstance(delta, CallEnd):
            self._end_call(delta.place, "completed")
        elif isinstance(delta, RefusalDelta):
            self._message(delta.extras, is_new=False).refuse(delta.text, delta.extras)
        elif isinstance(delta, CitationDelta):
            self._message(None, is_new=False).cite(delta.citation)
        elif isinstance(delta, PartDelta):
            self._add_part(delta.part)
        elif isinstance(delta, Finish):
            self._finish = delta

    def _begin(self, begin: Begin) -> None:
        if self._response:
            return
        self._items = OutputItems(self._asked, begin.dialect)
        is_own = begin.dialect == DIALECT
        self._response = skeleton(self._asked)
        if is_own and begin.extras:
            named = {name: self._response[name] for name in ("id", "object", "model", "created_at")}
            stated = {"id": begin.id, "created_at": begin.created_s}
            self._response = named | {name: value for name, value in stated.items() if value} | begin.extras
        begun = {**self._response, "status": "in_progress", "output": []}
        self._lines.add("response.created", {"response": begun})
        self._lines.add("response.in_progress", {"response": begun})

    def _end(self, status: str, details: Item | None, failed: ReplyError | None) -> None:
        opened: list[GrowingMessage | GrowingThought | GrowingCall | None]
        opened = [self._said, self._thought, *self._calls.values()]
        for growing in opened:
            if growing is not None:
                self._done[growing.index] = growing.whole()
        usage = self._usage
        response = {**self._response, "status": status, "incomplete_details": details}
        if tier := served_tier(usage):
            response["service_tier"] = tier
        response["usage"] = written_usage(usage)
        own = self._own_end()
        response |= own
        if OUTPUT not in own:
            response["output"] = [self._done[index] for index in sorted(self._done)]
        if failed is not None:
            response |= {"status": "failed", "error": written_error(failed)}
        self._lines.add(f"response.{response['status']}", {"response": response})

    def _own_end(self) -> Item:
        """Return the fields that the last event of the dialect's own stream had."""
        finish = self._finish
        return (finish.extras or {}) if finish is not None and self._items.is_own else {}

    def _say(self, delta: TextDelta, logprobs: tuple[Logprob, ...]) -> None:
        if delta.choice != 0:
            return
        if self._waiting_logprobs:
            logprobs, self._waiting_logprobs = self._waiting_logprobs + logprobs, ()
        if self._said is None or delta.is_new or self._thought is not None:
            self._begin(Begin())
            if self._said is None and not delta.text and not delta.is_new and not delta.signature:
                return
            self._message(delta.extras, is_new=delta.is_new)
        assert self._said is not None
        self._said.say(delta, logprobs)

    def _add_logprobs(self, delta: LogprobsDelta) -> None:
        if delta.choice != 0:
            return
        if self._said is None:
            self._waiting_logprobs += delta.logprobs
        else:
            self._said.say(TextDelta(""), delta.logprobs)

    def _message(self, extras: Extras, *, is_new: bool) -> GrowingMessage:
        """Return the open message, or a new one where none is open or the provider's own began another."""
        self._close_thought("completed")
        own = self._items.own_item(extras)
        if self._said is not None and own is not None and is_new:
            self._close_message("completed")
        if self._said is None:
            self._said = GrowingMessage(self._lines, self._items, self._next(), own)
        return self._said

    def _think(self, delta: ReasoningDelta) -> None:
        thought = self._thought
        if thought is not None and (delta.is_new or (thought.is_proven and delta.text)):
            self._close_thought("completed")
        if self._thought is None:
            if not (delta.text or delta.signature or (delta.extras and self._items.is_own)):
                return
            self._close_message("completed")
            self._thought = GrowingThought(self._lines, self._items, self._next(), delta)
        self._thought.think(delta)

    def _begin_call(self, begin: CallBegin) -> None:
        self._close_said()
        self._end_call(begin.place, "completed")
        if begin.is_server_side or (self._items.is_own and begin.extras and ITEM in begin.extras):
            call = ToolCall(begin.id, begin.name, "", begin.is_server_side, begin.is_custom, extras=begin.extras)
            self._hosted[begin.place] = (call, [])
            return
        proof = self._items.call_proof(begin.signature, begin.origin, self._n_items)
        if proof is not None:
            self._add_whole(proof)
        self._calls[begin.place] = GrowingCall(self._lines, self._items, self._next(), begin)

    def _grow_call(self, delta: CallDelta) -> None:
        call = self._calls.get(delta.place)
        if call is not None:
            call.grow(delta.arguments)
        elif (hosted := self._hosted.get(delta.place)) is not None:
            hosted[1].append(delta.arguments)

    def _end_call(self, place: int, status: str) -> None:
        call = self._calls.pop(place, None)
        if call is not None:
            self._done[call.index] = call.close(status)
        elif (hosted := self._hosted.pop(place, None)) is not None:
            head, pieces = hosted
            whole = ToolCall(head.id, head.name, "".join(pieces), head.is_server_side, extras=head.extras)
            self._add_part(whole)

    def _add_part(self, part: Part) -> None:
        for item in self._items.others(part, self._n_items):
            self._close_said()
            self._add_whole(item)

    def _add_whole(self, item: Item) -> None:
        index = self._next()
        self._done[index] = add_whole(self._lines, index, item)

    def _close_items(self, status: str) -> None:
        """End all that is open; only the last item of an incomplete answer was cut."""
        for place in [*self._hosted, *list(self._calls)[:-1]]:
            self._end_call(place, "completed")
        for place in list(self._calls):
            self._end_call(place, status)
        self._close_thought(status)
        self._close_message(status)

    def _close_said(self) -> None:
        self._close_thought("completed")
        self._close_message("completed")

    def _close_thought(self, status: str) -> None:
        if self._thought is not None:
            thought, self._thought = self._thought, None
            self._done[thought.index] = thought.close(status)

    def _close_message(self, status: str) -> None:
        if self._said is None:
            return
        said, self._said = self._said, None
        self._done[said.index] = said.close(status)
        proof = self._items.text_proof(said.proof, self._n_items)
        if proof is not None:
            self._add_whole(proof)

    def _next(self) -> int:
        self._n_items += 1
        return self._n_items - 1
