"""Calls that can be continued, by what the next request would show of them. The store knows those memory lost."""

from collections import OrderedDict
from typing import Final

import msgspec

from app.linking.turn import Tool, Turn

_MOST_KEYS: Final = 20_000
_LEEWAY_NS: Final = 250_000_000
"""A client may have read the last byte, and asked again, before we noted the end."""
_STALE_NS: Final = 30_000_000_000
_STALER: Final = 20
"""One of two equal conversations is left for dead if it was idle so many times longer than the other."""


class Entry(msgspec.Struct, gc=False):
    """A finished call."""

    span_id: int
    thread_span_id: int
    turn: Turn
    session: str | None
    is_session_stated: bool
    end_ns: int
    n_messages: int
    model: str | None
    """What the client asked for; None: not known."""
    hash: int
    tools: tuple[Tool, ...]
    is_continued: bool = False


class Entries:
    """Finished calls by hash: of their conversation, their response id, their tool call ids, their tail."""

    def __init__(self) -> None:
        self._found: OrderedDict[int, list[Entry]] = OrderedDict()

    def add(self, key: int, entry: Entry) -> None:
        """Remember `entry` under `key`, besides others."""
        known = self._found.pop(key, None)
        if known is None:
            known = []
            if len(self._found) >= _MOST_KEYS:
                self._found.popitem(last=False)
        elif len(known) >= 64:
            del known[0]
        known.append(entry)
        self._found[key] = known

    def at(self, key: int) -> list[Entry]:
        """Return the calls under a hash."""
        return self._found.get(key, [])


def the_one(candidates: list[Entry], at_ns: int, session: str | None, model: str | None) -> Entry | None:
    """Return the call that a request begun at `at_ns` continues, None where several fit equally well.

    An answer must have been given before it can be sent back; a request that states another session is another
    conversation. Of several equal conversations the one with the same model is meant that nobody went on with, unless
    there are more; and going on a second time with another model is another conversation, too.
    """
    possible = [
        entry
        for entry in candidates
        if entry.end_ns <= at_ns + _LEEWAY_NS
        and (session is None or not entry.is_session_stated or entry.session == session)
        and (not entry.is_continued or entry.model is None or entry.model == model)
    ]
    if len(possible) < 2:
        return possible[0] if possible else None
    possible = [entry for entry in possible if entry.model == model] or possible
    possible = [entry for entry in possible if not entry.is_continued] or possible
    possible.sort(key=lambda entry: entry.end_ns)
    if len(possible) > 1:
        idle_ns, next_idle_ns = (max(at_ns - entry.end_ns, 1) for entry in possible[:-3:-1])
        if next_idle_ns < _STALE_NS or next_idle_ns < _STALER * idle_ns:
            return None
    return possible[-1]
