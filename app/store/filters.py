"""A query as SQL: each term a condition on a row `t` of `trace`.

This is the whole meaning of the search language, and exact; `masks` says the same over columns, for the questions
that would make SQL read everything. Full text is answered by `search` first and comes in as trace ids.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.models.measure import Interval
from app.models.query import Alternative, Glob, Query, Term, Words
from app.models.span import Kind, Status

Hits = Mapping[Words, frozenset[int]]
"""The traces each full-text alternative of a query found."""

_CALLS: Final = "SELECT 1 FROM span s JOIN call c ON c.id = s.id WHERE s.trace = t.id AND "
_STRINGS: Final = "SELECT id FROM str WHERE s LIKE ? ESCAPE '\\'"
_DURATION: Final = f"CASE WHEN t.status = {Status.RUNNING:d} THEN NULL ELSE t.end_us - t.start_us END"
_TTFT: Final = "(SELECT c.ttft_us FROM call c WHERE c.id = t.first_call)"
_TOKENS: Final = "ifnull(t.tok_in + t.tok_out, ifnull(t.tok_in, t.tok_out))"
_KIND: Final = "EXISTS (SELECT 1 FROM span s WHERE s.trace = t.id AND s.kind = {:d})"
_HAS: Final = {
    "cost": "t.cost_nano IS NOT NULL",
    "error": "t.n_err > 0",
    "key": f"EXISTS ({_CALLS}c.key IS NOT NULL)",
    "session": "t.session IS NOT NULL",
    "tool": _KIND.format(Kind.TOOL),
    "ttft": f"{_TTFT} IS NOT NULL",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on `t` and the values it needs."""

    sql: str
    values: tuple[object, ...] = ()


def where(query: Query, hits: Hits) -> Condition:
    """Return the condition that a trace meets when it meets every term."""
    parts = [_term(term, hits) for term in query.terms]
    if not parts:
        return Condition("1")
    return Condition(" AND ".join(part.sql for part in parts), tuple(value for part in parts for value in part.values))


def like(glob: Glob) -> str:
    """Return the LIKE pattern (with backslash escapes) of a glob."""
    pieces = (piece.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for piece in glob.pieces)
    return "%".join(pieces)


def micros(interval: Interval) -> Interval:
    """Return the microseconds that lie in an interval of nanoseconds."""
    low, high = interval.low, interval.high
    return Interval(None if low is None else -(-low // 1000), None if high is None else high // 1000)


def _term(term: Term, hits: Hits) -> Condition:
    parts = [_alternative(term.field, alternative, hits) for alternative in term.alternatives]
    sql = " OR ".join(part.sql for part in parts)
    values = tuple(value for part in parts for value in part.values)
    return Condition(f"NOT ({sql})" if term.is_negated else f"({sql})", values)


def _alternative(field: str, alternative: Alternative, hits: Hits) -> Condition:
    if isinstance(alternative, Words):
        return Condition("t.id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(hits[alternative])),))
    if isinstance(alternative, Interval):
        return _INTERVALS[field](alternative)
    return _GLOBS[field](alternative)


def _between(expression: str, interval: Interval) -> Condition:
    """Return that the expression lies in the interval; never NULL, so that it can be negated."""
    bounds = ((">=", interval.low), ("<=", interval.high))
    given = [(sign, bound) for sign, bound in bounds if bound is not None]
    tests = " AND ".join(f"{expression} {sign} ?" for sign, _ in given) or f"{expression} IS NOT NULL"
    return Condition(f"ifnull({tests}, 0)", tuple(bound for _, bound in given))


def _start(interval: Interval) -> Condition:
    """Return a condition that leaves `start_us` bare, so that its index serves."""
    span = micros(interval)
    if span.low is not None:
        return Condition("t.start_us >= ?", (span.low,))
    return Condition("t.start_us <= ?", (span.high,))


def _call_column(column: str) -> Callable[[Glob], Condition]:
    return lambda glob: Condition(f"EXISTS ({_CALLS}c.{column} IN ({_STRINGS}))", (like(glob),))


def _trace_column(column: str) -> Callable[[Glob], Condition]:
    return lambda glob: Condition(f"ifnull(t.{column} IN ({_STRINGS}), 0)", (like(glob),))


def _key(glob: Glob) -> Condition:
    keys = "SELECT id FROM vkey WHERE name LIKE ? ESCAPE '\\'"
    return Condition(f"EXISTS ({_CALLS}c.key IN ({keys}))", (like(glob),))


def _status(glob: Glob) -> Condition:
    word = glob.pieces[0].upper()
    if len(glob.pieces) == 1 and word in Status.__members__:
        return Condition("t.status = ?", (int(Status[word]),))
    return Condition(f"EXISTS ({_CALLS}CAST(c.status AS TEXT) LIKE ?)", (like(glob),))


def _http_status(interval: Interval) -> Condition:
    inner = _between("c.status", interval)
    return Condition(f"EXISTS ({_CALLS}{inner.sql})", inner.values)


def _kind(glob: Glob) -> Condition:
    return Condition(_KIND.format(Kind[glob.pieces[0].upper()]))


_INTERVALS: Final[dict[str, Callable[[Interval], Condition]]] = {
    "cost": lambda interval: _between("t.cost_nano", interval),
    "dur": lambda interval: _between(_DURATION, micros(interval)),
    "ttft": lambda interval: _between(_TTFT, micros(interval)),
    "tokens": lambda interval: _between(_TOKENS, interval),
    "since": _start,
    "until": _start,
    "status": _http_status,
}
_GLOBS: Final[dict[str, Callable[[Glob], Condition]]] = {
    "model": _call_column("model"),
    "provider": _call_column("provider"),
    "path": _call_column("path"),
    "key": _key,
    "name": _trace_column("name"),
    "session": _trace_column("session"),
    "status": _status,
    "kind": _kind,
    "has": lambda glob: Condition(_HAS[glob.pieces[0]]),
}
