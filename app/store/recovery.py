"""After a process died: what its spool holds and what it left running."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from app.models.call import CallRecord
from app.models.span import Status
from app.store import rows, tally

_COMMITTED: Final = """
    SELECT span.sid FROM call CROSS JOIN span ON span.id = call.id WHERE call.ts_us >= ? AND call.dur_us IS NOT NULL
"""
_RUNNING: Final = """
    SELECT span.id, span.sid, span.trace FROM call CROSS JOIN span ON span.id = call.id
    WHERE call.ts_us >= ? AND call.dur_us IS NULL
"""


def not_committed(conn: sqlite3.Connection, records: Sequence[CallRecord]) -> list[CallRecord]:
    """Return those of the spooled records that the database does not have, each once."""
    if not records:
        return []
    known = {row[0] for row in conn.execute(_COMMITTED, (min(record.start_ns for record in records) // 1000,))}
    missing = []
    for record in records:
        if record.span_id not in known:
            known.add(record.span_id)
            missing.append(record)
    return missing


def forget_running(conn: sqlite3.Connection, records: Sequence[CallRecord]) -> None:
    """Take back the running rows of calls that are about to be written anew, perhaps into another trace."""
    if not records:
        return
    sids = {record.span_id for record in records}
    since_us = min(record.start_ns for record in records) // 1000
    found = [row for row in conn.execute(_RUNNING, (since_us,)).fetchall() if row[1] in sids]
    span_ids = [row[0] for row in found]
    for table, column in (("call", "id"), ("preview", "id"), ("item_use", "span"), ("span", "id")):
        rows.where_in(conn, f"DELETE FROM {table} WHERE {column} IN", (), span_ids)  # noqa: S608
    for trace_id in {row[2] for row in found}:
        if conn.execute("SELECT 1 FROM span WHERE trace = ? LIMIT 1", (trace_id,)).fetchone():
            tally.recount(conn, trace_id)
        else:
            conn.execute("DELETE FROM trace WHERE id = ?", (trace_id,))


def interrupt_running(conn: sqlite3.Connection) -> tuple[int, ...]:
    """Mark what still runs as interrupted; return the trace row ids it touched. Nothing may be running."""
    found = conn.execute("SELECT id, trace FROM span WHERE status = ?", (Status.RUNNING,)).fetchall()
    rows.where_in(conn, "UPDATE span SET status = ? WHERE id IN", (Status.INTERRUPTED,), [row[0] for row in found])
    rows.where_in(conn, "INSERT OR IGNORE INTO fresh SELECT id FROM span WHERE id IN", (), [row[0] for row in found])
    traces = tuple(sorted({row[1] for row in found}))
    for trace_id in traces:
        tally.recount(conn, trace_id)
    return traces
