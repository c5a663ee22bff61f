"""The rows of the sessions list: traces of one conversation, the latest conversation first."""

import sqlite3
from typing import Final

from app.models.trace import SessionRow
from app.store.schema import TRACE_SESSION_STATED

_LATEST: Final = """
SELECT t.session FROM trace t
WHERE t.session IS NOT NULL AND (t.start_us, t.id) < (?, ?) AND NOT EXISTS (
  SELECT 1 FROM trace later WHERE later.session = t.session AND (later.start_us, later.id) > (t.start_us, t.id))
ORDER BY t.start_us DESC, t.id DESC LIMIT ?
"""
_ROW: Final = f"""
SELECT (SELECT s FROM str WHERE id = :session), max(flags & {TRACE_SESSION_STATED}) != 0, min(start_us),
       max(ifnull(end_us, start_us)), count(*), sum(n_calls), sum(n_err), sum(tok_in), sum(tok_out), sum(cost_nano)
FROM trace WHERE session = :session
"""  # noqa: S608 - a constant of our own
_FIRST: Final = """
SELECT p.inp FROM trace t LEFT JOIN preview p ON p.id = t.first_call
WHERE t.session = ? ORDER BY t.start_us, t.id LIMIT 1
"""
_LAST: Final = """
SELECT p.outp FROM trace t LEFT JOIN preview p ON p.id = t.last_call
WHERE t.session = ? ORDER BY t.start_us DESC, t.id DESC LIMIT 1
"""
_CURSOR: Final = """
SELECT start_us, id FROM trace WHERE session = (SELECT id FROM str WHERE s = ?)
ORDER BY start_us DESC, id DESC LIMIT 1
"""
_END: Final = (2**63 - 1, 2**63 - 1)


def page(conn: sqlite3.Connection, before: str | None, limit: int) -> list[SessionRow]:
    """Return up to `limit` sessions, that with the latest trace first, from after the session `before` on."""
    cursor = _END
    if before is not None:
        cursor = conn.execute(_CURSOR, (before,)).fetchone() or _END
    found = conn.execute(_LATEST, (*cursor, limit)).fetchall()
    return [_row(conn, session) for (session,) in found]


def find(conn: sqlite3.Connection, session: str) -> SessionRow | None:
    """Return one session, None where no trace belongs to it."""
    row = conn.execute("SELECT id FROM str WHERE s = ?", (session,)).fetchone()
    found = row and conn.execute("SELECT 1 FROM trace WHERE session = ? LIMIT 1", row).fetchone()
    return _row(conn, row[0]) if found else None


def _row(conn: sqlite3.Connection, session: int) -> SessionRow:
    name, is_stated, first_us, last_us, n_traces, n_calls, n_errors, tok_in, tok_out, cost = conn.execute(
        _ROW, {"session": session}
    ).fetchone()
    return SessionRow(
        session=name,
        is_stated=bool(is_stated),
        first_ns=first_us * 1000,
        last_ns=last_us * 1000,
        n_traces=n_traces,
        n_calls=n_calls,
        n_errors=n_errors,
        input_tokens=tok_in,
        output_tokens=tok_out,
        cost_nusd=cost,
        first_preview=_preview(conn, _FIRST, session),
        last_preview=_preview(conn, _LAST, session),
    )


def _preview(conn: sqlite3.Connection, sql: str, session: int) -> str:
    row = conn.execute(sql, (session,)).fetchone()
    return (row and row[0]) or ""
