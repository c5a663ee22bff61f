"""A query over columns: the same meaning as `filters`, for questions that touch every trace."""

import re
import sqlite3
from collections.abc import Callable
from typing import Final

import numpy as np

from app.models.measure import Interval
from app.models.query import Alternative, Glob, Query, Term, Words
from app.models.span import Kind, Status
from app.store.columns import Bools, Columns, Ints, Numbers
from app.store.filters import Hits, like, micros

_LARGE: Final = 2**62


class Masks:
    """Answers queries over one state of the columns."""

    def __init__(self, conn: sqlite3.Connection, columns: Columns, hits: Hits) -> None:
        self._conn = conn
        self._columns = columns
        self._hits = hits

    def of(self, query: Query) -> Bools:
        """Return, by trace, whether it meets every term."""
        mask = np.ones(self._columns.traces.n, dtype=bool)
        for term in query.terms:
            mask &= self.of_term(term)
        return mask

    def of_term(self, term: Term) -> Bools:
        """Return, by trace, whether it meets this term."""
        mask = np.zeros(self._columns.traces.n, dtype=bool)
        for alternative in term.alternatives:
            mask |= self._alternative(term.field, alternative)
        return ~mask if term.is_negated else mask

    def _alternative(self, field: str, alternative: Alternative) -> Bools:
        if isinstance(alternative, Words):
            places = self._columns.traces.places(sorted(self._hits[alternative]))
            return self._at(places[places >= 0])
        if isinstance(alternative, Interval):
            return self._interval(field, alternative)
        return self._glob(field, alternative)

    def _interval(self, field: str, interval: Interval) -> Bools:
        traces = self._columns.traces
        if field == "status":
            return self._any_call(_within(self._columns.calls["status"], Interval(interval.low or 1, interval.high)))
        if field in ("since", "until"):
            return _within(traces["start"], micros(interval))
        span = interval if field in ("cost", "tokens") else micros(interval)
        column = traces[field]
        return _within(column, span) & (column >= 0)

    def _glob(self, field: str, glob: Glob) -> Bools:
        if field in ("model", "provider", "path"):
            return self._any_call(self._named(self._columns.calls[field], glob))
        if field in ("name", "session"):
            ids = self._ids("SELECT id FROM str WHERE s LIKE ? ESCAPE '\\'", glob)
            return _is_one_of(self._columns.traces[field], ids)
        if field == "key":
            ids = self._ids("SELECT id FROM vkey WHERE name LIKE ? ESCAPE '\\'", glob)
            return self._any_call(_is_one_of(self._columns.calls["key"], ids))
        if field == "status":
            return self._status(glob)
        if field == "kind":
            return self._has_kind(Kind[glob.pieces[0].upper()])
        return self._has(glob.pieces[0])

    def _status(self, glob: Glob) -> Bools:
        word = glob.pieces[0].upper()
        if len(glob.pieces) == 1 and word in Status.__members__:
            return np.equal(self._columns.traces["status"], int(Status[word])).astype(bool)
        column = self._columns.calls["status"]
        pattern = re.compile(".*".join(map(re.escape, glob.pieces)))
        codes = [code for code in np.unique(column).tolist() if code and pattern.fullmatch(str(code))]
        return self._any_call(np.isin(column, codes))

    def _has(self, what: str) -> Bools:
        traces = self._columns.traces
        tests: dict[str, Callable[[], Bools]] = {
            "cost": lambda: traces["cost"] >= 0,
            "error": lambda: traces["errors"] > 0,
            "key": lambda: self._any_call(self._columns.calls["key"] > 0),
            "session": lambda: traces["session"] > 0,
            "tool": lambda: self._has_kind(Kind.TOOL),
            "ttft": lambda: traces["ttft"] >= 0,
        }
        return tests[what]()

    def _has_kind(self, kind: Kind) -> Bools:
        has_it: Bools = np.not_equal(self._columns.read_kinds(self._conn) & (1 << int(kind)), 0)
        return has_it

    def _named(self, column: Numbers, glob: Glob) -> Bools:
        """Match a column of few different names: the names are read, not all strings there are."""
        own = distinct(column)
        marks = ",".join(map(str, own))
        sql = f"SELECT id FROM str WHERE id IN ({marks}) AND s LIKE ? ESCAPE '\\'"  # noqa: S608 - integers
        return _is_one_of(column, self._ids(sql, glob))

    def _ids(self, sql: str, glob: Glob) -> Ints:
        return np.array(self._conn.execute(sql, (like(glob),)).fetchall(), dtype=np.int64).reshape(-1)

    def _any_call(self, is_meant: Bools) -> Bools:
        return self._at(self._columns.trace_of[is_meant])

    def _at(self, places: Ints) -> Bools:
        mask = np.zeros(self._columns.traces.n, dtype=bool)
        mask[places] = True
        return mask


def distinct(column: Numbers) -> list[int]:
    """Return the different values of a column of small numbers, 0 (none) left out, rising."""
    found = np.flatnonzero(np.bincount(column)).tolist() if len(column) else []
    return [value for value in found if value]


def _within(column: Numbers, interval: Interval) -> Bools:
    mask = np.ones(len(column), dtype=bool)
    if interval.low is not None:
        mask &= column >= min(interval.low, _LARGE)
    if interval.high is not None:
        mask &= column <= min(interval.high, _LARGE)
    return mask


def _is_one_of(column: Numbers, ids: Ints) -> Bools:
    """Return which values are among `ids`; by a table, since ids are dense."""
    if not len(ids) or not len(column):
        return np.zeros(len(column), dtype=bool)
    table = np.zeros(max(int(column.max()), int(ids.max())) + 1, dtype=bool)
    table[ids] = True
    return table[column]
