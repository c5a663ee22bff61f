"""Columns of finished rows, sealed 65,536 rows at a time in `colseg`, so that a new reader need not read every row.

A cache, in three kinds of row: call segments (`seg` >= 0, `lo` and `hi` are call ids), trace segments (`seg` < 0,
trace ids) and one STATE row. The state's `n` is the newest span id that every trace segment knows of: a reader reads
again the traces of later spans. Segments may be missing anywhere, of either kind: their rows are read from the tables.
Without the state, trace segments say nothing. Dropping any of it is always safe.

No numpy here: the writer's process seals, and does without it.
"""

import sqlite3
from array import array
from dataclasses import dataclass, field
from typing import Final

VERSION: Final = 1
SEGMENT_ROWS: Final = 65_536
STATE: Final = -(2**62)
_SLICE_ROWS: Final = 4096
_LOOK_EVERY_CALLS: Final = 4096


@dataclass(frozen=True, slots=True)
class Table:
    """The columns kept of one kind of row: names with their `array` type codes, and the SELECT that gives them."""

    columns: dict[str, str]
    select: str
    """With `{where}`; rows are `r`, in the order of their ids."""


CALLS: Final = Table(
    {"id": "q", "trace": "q", "model": "i", "provider": "i", "key": "i", "path": "i", "status": "h"},
    "SELECT r.id, r.trace, ifnull(r.model, 0), ifnull(r.provider, 0), ifnull(r.key, 0), ifnull(r.path, 0), "
    "ifnull(r.status, 0) FROM call r WHERE {where}",
)
"""0: none."""

TRACES: Final = Table(
    {
        "id": "q",
        "start": "q",
        "dur": "q",
        "ttft": "q",
        "session": "i",
        "name": "i",
        "status": "b",
        "errors": "i",
        "calls": "i",
        "tokens": "q",
        "cost": "q",
    },
    "SELECT r.id, r.start_us, iif(r.status = 0, -1, ifnull(r.end_us - r.start_us, -1)), ifnull(c.ttft_us, -1), "
    "ifnull(r.session, 0), ifnull(r.name, 0), r.status, r.n_err, r.n_calls, "
    "ifnull(r.tok_in + r.tok_out, ifnull(ifnull(r.tok_in, r.tok_out), -1)), ifnull(r.cost_nano, -1) "
    "FROM trace r LEFT JOIN call c ON c.id = r.first_call WHERE {where}",
)
"""-1: unknown, and the duration of what runs (status 0); for ids, 0: none."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a sealed segment lies."""

    seg: int
    lo: int
    hi: int
    n: int


def sealed(conn: sqlite3.Connection) -> tuple[list[Segment], list[Segment], int]:
    """Return the call segments, the trace segments, both by rising `lo`, and the span id of the state (0: none)."""
    sql = "SELECT seg, lo, hi, n FROM colseg WHERE ver = ? ORDER BY lo"
    found = [Segment(*row) for row in conn.execute(sql, (VERSION,)).fetchall()]
    newest = next((one.n for one in found if one.seg == STATE), 0)
    calls = [one for one in found if one.seg >= 0]
    traces = [one for one in found if STATE < one.seg < 0] if newest else []
    return calls, traces, newest


def read(conn: sqlite3.Connection, segment: Segment) -> bytes | None:
    """Return the packed columns of a segment, one after the other; None where it went meanwhile."""
    row = conn.execute("SELECT cols FROM colseg WHERE seg = ? AND lo = ? AND n = ? AND ver = ?", (
        segment.seg, segment.lo, segment.n, VERSION)).fetchone()  # fmt: skip
    return None if row is None else bytes(row[0])


