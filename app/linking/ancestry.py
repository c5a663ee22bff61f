"""Finding the call that a request continues: by what it states, by its history, by its tools, by its tail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.linking.entries import Entries, Entry, the_one
from app.linking.spine import Spine, hashed, rolled
from app.linking.stated import StatedIds
from app.linking.turn import Tool, Turn, agent_span_id, tool_span_id
from app.models.call import CallRecord, ChainEntry, Digest
from app.models.span import Link, LinkMethod

_MOST_RECALLS: Final = 4
_MOST_UNKNOWN: Final = 20_000
_TELLING_CHARS: Final = 60
"""A tail that says less than this (as canonical bytes) is shared by too many conversations."""
_RANDOM_CHARS: Final = 16
"""An id of this length was drawn by chance: whoever sends it back continues the call, even as another agent."""


@dataclass(frozen=True, slots=True)
class Found:
    """The call that comes before, and how we know."""

    entry: Entry
    entered_from: int
    """The first element of the request that is new."""
    link: Link
    is_whole: bool = True
    """The request holds the whole conversation; False: only what came after the call before."""


class Ancestry:
    """What earlier calls left to be recognised by."""

    def __init__(self, recall: Callable[[int], ChainEntry | None]) -> None:
        self._ask_store = recall
        self._unknown: set[int] = set()
        self._entries = Entries()

    def find(self, record: CallRecord, ids: StatedIds, spine: Spine) -> Found | None:
        """Return the call that `record` continues, None where there is none or several fit equally."""
        if ids.previous_response_id or ids.conversation:
            return self._by_stated_id(record, ids, spine)
        newest: list[int] = []
        for place in spine.answers():
            newest.append(place)
            candidates = self._entries.at(spine.hashes[place])
            if candidates:
                entry = the_one(candidates, record.start_ns, ids.session, record.requested_model)
                return _chained(entry, place) if entry else None
        for place in newest[:_MOST_RECALLS]:
            recalled = self._recall(spine.hashes[place])
            if recalled is not None:
                entry = _entry(recalled, record, spine.system, spine.hashes[place])
                self._entries.add(entry.hash, entry)
                return _chained(entry, place)
        return self._by_tool_ids(record, ids, spine, newest) or self._by_tail(record, ids, spine, newest)

    def remember(
        self, record: CallRecord, digest: Digest, ids: StatedIds, entry: Entry, asked: bytes, answered: bytes
    ) -> tuple[int, ...]:
        """Take a finished call in; return the hashes besides its own by which the store should know it.

        `asked` and `answered` stand for its last request element and its answer.
        """
        self._entries.add(entry.hash, entry)
        self._unknown.discard(entry.hash)
        also: list[int] = []
        if digest.response_id:
            also.append(hashed("response", record.client, digest.response_id))
        if ids.conversation:
            also.append(hashed("conversation", record.client, ids.conversation))
        for key in also:
            self._entries.add(key, entry)
            self._unknown.discard(key)
        for tool in entry.tools:
            if tool.call_id:
                self._entries.add(hashed("tool", record.client, tool.call_id), entry)
        self._entries.add(_tail_key(record, asked, answered), entry)
        return tuple(also)

    def _recall(self, known_by: int) -> ChainEntry | None:
        """Ask the store, once for what it does not know: a call that comes later is remembered here."""
        if known_by in self._unknown:
            return None
        entry = self._ask_store(known_by)
        if entry is None:
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown.add(known_by)
        return entry

    def _by_stated_id(self, record: CallRecord, ids: StatedIds, spine: Spine) -> Found | None:
        name, value = ("response", ids.previous_response_id) if ids.previous_response_id else ("conversation", None)
        key = hashed(name, record.client, value or ids.conversation or "")
        known = self._entries.at(key)
        entry = max(known, key=lambda it: it.end_ns) if known else None
        if entry is None and (recalled := self._recall(key)) is not None:
            entry = _entry(recalled, record, spine.system, key)
        if entry is None:
            return None
        evidence = "previous_response_id names it." if value else "It is the last call of the same conversation."
        resent = 1 if spine.system and spine.system == entry.turn.system else 0
        return Found(entry, resent, Link(LinkMethod.STATED, 1.0, evidence), is_whole=False)

    def _by_tool_ids(self, record: CallRecord, ids: StatedIds, spine: Spine, answers: list[int]) -> Found | None:
        """The history or the system prompt was rewritten, but its newest results answer calls of one answer only."""
        start = answers[0] if answers else 0
        result_ids = [call_id for element in spine.elements[start:] for call_id in element.result_ids if call_id]
        if not result_ids:
            return None
        fitting: list[Entry] | None = None
        for call_id in result_ids:
            known = self._entries.at(hashed("tool", record.client, call_id))
            fitting = known if fitting is None else [entry for entry in fitting if entry in known]
        is_random = min(map(len, result_ids)) >= _RANDOM_CHARS
        fresh = [
            entry
            for entry in fitting or ()
            if not entry.is_continued and (is_random or entry.turn.system == spine.system)
        ]
        entry = the_one(fresh, record.start_ns, ids.session, record.requested_model)
        if entry is None:
            return None
        link = Link(LinkMethod.TOOL_CALL_ID, 0.9, "Its history was rewritten, but it answers that call's tools by id.")
        return Found(entry, start, link)

    def _by_tail(self, record: CallRecord, ids: StatedIds, spine: Spine, answers: list[int]) -> Found | None:
        """The history was cut or rewritten, but the last exchange stands as it was."""
        if not answers or answers[0] < 2:
            return None
        place = answers[0]
        asked, answered = spine.elements[place - 2], spine.elements[place - 1]
        if asked.chars + answered.chars < _TELLING_CHARS:
            return None
        known = self._entries.at(_tail_key(record, asked.identity, answered.identity))
        fresh = [entry for entry in known if not entry.is_continued and entry.turn.system == spine.system]
        entry = the_one(fresh, record.start_ns, ids.session, record.requested_model)
        if entry is None:
            return None
        return Found(entry, place, Link(LinkMethod.EDITED, 0.8, "Its history was rewritten; its last exchange stands."))


def _chained(entry: Entry, place: int) -> Found:
    return Found(entry, place, Link(LinkMethod.CHAIN, 1.0, f"Its first {place} messages are that call and its answer."))


def _tail_key(record: CallRecord, asked: bytes, answered: bytes) -> int:
    return rolled(rolled(hashed("tail", record.client, record.dialect), asked), answered)


def _entry(recalled: ChainEntry, record: CallRecord, system: bytes, key: int) -> Entry:
    """Return the entry of a call that memory no longer has, with its turn as far as the store tells it."""
    agent = agent_span_id(recalled.trace_id, None)
    has_agent = recalled.root_span_id == agent
    turn = Turn(
        trace_id=recalled.trace_id,
        first_span_id=recalled.span_id,
        client=record.client,
        session=recalled.session,
        trace_name=recalled.trace_name,
        name=recalled.trace_name,
        system=system,
        start_ns=recalled.start_ns if recalled.root_start_ns is None else recalled.root_start_ns,
        agent_span_id=agent if has_agent else None,
        is_stated=not has_agent and recalled.root_span_id != recalled.span_id,
        last_ns=recalled.end_ns,
    )
    tools = tuple(
        Tool(
            tool_span_id(recalled.trace_id, recalled.span_id, number), call_id, name, arguments, recalled.end_ns, False
        )
        for number, (call_id, name, arguments) in enumerate(recalled.tool_calls)
    )
    return Entry(
        span_id=recalled.span_id,
        thread_span_id=recalled.thread_span_id,
        turn=turn,
        session=recalled.session,
        is_session_stated=recalled.session is not None and not recalled.session.startswith("s-"),
        end_ns=recalled.end_ns,
        n_messages=recalled.n_messages,
        model=None,
        hash=key,
        tools=tools,
    )
