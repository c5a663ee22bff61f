"""Answers that touch every trace, over the columns: pages a filter makes SQL search for, all ids, counts, facets."""

import sqlite3
import threading

import numpy as np

from app.models.query import Query
from app.store.columns import Bools, Columns, Ints
from app.store.facets import FacetCounter, Facets
from app.store.filters import Hits
from app.store.masks import Masks, distinct
from app.store.traces import Cursor


class Lists:
    """The columns of one database and what was worked out from them. Any thread, each with its own connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._columns = Columns()
        self._facets = FacetCounter(self._columns)
        self._order: Ints = np.empty(0, dtype=np.int64)
        self._order_of = -1

    def page_ids(
        self, conn: sqlite3.Connection, query: Query, hits: Hits, before: Cursor | None, limit: int
    ) -> list[int]:
        """Return the ids of a page, newest first."""
        with self._lock:
            mask = self._masks(conn, hits).of(query)
            if before is not None:
                start_us, trace = before[0] // 1000, before[1]
                starts, ids = self._columns.traces["start"], self._columns.traces["id"]
                mask &= (starts < start_us) | ((starts == start_us) & (ids < trace))
            return [int(trace) for trace in self._newest(mask)[:limit]]

    def all_ids(self, conn: sqlite3.Connection, query: Query, hits: Hits) -> bytes:
        """Return the ids of all traces that meet the query, newest first, as 64-bit integers."""
        with self._lock:
            return self._newest(self._masks(conn, hits).of(query)).tobytes()

    def count(self, conn: sqlite3.Connection, query: Query, hits: Hits) -> tuple[int, int]:
        """Return how many traces meet the query, and how many calls they hold."""
        with self._lock:
            mask = self._masks(conn, hits).of(query)
            return int(np.count_nonzero(mask)), int(self._columns.traces["calls"][mask].sum(dtype=np.int64))

    def facets(self, conn: sqlite3.Connection, query: Query, hits: Hits) -> Facets:
        """Return, by dimension, its values with the traces that have them, the most first."""
        with self._lock:
            return self._facets.facets(conn, query, self._masks(conn, hits))

    def names(self, conn: sqlite3.Connection, column: str) -> list[str]:
        """Return the different models or providers of all calls, by name."""
        with self._lock:
            self._columns.refresh(conn)
            marks = ",".join(map(str, distinct(self._columns.calls[column])))
            rows = conn.execute(f"SELECT s FROM str WHERE id IN ({marks}) ORDER BY s").fetchall()  # noqa: S608
            return [name for (name,) in rows]

    def doubt(self) -> None:
        """Look for deleted rows at the next question."""
        with self._lock:
            self._columns.doubt()

    def _masks(self, conn: sqlite3.Connection, hits: Hits) -> Masks:
        self._columns.refresh(conn)
        return Masks(conn, self._columns, hits)

    def _newest(self, mask: Bools) -> Ints:
        """Return the ids of the mask's traces, by start and id, newest first."""
        traces = self._columns.traces
        if self._order_of != self._columns.version:
            self._order = np.argsort(traces["start"], kind="stable")
            self._order_of = self._columns.version
        found: Ints = traces["id"][self._order[mask[self._order]]][::-1]
        return found
