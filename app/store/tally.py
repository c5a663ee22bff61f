"""The row of a trace: an aggregate of its spans and calls, kept exact without reading them again.

A `Tally` is loaded, told of each new or changed row, and written. Where a sum cannot follow a change (a number that was
already counted became another), it asks to be counted anew from the rows.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.models.span import Status
from app.store import rows
from app.store.schema import CALL_UNPRICED

_COLUMNS: Final = (
    "id, tid, session, name, root, status, start_us, end_us, n_spans, n_err, n_calls, n_running, n_unpriced, "
    "n_models, first_call, last_call, tok_in, tok_out, cost_nano, flags"
)
_LOAD: Final = f"""
    SELECT {", ".join("t." + name for name in _COLUMNS.split(", "))},
           r.start_us, r.status, f.ts_us, l.ts_us,
           iif(f.dur_us IS NULL, NULL, f.model), iif(l.dur_us IS NULL, NULL, l.model)
    FROM trace t LEFT JOIN span r ON r.id = t.root
    LEFT JOIN call f ON f.id = t.first_call LEFT JOIN call l ON l.id = t.last_call
    WHERE t.tid IN
"""  # noqa: S608
_SAVE: Final = f"INSERT INTO trace ({_COLUMNS})"
_UPDATE: Final = "ON CONFLICT (id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[2:]
)
_HAS_MODEL: Final = """
    SELECT 1 FROM span CROSS JOIN call ON call.id = span.id
    WHERE span.trace = ? AND call.model = ? AND call.dur_us IS NOT NULL LIMIT 1
"""
_RECOUNT: Final = f"""
    WITH s AS (SELECT * FROM span WHERE trace = :trace),
         c AS (SELECT call.* FROM s CROSS JOIN call ON call.id = s.id)
    UPDATE trace SET
        start_us = (SELECT min(start_us) FROM s),
        end_us = (SELECT max(start_us + dur_us) FROM s),
        n_spans = (SELECT count(*) FROM s),
        n_err = (SELECT count(*) FROM s WHERE status = {Status.ERROR:d}),
        root = (SELECT id FROM s WHERE psid IS NULL ORDER BY start_us, id LIMIT 1),
        n_calls = (SELECT count(*) FROM c),
        n_running = (SELECT count(*) FROM s WHERE status = {Status.RUNNING:d} AND id IN (SELECT id FROM c)),
        n_unpriced = (SELECT count(*) FROM c WHERE flags & {CALL_UNPRICED}),
        n_models = (SELECT count(DISTINCT model) FROM c WHERE dur_us IS NOT NULL),
        first_call = (SELECT id FROM c ORDER BY ts_us, id LIMIT 1),
        last_call = (SELECT id FROM c ORDER BY ts_us DESC, id DESC LIMIT 1),
        tok_in = (SELECT sum(tok_in) FROM c),
        tok_out = (SELECT sum(tok_out) FROM c),
        cost_nano = (SELECT sum(cost_nano) FROM c)
    WHERE id = :trace
"""  # noqa: S608
_RESTATE: Final = f"""
    UPDATE trace SET status = CASE
        WHEN n_running > 0 THEN {Status.RUNNING:d}
        WHEN root IS NOT NULL THEN (SELECT status FROM span WHERE id = root)
        WHEN n_err > 0 THEN {Status.ERROR:d} ELSE {Status.OK:d} END
    WHERE id = ?
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Used:
    """What an ended call used: its part of the sums."""

    model: int | None
    tok_in: int | None
    tok_out: int | None
    cost_nano: int | None
    is_unpriced: bool


