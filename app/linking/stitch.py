"""Which calls belong together: from the wire alone, conversations become sessions, turns, agents and tools.

A call continues another when its messages begin with the other's messages and its answer. What a call states about
itself comes first, and what fits two places equally is left alone: a wrong link misleads, a missing one does not.
Runs in the writer's thread only.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from app.dialects.dialect import DialectReader
from app.dialects.registry import reader_of
from app.digest import one_line
from app.errors import InputError
from app.linking.ancestry import Ancestry, Found
from app.linking.entries import Entry
from app.linking.nesting import Nest, OpenTools
from app.linking.spine import Spine, SpineMaker, hashed, identity_of, rolled
from app.linking.stated import StatedIds, stated_ids
from app.linking.turn import Tool, Turn, tool_span_id
from app.models.call import CallRecord, ChainEntry, Digest, Placement
from app.models.ids import new_trace_id
from app.models.message import Message, ToolResult
from app.models.span import Kind, Link, LinkMethod, SpanWrite, Status

_NAME_CHARS: Final = 80
_MOST_RUNNING: Final = 20_000
_SWEEP_NS: Final = 60_000_000_000
_TAIL_BYTES: Final = 32_768
_HEAD_BYTES: Final = 4096
_SCHEMA: Final = re.compile(rb'"(?:parameters|input_schema|parametersJsonSchema)"\s*:\s*\{')
_FREE_CHOICE: Final = re.compile(rb'"tool_choice"\s*:\s*(?:"auto"|"none"|null|\{\s*"type"\s*:\s*"(?:auto|none)")')


@dataclass(slots=True)
class _Begun:
    """A call whose place is decided; its end may still be to come."""

    placement: Placement
    turn: Turn
    thread_span_id: int
    hash: int
    ids: StatedIds
    system: bytes
    spans: list[SpanWrite] = field(default_factory=list)
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
        begun = self._running.pop(record.span_id, None)
        if begun is None:
            begun = self._begin(record, digest)
        if record.end_ns is None:
            self._running[record.span_id] = begun
            if len(self._running) > _MOST_RUNNING:
                self._running.popitem(last=False)
            hashes: tuple[int, ...] = (0,)
        else:
            hashes = self._end(record, digest, begun, record.end_ns)
        agent = begun.turn.agent_span()
        spans = [*begun.spans, *([agent] if agent else []), *self._sweep(record.start_ns)]
        parent = begun.placement.parent_span_id
        if begun.turn.first_span_id == record.span_id:
            parent = begun.turn.parent_of_calls
        placement = replace(
            begun.placement,
            parent_span_id=parent,
            chain_hash=hashes[0],
            also_hashes=hashes[1:],
            spans=tuple(spans),
            moves=begun.moves,
        )
        begun.spans, begun.moves = [], ()
        return placement

    def _begin(self, record: CallRecord, digest: Digest) -> _Begun:
        reader = reader_of(record.dialect)
        read, found = None, None
        if reader and digest.elements and digest.kind is Kind.LLM:
            ids = stated_ids(record.request_headers, reader.stated(record.request))
            seed = hashed(record.client, record.dialect)
            read = _Read(reader, self._spines.spine(reader, digest.elements, seed))
            found = self._ancestry.find(record, ids, read.spine)
        else:
            ids = stated_ids(record.request_headers, None)
        if read and found:
            begun = self._continue(record, digest, ids, read, found)
        else:
            begun = self._start(record, digest, ids, read, None)
        begun.turn.in_flight.add(record.span_id)
        return begun

    def _continue(self, record: CallRecord, digest: Digest, ids: StatedIds, read: "_Read", found: Found) -> _Begun:
        """Place a call after the one it continues: in its turn, or in a new turn of its session."""
        entry, turn = found.entry, found.entry.turn
        results = read.results(found.entered_from)
        spans = turn.answer_tools(entry.tools, results, record.start_ns)
        entry.is_continued = True
        for tool in entry.tools:
            if tool.is_answered:
                self._open_tools.ran(record.client, tool)
        self._open_tools.closed(turn)
        is_elsewhere = ids.parent is not None and ids.parent.trace_id != turn.trace_id
        if is_elsewhere or read.is_new_turn(found.entered_from):
            begun = self._start(record, digest, ids, read, found)
            if turn.agent_span_id is None and not turn.is_stated and spans:
                # One call whose tools were answered only now, by the next turn: they need something to hang under.
                spans = []
            agent = turn.agent_span() if spans else None
            begun.spans = [*spans, *([agent] if agent else []), *begun.spans]
            return begun
        moves = turn.raise_agent()
        if moves:
            spans = [replace(span, parent_span_id=turn.parent_of_calls) for span in spans]
        parent = ids.parent.span_id if ids.parent else turn.parent_of_calls
        placement = _placement(record, turn, parent, self._session(ids, entry, turn), found, read)
        hash_ = read.hash_after(found)
        return _Begun(placement, turn, entry.thread_span_id, hash_, ids, read.spine.system, spans, moves)

    def _start(
        self, record: CallRecord, digest: Digest, ids: StatedIds, read: "_Read | None", found: Found | None
    ) -> _Begun:
        """Place a call that begins a turn."""
        is_talk = digest.kind is Kind.LLM
        system = read.spine.system if read else b""
        words = read.newest_words() if read else ""
        nest = self._nest(record, ids, system, words, found) if is_talk and read else None
        trace_id = ids.parent.trace_id if ids.parent else nest.turn.trace_id if nest else new_trace_id()
        name = one_line(words, _NAME_CHARS) or digest.name
        turn = Turn(
            trace_id=trace_id,
            first_span_id=record.span_id,
            client=record.client,
            session=None,
            trace_name=nest.turn.trace_name if nest else name,
            name=name,
            system=system,
            start_ns=record.start_ns,
            is_stated=ids.parent is not None,
            last_ns=record.start_ns,
        )
        spans: list[SpanWrite] = []
        moves: tuple[tuple[int, int], ...] = ()
        if ids.parent:
            turn.above = ids.parent.span_id
        elif nest:
            moves = nest.turn.raise_agent()
            spans = nest.turn.running_tools()
            outer = nest.turn.agent_span()
            spans += [outer] if outer else []
            turn.above = nest.tool.span_id if nest.tool else nest.turn.parent_of_calls
        elif is_talk and found is None:
            self._open_tools.stood_alone(record.client, system)
        turn.session = ids.session or (found.entry.session if found else nest.turn.session if nest else None)
        if turn.session is None and is_talk:
            turn.session = f"s-{identity_of(trace_id)[:6].hex()}"
        placement = Placement(
            trace_id=trace_id,
            parent_span_id=turn.above,
            session=turn.session,
            thread_span_id=found.entry.thread_span_id if found else record.span_id,
            links=_why(ids, found, nest),
            entered_from=found.entered_from if found else 0,
            chain_hash=0,
            trace_name=turn.trace_name,
            n_messages=len(digest.elements),
        )
        hash_ = (read.hash_after(found) if found else read.spine.hashes[-1]) if read else 0
        return _Begun(placement, turn, placement.thread_span_id, hash_, ids, system, spans, moves)

    def _nest(self, record: CallRecord, ids: StatedIds, system: bytes, words: str, found: Found | None) -> Nest | None:
        """Return the tool a new turn works for. A turn of an agent that stands by itself works for none."""
        if ids.parent is not None:
            return None
        before = found.entry.turn if found else None
        if before is not None and (before.above is None or before.is_stated):
            return None
        return self._open_tools.nest(record.client, system, words, ids.session, record.start_ns)

    def _session(self, ids: StatedIds, entry: Entry, turn: Turn) -> str | None:
        if turn.session is None:
            turn.session = entry.session
        return ids.session or turn.session

    def _end(self, record: CallRecord, digest: Digest, begun: _Begun, end_ns: int) -> tuple[int, ...]:
        """Note what a finished call leaves behind; return the hashes by which the next one finds it, or 0."""
        turn = begun.turn
        turn.in_flight.discard(record.span_id)
        turn.last_ns = max(turn.last_ns, end_ns)
        turn.last_status = Status.OK if digest.status is Status.OK else Status.ERROR
        reader = reader_of(record.dialect)
        if reader is None or digest.answer is None or not digest.elements or digest.kind is not Kind.LLM:
            return (0,)
        after = rolled(begun.hash, identity_of(reader.canon_message(digest.answer)))
        tools = self._tools(record, digest, digest.answer, turn.trace_id, end_ns)
        entry = Entry(
            span_id=record.span_id,
            thread_span_id=begun.thread_span_id,
            turn=turn,
            session=begun.placement.session,
            is_session_stated=begun.ids.session is not None,
            end_ns=end_ns,
            n_messages=len(digest.elements),
            model=record.requested_model,
            hash=after,
            tools=tools,
        )
        also = self._ancestry.remember(record, digest, begun.ids, entry, reader)
        if tools and digest.status is Status.OK:
            turn.tools.update((tool.span_id, tool) for tool in tools)
            self._open_tools.opened(turn)
            begun.spans += turn.running_tools()
        return (after, *also)

    def _tools(
        self, record: CallRecord, digest: Digest, answer: Message, trace_id: bytes, end_ns: int
    ) -> tuple[Tool, ...]:
        calls = [call for call in answer.tool_calls() if not call.is_server_side]
        if not calls:
            return ()
        is_form = _is_form(record.request)
        return tuple(
            Tool(
                span_id=tool_span_id(trace_id, record.span_id, number),
                call_id=call.id or "",
                name=call.name,
                arguments=call.arguments,
                start_ns=end_ns,
                is_form=is_form,
            )
            for number, call in enumerate(calls)
        )

    def _sweep(self, now_ns: int) -> list[SpanWrite]:
        """Return the spans of turns that were left with their tools unanswered, looked for once a minute."""
        if now_ns - self._swept_ns < _SWEEP_NS:
            return []
        self._swept_ns = now_ns
        return self.settle(now_ns)

    def settle(self, now_ns: int) -> list[SpanWrite]:
        """Return the spans, of any trace, that nothing will be heard of any more: tools that got no result."""
        return [span for turn in self._open_tools.idle_turns(now_ns) for span in turn.give_up()]


@dataclass(frozen=True, slots=True)
class _Read:
    """A request that can be read: its spine, and its elements on demand."""

    reader: DialectReader
    spine: Spine

    def message(self, index: int) -> Message | None:
        try:
            return self.reader.read_element(self.spine.raw[index])
        except InputError:
            return None

    def results(self, start: int) -> list[ToolResult]:
        """Return the tool results in the elements from `start` on."""
        found: list[ToolResult] = []
        for index in range(start, len(self.spine.elements)):
            if self.spine.elements[index].is_result and (message := self.message(index)):
                found += message.tool_results()
        return found

    def is_new_turn(self, start: int) -> bool:
        """Return whether the user speaks in the elements from `start` on, after whatever tools had to say.

        Words in the same message as a result are a client's own; so is a picture that follows one.
        """
        new = self.spine.elements[start:]
        last_result = max((i for i, element in enumerate(new) if element.is_result), default=-1)
        spoken = [it for it in new[last_result + 1 :] if it.role == "user" and (it.has_text or it.has_media)]
        return any(not it.has_media for it in spoken) if last_result >= 0 else bool(spoken)

    def newest_words(self) -> str:
        """Return what the user said last."""
        for index in range(len(self.spine.elements) - 1, -1, -1):
            element = self.spine.elements[index]
            if element.role == "user" and element.has_text and not element.is_result:
                message = self.message(index)
                return message.text() if message else ""
        return ""

    def hash_after(self, found: Found) -> int:
        """Return the rolling hash of the whole conversation, with what a stated id stands for before the elements."""
        if found.is_whole:
            return self.spine.hashes[-1]
        after = found.entry.hash
        for element in self.spine.elements[found.entered_from :]:
            after = rolled(after, element.identity)
        return after


def _placement(
    record: CallRecord, turn: Turn, parent: int | None, session: str | None, found: Found, read: _Read
) -> Placement:
    return Placement(
        trace_id=turn.trace_id,
        parent_span_id=parent,
        session=session,
        thread_span_id=found.entry.thread_span_id,
        links=(found.link,),
        entered_from=found.entered_from,
        chain_hash=0,
        trace_name=turn.trace_name,
        n_messages=len(read.spine.elements),
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
    return tuple(links) or (Link(LinkMethod.ALONE, 1.0, "No earlier call fits it."),)


def _is_form(request: bytes) -> bool:
    """Return whether a request makes the model call a tool, or offers only one. Looks where the messages are not."""
    tail, head = request[-_TAIL_BYTES:], request[:_HEAD_BYTES]
    for part in (tail, head):
        if b'"tool_choice"' in part:
            if _FREE_CHOICE.search(part) is None:
                return True
        elif (b'"functionCallingConfig"' in part or b'"function_calling_config"' in part) and b'"ANY"' in part:
            return True
    rest = head if len(request) > _TAIL_BYTES else b""
    return len(_SCHEMA.findall(tail)) + len(_SCHEMA.findall(rest)) < 2
