"""How many traces there are of each model, provider, key, status and name under a query.

A dimension's own terms do not count for itself, so that its other values can still be chosen.
"""

import sqlite3
from typing import Final

import numpy as np

from app.models.query import Query
from app.models.span import Status
from app.store.columns import Bools, Columns, Ints, Numbers
from app.store.masks import Masks

Facets = dict[str, list[tuple[str, int]]]

_OF_CALLS: Final = ("model", "provider", "key")
_OF_TRACES: Final = ("status", "name")
_MOST: Final = 50
"""Values listed of a dimension, those of the most traces first."""


class FacetCounter:
    """Counts facets over one `Columns`; remembers what only depends on the rows."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._version = -1
        self._order: Ints = np.empty(0, dtype=np.int64)
        self._known_pairs: dict[str, tuple[Ints, Numbers]] = {}

    def facets(self, conn: sqlite3.Connection, query: Query, masks: Masks) -> Facets:
        """Return, by dimension, the values and how many traces have them; the columns are fresh."""
        if self._version != self._columns.version:
            self._version = self._columns.version
            self._order = np.argsort(self._columns.trace_of, kind="stable")
            self._known_pairs.clear()
        by_field = {term.field: np.ones(0, dtype=bool) for term in query.terms}
        for field in by_field:
            by_field[field] = masks.of(Query(tuple(term for term in query.terms if term.field == field)))
        found: Facets = {}
        for dimension in (*_OF_TRACES, *_OF_CALLS):
            mask = np.ones(self._columns.traces.n, dtype=bool)
            for field, own in by_field.items():
                if field != dimension:
                    mask &= own
            counts = self._counts(dimension, mask)
            most = np.argsort(-counts, kind="stable")[:_MOST]
            top = [(int(code), int(counts[code])) for code in most if counts[code]]
            found[dimension] = _texts(conn, dimension, top)
        return found

    def _counts(self, dimension: str, mask: Bools) -> Ints:
        """Return how many traces of the mask have each code; code 0 (none) counts as nothing."""
        if dimension in _OF_TRACES:
            codes = self._columns.traces[dimension][mask]
        else:
            traces, codes = self._pairs(dimension)
            codes = codes[mask[traces]]
        counts = np.bincount(codes) if len(codes) else np.zeros(1, dtype=np.int64)
        if dimension != "status":
            counts[0] = 0
        return counts

    def _pairs(self, dimension: str) -> tuple[Ints, Numbers]:
        """Return each different pair of a trace (where it stands) and a code of its calls."""
        known = self._known_pairs.get(dimension)
        if known is None:
            codes = self._columns.calls[dimension]
            firsts = first_of_pairs(self._columns.trace_of, codes, self._order)
            known = self._known_pairs[dimension] = (self._columns.trace_of[firsts], codes[firsts])
        return known


def first_of_pairs(group: Ints, code: Numbers, order: Ints) -> Ints:
    """Return one index for each different (group, code); `order` sorts by group.

    Most groups have one code, so only what differs from its group's first is really sorted.
    """
    groups, codes = group[order], code[order]
    is_start = np.ones(len(order), dtype=bool)
    is_start[1:] = groups[1:] != groups[:-1]
    starts = np.flatnonzero(is_start)
    first_code = np.repeat(codes[starts], np.diff(np.append(starts, len(order))))
    others = np.flatnonzero(codes != first_code)
    pairs = np.stack((groups[others], codes[others].astype(np.int64)))
    _, chosen = np.unique(pairs, axis=1, return_index=True)
    return order[np.concatenate((starts, others[chosen]))]


def _texts(conn: sqlite3.Connection, dimension: str, top: list[tuple[int, int]]) -> list[tuple[str, int]]:
    if dimension == "status":
        return [(Status(code).name.lower(), count) for code, count in top]
    sql = "SELECT id, name FROM vkey" if dimension == "key" else "SELECT id, s FROM str"
    marks = ",".join(str(code) for code, _ in top)
    names = dict(conn.execute(f"{sql} WHERE id IN ({marks})").fetchall())
    return [(names[code], count) for code, count in top if code in names]