@dataclass(slots=True)
class Tally:
    """A trace's row in the making. Columns as in `schema`; what stands below `flags` is for comparing only."""

    id: int
    tid: bytes
    session: int | None = None
    name: int | None = None
    root: int | None = None
    status: int = Status.OK
    start_us: int = 0
    end_us: int | None = None
    n_spans: int = 0
    n_err: int = 0
    n_calls: int = 0
    n_running: int = 0
    n_unpriced: int = 0
    n_models: int = 0
    first_call: int | None = None
    last_call: int | None = None
    tok_in: int | None = None
    tok_out: int | None = None
    cost_nano: int | None = None
    flags: int = 0
    root_us: int | None = None
    root_status: int | None = None
    first_us: int | None = None
    last_us: int | None = None
    first_model: int | None = None
    last_model: int | None = None
    new_models: tuple[int, ...] = ()
    must_recount: bool = False

    def span_came(self, span_id: int, psid: int | None, status: int, start_us: int, dur_us: int | None) -> None:
        """Count a new span."""
        self.start_us = min(self.start_us, start_us) if self.n_spans else start_us
        self.n_spans += 1
        if psid is None and (self.root_us is None or start_us < self.root_us):
            self.root, self.root_us = span_id, start_us
        self._stands(span_id, status, start_us, dur_us)

    def span_changed(self, span_id: int, was: int, status: int, start_us: int, dur_us: int | None) -> None:
        """Count a span that had status `was`, whose start is the same and whose end is no earlier than it was."""
        self.n_err -= was == Status.ERROR
        self._stands(span_id, status, start_us, dur_us)

    def _stands(self, span_id: int, status: int, start_us: int, dur_us: int | None) -> None:
        self.n_err += status == Status.ERROR
        if span_id == self.root:
            self.root_status = status
        if dur_us is not None:
            self.end_us = max(self.end_us or start_us, start_us + dur_us)

    def call_came(self, call_id: int, ts_us: int) -> None:
        """Count a new call as running; what it used is told by `call_ended`."""
        self.n_calls += 1
        self.n_running += 1
        if self.first_us is None or ts_us < self.first_us:
            self.first_call, self.first_us, self.first_model = call_id, ts_us, None
        if self.last_us is None or ts_us >= self.last_us:
            self.last_call, self.last_us, self.last_model = call_id, ts_us, None

    def call_ended(self, call_id: int, used: Used, conn: sqlite3.Connection) -> None:
        """Count what a call used that was running till now."""
        self.n_running -= 1
        self.n_unpriced += used.is_unpriced
        self.tok_in = _sum(self.tok_in, used.tok_in)
        self.tok_out = _sum(self.tok_out, used.tok_out)
        self.cost_nano = _sum(self.cost_nano, used.cost_nano)
        self._count_model(conn, used.model)
        if call_id == self.first_call:
            self.first_model = used.model
        if call_id == self.last_call:
            self.last_model = used.model

    def _count_model(self, conn: sqlite3.Connection, model: int | None) -> None:
        if model is None or model in (self.first_model, self.last_model, *self.new_models):
            return
        self.new_models += (model,)
        if not self.n_models or not conn.execute(_HAS_MODEL, (self.id, model)).fetchone():
            self.n_models += 1

    def row(self) -> rows.Row:
        """The row, its status worked out."""
        if self.n_running:
            status: int = Status.RUNNING
        elif self.root_status is not None:
            status = self.root_status
        else:
            status = Status.ERROR if self.n_err else Status.OK
        return (
            self.id, self.tid, self.session, self.name, self.root, status, self.start_us, self.end_us, self.n_spans,
            self.n_err, self.n_calls, self.n_running, self.n_unpriced, self.n_models, self.first_call, self.last_call,
            self.tok_in, self.tok_out, self.cost_nano, self.flags,
        )  # fmt: skip


def load(conn: sqlite3.Connection, tids: Sequence[bytes]) -> dict[bytes, Tally]:
    """Return the tallies of those of the traces that have a row."""
    return {row[1]: Tally(*row) for row in rows.select_in(conn, _LOAD, tids)}


def save(conn: sqlite3.Connection, tallies: list[Tally]) -> None:
    """Write the rows of traces; their spans and calls are written before."""
    rows.insert(conn, _SAVE, [tally.row() for tally in tallies], _UPDATE)
    for tally in tallies:
        if tally.must_recount:
            recount(conn, tally.id)


def recount(conn: sqlite3.Connection, trace_id: int) -> None:
    """Work a trace's row out anew from its spans and calls."""
    conn.execute(_RECOUNT, {"trace": trace_id})
    conn.execute(_RESTATE, (trace_id,))


def _sum(before: int | None, more: int | None) -> int | None:
    if more is None:
        return before
    return more if before is None else before + more