@dataclass(slots=True)
class _Growing:
    """A segment that is being read from its table."""

    table: Table
    lo: int
    seen_span: int
    """The newest span id when reading began."""
    columns: list["array[int]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = [array(code) for code in self.table.columns.values()]

    def __len__(self) -> int:
        return len(self.columns[0])

    def grow(self, conn: sqlite3.Connection, limit: int) -> None:
        """Read on, `limit` rows at most."""
        after = self.columns[0][-1] if len(self) else self.lo - 1
        sql = self.table.select.format(where="r.id > ? ORDER BY r.id LIMIT ?")
        rows = conn.execute(sql, (after, limit)).fetchall()
        for column, values in zip(self.columns, zip(*rows, strict=True), strict=False):
            column.extend(values)

    def packed(self) -> bytes:
        return b"".join(column.tobytes() for column in self.columns)


class SealJob:
    """Seals what is finished, a slice a run. An idle job of the writer: it opens its own transactions."""

    def __init__(self, segment_rows: int = SEGMENT_ROWS) -> None:
        self._segment_rows = segment_rows
        self._slice_rows = min(_SLICE_ROWS, segment_rows)
        self._growing: _Growing | None = None
        self._look_from = 0

    def __call__(self, conn: sqlite3.Connection) -> bool:
        """Do one slice; True if there is more to do."""
        if self._growing is None:
            self._growing = self._next(conn)
            return self._growing is not None
        growing = self._growing
        growing.grow(conn, min(self._slice_rows, self._segment_rows - len(growing)))
        if len(growing) < self._segment_rows:
            return True
        self._growing = None
        conn.execute("BEGIN IMMEDIATE")
        with conn:
            _keep(conn, growing)
        return True

    def _next(self, conn: sqlite3.Connection) -> _Growing | None:
        """Return the next segment that has all its rows, None while there is none."""
        newest = conn.execute("SELECT ifnull(max(id), 0) FROM span").fetchone()[0]
        if newest < self._look_from:
            return None
        calls, traces, _ = sealed(conn)
        for table, segments, settled in (
            (CALLS, calls, _settled_call(conn)),
            (TRACES, traces, conn.execute("SELECT ifnull(max(id), 0) FROM trace").fetchone()[0]),
        ):
            lo = segments[-1].hi + 1 if segments else 1
            name = "call" if table is CALLS else "trace"
            sql = f"SELECT id FROM {name} WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1 OFFSET ?"  # noqa: S608
            if conn.execute(sql, (lo, settled, self._segment_rows - 1)).fetchone():
                return _Growing(table, lo, newest)
        self._look_from = newest + min(_LOOK_EVERY_CALLS, self._segment_rows)
        return None


def _settled_call(conn: sqlite3.Connection) -> int:
    """Return the newest call id below every call that runs."""
    running = conn.execute(
        "SELECT min(c.id) FROM call c JOIN trace t ON t.id = c.trace "
        "WHERE c.dur_us IS NULL AND t.n_running > 0 AND c.id > (SELECT ifnull(max(hi), 0) FROM colseg WHERE seg >= 0)"
    ).fetchone()[0]
    if running is not None:
        return int(running) - 1
    return int(conn.execute("SELECT ifnull(max(id), 0) FROM call").fetchone()[0])


def _keep(conn: sqlite3.Connection, growing: _Growing) -> None:
    """Seal a segment; with one of traces, bring the others up to the same span."""
    ids = growing.columns[0]
    is_calls = growing.table is CALLS
    if not is_calls:
        _refresh(conn, growing.seen_span)
    edge, step = ("max(seg) + 1", 0) if is_calls else ("min(seg) - 1", -1)
    kind = "seg >= 0" if is_calls else f"seg < 0 AND seg > {STATE}"
    seg = conn.execute(f"SELECT ifnull({edge}, {step}) FROM colseg WHERE {kind}").fetchone()[0]  # noqa: S608
    _put(conn, Segment(seg, growing.lo, ids[-1], len(ids)), growing.packed())
    if not is_calls:
        _put(conn, Segment(STATE, 0, 0, growing.seen_span), b"")


def _refresh(conn: sqlite3.Connection, newest: int) -> None:
    """Read again what spans up to `newest` changed in the sealed traces."""
    _, traces, seen = sealed(conn)
    if not traces:
        conn.execute("DELETE FROM colseg WHERE seg < 0")
        return
    sql = "SELECT DISTINCT trace FROM span NOT INDEXED WHERE id > ? AND id <= ? AND trace <= ? ORDER BY trace"
    changed = [trace for (trace,) in conn.execute(sql, (seen, newest, traces[-1].hi)).fetchall()]
    for segment in traces:
        own = [trace for trace in changed if segment.lo <= trace <= segment.hi]
        if own:
            _patch(conn, segment, own)


def _patch(conn: sqlite3.Connection, segment: Segment, ids: list[int]) -> None:
    packed = memoryview(read(conn, segment) or b"")
    columns: list[array[int]] = []
    at = 0
    for code in TRACES.columns.values():
        column: array[int] = array(code)
        size = column.itemsize * segment.n
        column.frombytes(packed[at : at + size])
        columns.append(column)
        at += size
    places = {trace: place for place, trace in enumerate(columns[0])}
    for trace in ids:
        row = conn.execute(TRACES.select.format(where="r.id = ?"), (trace,)).fetchone()
        if row is not None and trace in places:
            for column, value in zip(columns, row, strict=True):
                column[places[trace]] = value
    _put(conn, segment, b"".join(column.tobytes() for column in columns))


def _put(conn: sqlite3.Connection, segment: Segment, packed: bytes) -> None:
    sql = "INSERT OR REPLACE INTO colseg (seg, lo, hi, n, ver, cols) VALUES (?, ?, ?, ?, ?, ?)"
    conn.execute(sql, (segment.seg, segment.lo, segment.hi, segment.n, VERSION, packed))
