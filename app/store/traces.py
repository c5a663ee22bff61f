"""The rows of the traces list, newest first, by keyset: a page begins where the one before it ended."""

import sqlite3
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from app.models.span import Status
from app.models.trace import TraceRow
from app.store.filters import Condition

Cursor = tuple[int, int]
"""(start_ns, id) of the last row of the page before."""

_ROW: Final = """
SELECT t.id, t.tid, name.s, t.status, t.start_us, t.end_us, session.s, model.s, t.n_models, provider.s, vkey.name,
       ifnull(first.inp, ''), ifnull(last.outp, ''), opening.ttft_us, t.tok_in, t.tok_out, t.cost_nano, t.n_unpriced,
       t.n_spans, t.n_err
FROM trace t
LEFT JOIN str name ON name.id = t.name
LEFT JOIN str session ON session.id = t.session
LEFT JOIN call opening ON opening.id = t.first_call
LEFT JOIN call closing ON closing.id = t.last_call
LEFT JOIN str model ON model.id = closing.model
LEFT JOIN str provider ON provider.id = closing.provider
LEFT JOIN vkey ON vkey.id = closing.key
LEFT JOIN preview first ON first.id = t.first_call
LEFT JOIN preview last ON last.id = t.last_call
"""
_IN_STEPS: Final = 500
_STEPS_A_LOOK: Final = 2000
"""Of SQLite's machine, between two looks at the clock."""


def quick_page(
    conn: sqlite3.Connection, condition: Condition, before: Cursor | None, limit: int, budget_s: float
) -> list[TraceRow] | None:
    """Return up to `limit` traces that meet the condition, newest first, from after `before` on.

    None: they could not be found in `budget_s`; newest first is slow where few among many match.
    """
    end_s = monotonic() + budget_s
    conn.set_progress_handler(lambda: monotonic() > end_s, _STEPS_A_LOOK)
    try:
        ids = page_ids(conn, condition, before, limit)
    except sqlite3.OperationalError as error:
        if str(error) != "interrupted":
            raise
        return None
    finally:
        conn.set_progress_handler(None, 0)
    return rows(conn, ids)


def page_ids(conn: sqlite3.Connection, condition: Condition, before: Cursor | None, limit: int) -> list[int]:
    """Return the ids of a page in its order."""
    after = "AND (t.start_us, t.id) < (?, ?)" if before else ""
    keyset = (before[0] // 1000, before[1]) if before else ()
    found = conn.execute(
        f"SELECT t.id FROM trace t WHERE {condition.sql} {after} "  # noqa: S608 - made of our own words only
        "ORDER BY t.start_us DESC, t.id DESC LIMIT ?",
        (*condition.values, *keyset, limit),
    )
    return [trace for (trace,) in found.fetchall()]


def rows(conn: sqlite3.Connection, ids: Sequence[int]) -> list[TraceRow]:
    """Return the rows of these traces in the order given; those that are gone are left out."""
    found: dict[int, TraceRow] = {}
    for at in range(0, len(ids), _IN_STEPS):
        wanted = ids[at : at + _IN_STEPS]
        marks = ",".join("?" * len(wanted))
        for row in conn.execute(f"{_ROW} WHERE t.id IN ({marks})", wanted).fetchall():
            found[row[0]] = _row(row)
    return [found[trace] for trace in ids if trace in found]


def find(conn: sqlite3.Connection, trace_id: bytes) -> int | None:
    """Return the row id of a trace."""
    row = conn.execute("SELECT id FROM trace WHERE tid = ?", (trace_id,)).fetchone()
    return int(row[0]) if row else None


def _row(row: tuple[Any, ...]) -> TraceRow:
    trace, tid, name, status, start_us, end_us, session, model, n_models, provider, key, first, last, ttft_us = row[:14]
    tok_in, tok_out, cost_nano, n_unpriced, n_spans, n_err = row[14:]
    is_over = status != Status.RUNNING and end_us is not None
    return TraceRow(
        id=trace,
        trace_id=tid,
        name=name or "",
        status=Status(status),
        start_ns=start_us * 1000,
        duration_ns=(end_us - start_us) * 1000 if is_over else None,
        session=session,
        model=model,
        n_models=n_models,
        provider=provider,
        key=key,
        input_preview=first,
        output_preview=last,
        ttft_ns=None if ttft_us is None else ttft_us * 1000,
        input_tokens=tok_in,
        output_tokens=tok_out,
        cost_nusd=cost_nano,
        n_unpriced=n_unpriced,
        n_spans=n_spans,
        n_errors=n_err,
    )
