"""Which calls belong together: from the wire alone, conversations become sessions, turns, agents and tools.

A call continues another when its messages begin with the other's messages and its answer. What a call states about
itself comes first, and what fits two places equally is left alone: a wrong link misleads, a missing one does not.
Runs in the writer's thread only.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from app.dialects.registry import reader_of
from app.digest import one_line
from app.linking.ancestry import Ancestry, Found
from app.linking.entries import Entry
from app.linking.nesting import Nest, OpenTools
from app.linking.reading import Reading, is_form, without_messages
from app.linking.spine import SpineMaker, hashed, identity_of, rolled
from app.linking.stated import StatedIds, stated_ids
from app.linking.turn import Tool, Turn, tool_span_id
from app.models.call import CallRecord, ChainEntry, Digest, Placement
from app.models.ids import new_trace_id
from app.models.message import Message
from app.models.span import Kind, Link, LinkMethod, SpanWrite, Status

_NAME_CHARS: Final = 80
_MOST_RUNNING: Final = 20_000
_SWEEP_NS: Final = 60_000_000_000


class _Begun(msgspec.Struct):
    """A call whose place is decided; its end may still be to come."""

    turn: Turn
    ids: StatedIds
    parent: int | None
    session: str | None
    thread_span_id: int
    links: tuple[Link, ...]
    entered_from: int = 0
    n_messages: int = 0
    hash: int = 0
    """The rolling hash of the conversation before the answer."""
    asked: bytes = b""
    """What stands for the newest element; empty where the request cannot be read."""
    spans: list[SpanWrite] = []
    """Not handed on yet."""
    moves: tuple[tuple[int, int], ...] = ()


class Stitcher:
    """Places calls, one after the other, as they begin or end."""

    def __init__(self, recall: Callable[[int], ChainEntry | None]) -> None:
        self._spines = SpineMaker()
        self._ancestry = Ancestry(recall)
        self._open_tools = OpenTools()
        self._running: OrderedDict[int, _Begun] = OrderedDict()
        self._swept_ns = 0

    def place(self, record: CallRecord, digest: Digest) -> Placement:
        """Return where a call belongs. A running call is placed when it begins, and stays there when it ends."""
        begun = self._running.pop(record.span_id, None) or self._begin(record, digest)
        hashes: tuple[int, ...] = (0,)
        if record.end_ns is not None:
            hashes = self._end(record, digest, begun, record.end_ns)
        else:
            self._running[record.span_id] = begun
            if len(self._running) > _MOST_RUNNING:
                self._running.popitem(last=False)
        turn = begun.turn
        agent = turn.agent_span()
        spans = (*begun.spans, *([agent] if agent else ()), *self._sweep(record.start_ns))
        placement = Placement(
            trace_id=turn.trace_id,
            parent_span_id=turn.parent_of_calls if turn.first_span_id == record.span_id else begun.parent,
            session=begun.session,
            thread_span_id=begun.thread_span_id,
            links=begun.links,
            entered_from=begun.entered_from,
            chain_hash=hashes[0],
            trace_name=turn.trace_name,
            spans=spans,
            moves=begun.moves,
            also_hashes=hashes[1:],
            n_messages=begun.n_messages,
        )
        begun.spans, begun.moves = [], ()
        return placement

    def settle(self, now_ns: int) -> list[SpanWrite]:
        """Return the spans, of any trace, that nothing will be heard of any more: tools that got no result."""
        return [span for turn in self._open_tools.idle_turns(now_ns) for span in turn.give_up()]

    def _begin(self, record: CallRecord, digest: Digest) -> _Begun:
        reader = reader_of(record.dialect) if digest.kind is Kind.LLM and digest.elements else None
        body = reader.stated(without_messages(record.request, digest.elements)) if reader else None
        ids = stated_ids(record.request_headers, body)
        if reader is None:
            begun = self._start(record, digest, ids, None, None)
        else:
            seed = hashed(record.client, record.dialect)
            read = Reading(reader, self._spines.spine(reader, digest.elements, seed))
            found = self._ancestry.find(record, ids, read.spine)
            same_turn = self._continue(record, ids, read, found) if found else None
            begun = same_turn or self._start(record, digest, ids, read, found)
            begun.n_messages = len(digest.elements)
            begun.hash = read.hash_after(found)
            begun.asked = read.spine.elements[-1].identity
            if found:
                found.entry.is_continued = True
                begun.entered_from = found.entered_from
        begun.turn.in_flight += 1
        return begun

    def _continue(self, record: CallRecord, ids: StatedIds, read: Reading, found: Found) -> _Begun | None:
        """Place a call in the turn of the one it continues; None where it begins a turn of its own."""
        entry, turn = found.entry, found.entry.turn
        is_elsewhere = ids.parent is not None and ids.parent.trace_id != turn.trace_id
        if is_elsewhere or read.is_new_turn(found.entered_from):
            return None
        moves = turn.raise_agent()
        spans = self._answer(record, read, found)
        if turn.session is None:
            turn.session = entry.session
        return _Begun(
            turn=turn,
            ids=ids,
            parent=ids.parent.span_id if ids.parent else turn.parent_of_calls,
            session=ids.session or turn.session,
            thread_span_id=entry.thread_span_id,
            links=(found.link,),
            spans=spans,
            moves=moves,
        )

    def _answer(self, record: CallRecord, read: Reading, found: Found) -> list[SpanWrite]:
        """Close the tools whose results a call brings; return them, if they have something to hang under."""
        entry, turn = found.entry, found.entry.turn
        if not entry.tools:
            return []
        spans = turn.answer_tools(entry.tools, read.results(found.entered_from), record.start_ns)
        for tool in entry.tools:
            if tool.is_answered:
                self._open_tools.ran(record.client, tool)
        self._open_tools.closed(turn)
        return spans if turn.agent_span_id is not None or turn.is_stated else []

    def _start(
        self, record: CallRecord, digest: Digest, ids: StatedIds, read: Reading | None, found: Found | None
    ) -> _Begun:
        """Place a call that begins a turn: of a session that goes on, inside a tool, or by itself."""
        spans: list[SpanWrite] = []
        if read and found and (spans := self._answer(record, read, found)):
            agent = found.entry.turn.agent_span()
            spans += [agent] if agent else []
        nest = self._nest(record, ids, read, found) if read else None
        turn = self._turn(record, digest, ids, read, nest)
        moves: tuple[tuple[int, int], ...] = ()
        if nest:
            moves = nest.turn.raise_agent()
            outer = nest.turn.agent_span()
            spans += [*nest.turn.running_tools(), *([outer] if outer else [])]
            turn.above = nest.tool.span_id if nest.tool else nest.turn.parent_of_calls
        elif read and not found and not ids.parent:
            self._open_tools.stood_alone(record.client, turn.system)
        turn.session = ids.session or (found.entry.session if found else nest.turn.session if nest else None)
        if turn.session is None and read:
            turn.session = f"s-{identity_of(turn.trace_id)[:6].hex()}"
        return _Begun(
            turn=turn,
            ids=ids,
            parent=turn.above,
            session=turn.session,
            thread_span_id=found.entry.thread_span_id if found else record.span_id,
            links=_why(ids, found, nest),
            spans=spans,
            moves=moves,
        )

    def _turn(
        self, record: CallRecord, digest: Digest, ids: StatedIds, read: Reading | None, nest: Nest | None
    ) -> Turn:
        """Return a turn that begins with this call, named for what the user says."""
        words = ""
        if read:
            words = digest.input_preview if read.ends_with_words() else read.newest_words()
        name = one_line(words, _NAME_CHARS) or digest.name
        return Turn(
            trace_id=ids.parent.trace_id if ids.parent else nest.turn.trace_id if nest else new_trace_id(),
            first_span_id=record.span_id,
            client=record.client,
            session=None,
            trace_name=nest.turn.trace_name if nest else name,
            name=name,
            system=read.spine.system if read else b"",
            start_ns=record.start_ns,
            above=ids.parent.span_id if ids.parent else None,
            is_stated=ids.parent is not None,
            last_ns=record.start_ns,
        )

    def _nest(self, record: CallRecord, ids: StatedIds, read: Reading, found: Found | None) -> Nest | None:
        """Return the tool a new turn works for. A turn of an agent that stands by itself works for none."""
        if ids.parent is not None or not self._open_tools.is_waiting(record.client):
            return None
        before = found.entry.turn if found else None
        if before is not None and (before.above is None or before.is_stated):
            return None
        words = read.newest_words()
        return self._open_tools.nest(record.client, read.spine.system, words, ids.session, record.start_ns)

    def _end(self, record: CallRecord, digest: Digest, begun: _Begun, end_ns: int) -> tuple[int, ...]:
        """Note what a finished call leaves behind; return the hashes by which the next one finds it, or 0."""
        turn = begun.turn
        turn.in_flight -= 1
        turn.last_ns = max(turn.last_ns, end_ns)
        turn.last_status = Status.OK if digest.status is Status.OK else Status.ERROR
        reader = reader_of(record.dialect)
        if reader is None or digest.answer is None or not begun.asked:
            return (0,)
        answered = identity_of(reader.canon_message(digest.answer))
        entry = Entry(
            span_id=record.span_id,
            thread_span_id=begun.thread_span_id,
            turn=turn,
            session=begun.session,
            is_session_stated=begun.ids.session is not None,
            end_ns=end_ns,
            n_messages=begun.n_messages,
            model=record.requested_model,
            hash=rolled(begun.hash, answered),
            tools=_tools(record, digest.answer, turn.trace_id, end_ns),
        )
        also = self._ancestry.remember(record, digest, begun.ids, entry, begun.asked, answered)
        if entry.tools and digest.status is Status.OK:
            turn.tools.update((tool.span_id, tool) for tool in entry.tools)
            self._open_tools.opened(turn)
            begun.spans += turn.running_tools()
        return (entry.hash, *also)

    def _sweep(self, now_ns: int) -> list[SpanWrite]:
        """Return the spans of turns that were left with their tools unanswered, looked for once a minute."""
        if now_ns - self._swept_ns < _SWEEP_NS:
            return []
        self._swept_ns = now_ns
        return self.settle(now_ns)


def _tools(record: CallRecord, answer: Message, trace_id: bytes, end_ns: int) -> tuple[Tool, ...]:
    """Return the tools an answer asks its client to run."""
    calls = [call for call in answer.tool_calls() if not call.is_server_side]
    if not calls:
        return ()
    looks_like_form = is_form(record.request)
    return tuple(
        Tool(
            span_id=tool_span_id(trace_id, record.span_id, number),
            call_id=call.id or "",
            name=call.name,
            arguments=call.arguments,
            start_ns=end_ns,
            is_form=looks_like_form,
        )
        for number, call in enumerate(calls)
    )


def _why(ids: StatedIds, found: Found | None, nest: Nest | None) -> tuple[Link, ...]:
    """Return the links of a call that begins a turn."""
    links = []
    if ids.parent:
        links.append(Link(LinkMethod.STATED, 1.0, "Its traceparent names the trace and the span above."))
    if ids.session:
        links.append(Link(LinkMethod.STATED, 1.0, f"{ids.said_by} names the session."))
    if found:
        links.append(found.link)
    if nest:
        links.append(Link(LinkMethod.OPEN_TOOL, nest.confidence, nest.evidence))
    return tuple(links) or _ALONE


_ALONE: Final = (Link(LinkMethod.ALONE, 1.0, "No earlier call fits it."),)
