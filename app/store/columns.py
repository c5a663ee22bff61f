"""Calls and traces as numpy columns in memory: what answers counts, facets and searching filters.

Loaded from the sealed segments and, where there are none, from the rows; then kept up with them by id. `Columns` is for
one thread at a time. What is stale for a moment is never wrong for long: rows that run are read again each time, rows
that were deleted are looked for every few seconds, and a list that is shown reads its rows from the tables anyway.
"""

import sqlite3
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.models.span import Status
from app.store import segments
from app.store.segments import CALLS, TRACES, Segment, Table

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[Any]
"""Of any integer width."""

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "q": np.dtype("<i8"),
    "i": np.dtype("<i4"),
    "h": np.dtype("<i2"),
    "b": np.dtype("i1"),
}
_ROWS_A_QUERY: Final = 50_000
_IDS_A_QUERY: Final = 500
_LOOK_FOR_GAPS_EVERY_S: Final = 5.0


class Growing:
    """The columns of one table, by rising id."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.n = 0
        self._columns = {name: np.empty(0, dtype=_DTYPES[code]) for name, code in table.columns.items()}

    def __getitem__(self, name: str) -> Numbers:
        return self._columns[name][: self.n]

    @property
    def last_id(self) -> int:
        """The newest id, 0 where there is none."""
        return int(self._columns["id"][self.n - 1]) if self.n else 0

    def places(self, ids: Sequence[int] | Ints) -> Ints:
        """Return where these ids stand, -1 for those that do not."""
        own = self._columns["id"][: self.n]
        wanted = np.asarray(ids, dtype=np.int64)
        at = np.searchsorted(own, wanted)
        at[at == self.n] = 0
        return np.where(own[at] == wanted, at, -1) if self.n else np.full(len(wanted), -1)

    def append(self, columns: Sequence[Numbers]) -> None:
        """Add rows whose ids are above all others."""
        n = self.n + len(columns[0])
        for name, more in zip(self._columns, columns, strict=True):
            old = self._columns[name]
            if len(old) < n:
                grown = np.empty(max(n, len(old) * 3 // 2), dtype=old.dtype)
                grown[: self.n] = old[: self.n]
                self._columns[name] = old = grown
            old[self.n : n] = more
        self.n = n

    def put(self, places: Ints, columns: Sequence[Numbers]) -> None:
        """Replace rows."""
        for name, values in zip(self._columns, columns, strict=True):
            self._columns[name][places] = values

    def keep(self, is_kept: Bools) -> None:
        """Drop rows."""
        for name, column in self._columns.items():
            self._columns[name] = column[: self.n][is_kept]
        self.n = int(np.count_nonzero(is_kept))


class Columns:
    """The columns of calls and traces, and how they hang together."""

    def __init__(self) -> None:
        self.calls = Growing(CALLS)
        self.traces = Growing(TRACES)
        self.version = 0
        """Another number whenever anything here changed."""
        self.trace_of = np.empty(0, dtype=np.int64)
        """By call: where its trace stands."""
        self.kinds = np.empty(0, dtype=np.int64)
        """By trace: bit k for each span kind k in it; -1 until it is asked for."""
        self._seen_span = 0
        self._open_calls: list[int] = []
        self._is_loaded = False
        self._next_look_s = 0.0

    def refresh(self, conn: sqlite3.Connection) -> None:
        """Bring everything up to what the database holds now."""
        is_new = not self._is_loaded
        if is_new:
            self._load(conn)
        newest = int(conn.execute("SELECT ifnull(max(id), 0) FROM span").fetchone()[0])
        changed = self._changed_traces(conn, newest)
        is_new |= self._read_new(conn, self.calls, newest)
        is_new |= self._read_new(conn, self.traces, None)
        self._seen_span = newest
        self._reread(conn, self.calls, self._open_calls)
        self._reread(conn, self.traces, changed)
        self._close_calls()
        is_gone = self._drop_deleted(conn)
        if is_new or is_gone:
            self._link(is_gone)
        if len(changed):
            self.kinds[self.traces.places(changed)] = -1
        if is_new or is_gone or len(changed):
            self.version += 1

    def read_kinds(self, conn: sqlite3.Connection) -> Ints:
        """Return `kinds` with every trace known."""
        unknown = np.flatnonzero(self.kinds < 0)
        ids = self.traces["id"][unknown]
        found = np.zeros(len(ids), dtype=np.int64)
        for at in range(0, len(ids), _IDS_A_QUERY):
            some = ids[at : at + _IDS_A_QUERY].tolist()
            sql = f"SELECT trace, sum(DISTINCT 1 << kind) FROM span WHERE trace IN ({_marks(some)}) GROUP BY trace"  # noqa: S608
            rows = np.array(conn.execute(sql, some).fetchall(), dtype=np.int64).reshape(-1, 2)
            found[at + np.searchsorted(some, rows[:, 0])] = rows[:, 1]
        self.kinds[unknown] = found
        return self.kinds

    def _load(self, conn: sqlite3.Connection) -> None:
        calls, traces, seen = segments.sealed(conn)
        self._seen_span = seen if traces else int(conn.execute("SELECT ifnull(max(id), 0) FROM span").fetchone()[0])
        self._read_sealed(conn, self.calls, calls)
        self._read_sealed(conn, self.traces, traces)
        self._is_loaded = True

    def _read_sealed(self, conn: sqlite3.Connection, into: Growing, sealed: list[Segment]) -> None:
        for segment in sealed:
            if segment.lo <= into.last_id:
                continue
            packed = segments.read(conn, segment)
            if packed is None:
                continue
            self._read_rows(conn, into, segment.lo - 1)
            columns: list[Numbers] = []
            at = 0
            for code in into.table.columns.values():
                column = np.frombuffer(packed, dtype=_DTYPES[code], count=segment.n, offset=at)
                at += column.nbytes
                columns.append(column)
            into.append(columns)

    def _read_new(self, conn: sqlite3.Connection, into: Growing, newest: int | None) -> bool:
        before = into.n
        self._read_rows(conn, into, 2**62 if newest is None else newest)
        return into.n > before

    def _read_rows(self, conn: sqlite3.Connection, into: Growing, newest: int) -> None:
        """Read the rows above the last id, up to `newest`."""
        sql = into.table.select.format(where="r.id > ? AND r.id <= ? ORDER BY r.id LIMIT ?")
        while True:
            rows = conn.execute(sql, (into.last_id, newest, _ROWS_A_QUERY)).fetchall()
            if not rows:
                return
            table = np.array(rows, dtype=np.int64)
            into.append(list(table.T))
            if into is self.calls:
                self._open_calls += _running(conn, int(table[0, 0]), int(table[-1, 0]))
            if len(rows) < _ROWS_A_QUERY:
                return

    def _changed_traces(self, conn: sqlite3.Connection, newest: int) -> Ints:
        """Return the ids of known traces that later spans touched, or that run."""
        sql = "SELECT DISTINCT trace FROM span NOT INDEXED WHERE id > ? AND id <= ? AND trace <= ?"
        found = conn.execute(sql, (self._seen_span, newest, self.traces.last_id)).fetchall()
        running = self.traces["id"][self.traces["status"] == Status.RUNNING]
        return np.union1d(np.array(found, dtype=np.int64).reshape(-1), running).astype(np.int64)

    def _reread(self, conn: sqlite3.Connection, into: Growing, ids: Sequence[int] | Ints) -> None:
        """Read known rows again; those that are gone stay as they were until they are dropped."""
        for at in range(0, len(ids), _IDS_A_QUERY):
            some = np.asarray(ids[at : at + _IDS_A_QUERY], dtype=np.int64).tolist()
            sql = into.table.select.format(where=f"r.id IN ({_marks(some)})")
            table = np.array(conn.execute(sql, some).fetchall(), dtype=np.int64).reshape(-1, len(into.table.columns))
            places = into.places(table[:, 0])
            into.put(places[places >= 0], list(table[places >= 0].T))

    def _close_calls(self) -> None:
        """Forget the open calls of traces that run no more."""
        if self._open_calls:
            calls = self.calls.places(self._open_calls)
            traces = self.traces.places(self.calls["trace"][calls].astype(np.int64))
            is_open = self.traces["status"][traces] == Status.RUNNING
            self._open_calls = np.asarray(self._open_calls)[is_open & (calls >= 0)].tolist()

    def doubt(self) -> None:
        """Look for deleted rows at the next refresh."""
        self._next_look_s = 0.0

    def _drop_deleted(self, conn: sqlite3.Connection) -> bool:
        now_s = monotonic()
        if now_s < self._next_look_s:
            return False
        self._next_look_s = now_s + _LOOK_FOR_GAPS_EVERY_S
        sql = "SELECT count(*) - (SELECT count(*) FROM trace WHERE id > ?) FROM trace"  # reads the smallest index
        if conn.execute(sql, (self.traces.last_id,)).fetchone()[0] == self.traces.n:
            return False
        rows = conn.execute("SELECT id FROM trace WHERE id <= ? ORDER BY id", (self.traces.last_id,)).fetchall()
        living = np.array(rows, dtype=np.int64).reshape(-1)
        is_kept = np.isin(self.traces["id"], living, assume_unique=True)
        self.traces.keep(is_kept)
        self.kinds = self.kinds[is_kept[: len(self.kinds)]]
        self.calls.keep(np.isin(self.calls["trace"], living))
        return True

    def _link(self, is_anew: bool) -> None:
        """Find the traces of new calls, or of all."""
        known = 0 if is_anew else len(self.trace_of)
        more = self.traces.places(self.calls["trace"][known:].astype(np.int64))
        if (more < 0).any():  # deleted while we read
            is_kept = np.concatenate((np.ones(known, dtype=bool), more >= 0))
            self.calls.keep(is_kept)
            more = more[more >= 0]
        self.trace_of = np.concatenate((self.trace_of[:known], more))
        unknown = np.full(self.traces.n - len(self.kinds), -1, dtype=np.int64)
        self.kinds = np.concatenate((self.kinds, unknown))


def _running(conn: sqlite3.Connection, lo: int, hi: int) -> list[int]:
    sql = (
        "SELECT c.id FROM call c CROSS JOIN span s ON s.id = c.id "
        "WHERE c.id BETWEEN ? AND ? AND c.dur_us IS NULL AND s.status = ?"
    )
    return [call for (call,) in conn.execute(sql, (lo, hi, int(Status.RUNNING))).fetchall()]


def _marks(values: Sequence[int]) -> str:
    return ",".join("?" * len(values))
