"""Forgets what is too old or too much, in slices that never hold the writer long.

Traces go whole, the oldest first: by the end of their last span for age, by their start for size. What no other row
points at goes with them; items go by the day of their last use once every body that could want them is gone. Freed
pages are given back to the system a few at a time.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.paths import Paths
from app.store import rows
from app.store.connect import transaction
from app.store.payloads import NS_A_DAY
from app.store.responses import forget_conversations

_TRACES_A_SLICE: Final = 100
_SPANS_A_SLICE: Final = 500
_ITEMS_A_SLICE: Final = 1000
_PAGES_A_SLICE: Final = 200
_US_A_DAY: Final = NS_A_DAY // 1000
_BYTES_A_GB: Final = 1_000_000_000
_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be kept. None: no limit."""

    max_age_days: float | None = None
    max_size_gb: float | None = None


class Retention:
    """An idle job of the writer. `limits` is asked each time, so that a changed config holds at once."""

    def __init__(
        self, data_dir: Path, limits: Callable[[], Limits], clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._paths = Paths(data_dir)
        self._limits = limits
        self._clock_ns = clock_ns
        self._next_ns = 0

    def __call__(self, conn: sqlite3.Connection) -> bool:
        """Do one slice; True: there is more to do."""
        now_ns = self._clock_ns()
        if now_ns < self._next_ns:
            return False
        limits = self._limits()
        if self._forget_old(conn, limits, now_ns) or self._forget_most(conn, limits):
            return True
        if delete_items(conn) or give_back_pages(conn):
            return True
        self._next_ns = now_ns + int(_EVERY_S * 1e9)
        return False

    def _forget_old(self, conn: sqlite3.Connection, limits: Limits, now_ns: int) -> bool:
        if limits.max_age_days is None:
            return False
        before_us = now_ns // 1000 - int(limits.max_age_days * _US_A_DAY)
        with transaction(conn):
            has_more = forget_conversations(conn, before_us)
        return has_more or delete_traces(
            conn, "start_us < ? AND coalesce(end_us, start_us) < ? AND n_running = 0", (before_us, before_us)
        )

    def _forget_most(self, conn: sqlite3.Connection, limits: Limits) -> bool:
        if limits.max_size_gb is None or self._used_bytes(conn) <= limits.max_size_gb * _BYTES_A_GB:
            return False
        if delete_traces(conn, "n_running = 0", ()):
            delete_items(conn)
            return True
        return False

    def _used_bytes(self, conn: sqlite3.Connection) -> int:
        """Of the database without its free pages, and of the search index."""
        pages, free, page_bytes = (
            conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        search = self._paths.search
        return int((pages - free) * page_bytes) + (search.stat().st_size if search.exists() else 0)


def delete_traces(conn: sqlite3.Connection, condition: str, values: rows.Row) -> bool:
    """Delete a slice of the oldest traces for which the SQL `condition` holds; False: there is none.

    A trace of very many spans goes a slice at a time, its row last.
    """
    with transaction(conn):
        found = conn.execute(
            f"SELECT id FROM trace WHERE {condition} ORDER BY start_us, id LIMIT {_TRACES_A_SLICE}",  # noqa: S608
            values,
        ).fetchall()
        left = _SPANS_A_SLICE
        for (trace_id,) in found:
            left -= _delete_spans(conn, trace_id, left)
            if left <= 0:
                break
            conn.execute("DELETE FROM trace WHERE id = ?", (trace_id,))
            conn.execute("DELETE FROM skel WHERE trace = ?", (trace_id,))
        return bool(found)


def delete_items(conn: sqlite3.Connection) -> bool:
    """Delete a slice of the items that no kept body can want; False: there is none.

    An item's epoch is the day of its last use, or the start of the call that used it if that was later. So what was
    last used on a day before the first kept span began belongs to nobody.
    """
    kept_from = conn.execute(
        "SELECT ifnull((SELECT min(start_us) FROM trace) / ?, (SELECT max(epoch) FROM item))", (_US_A_DAY,)
    ).fetchone()[0]
    with transaction(conn):
        found = conn.execute("SELECT id FROM item WHERE epoch < ? LIMIT ?", (kept_from, _ITEMS_A_SLICE)).fetchall()
        item_ids = [row[0] for row in found]
        rows.where_in(conn, "DELETE FROM item WHERE id IN", (), item_ids)
        rows.insert(conn, "INSERT OR IGNORE INTO gone (item)", [(item_id,) for item_id in item_ids])
    return bool(found)


def give_back_pages(conn: sqlite3.Connection) -> bool:
    """Give a slice of free pages back to the system; False: there are too few to bother."""
    free = conn.execute("PRAGMA freelist_count").fetchone()[0]
    if free < _PAGES_A_SLICE:
        return False
    conn.executescript(f"PRAGMA incremental_vacuum({_PAGES_A_SLICE})")  # `execute` would free a single page
    return True


def _delete_spans(conn: sqlite3.Connection, trace_id: int, most: int) -> int:
    """Delete up to `most` spans of a trace with all that hangs on them; return how many."""
    found = conn.execute("SELECT id, inp, outp, attrs FROM span WHERE trace = ? LIMIT ?", (trace_id, most)).fetchall()
    span_ids = [row[0] for row in found]
    marks = ",".join("?" * len(span_ids))
    calls = conn.execute(
        f"SELECT req, resp, up_req, up_resp FROM call WHERE id IN ({marks})",  # noqa: S608
        span_ids,
    ).fetchall()
    bodies = [body for row in found for body in row[1:] if body] + [body for row in calls for body in row if body]
    rows.where_in(conn, "DELETE FROM body WHERE id IN", (), bodies)
    for table, column in _OF_SPANS:
        rows.where_in(conn, f"DELETE FROM {table} WHERE {column} IN", (), span_ids)  # noqa: S608
    if span_ids:
        conn.execute("DELETE FROM colseg WHERE seg >= 0 AND hi >= ? AND lo <= ?", (min(span_ids), max(span_ids)))
    return len(span_ids)


_OF_SPANS: Final = (
    ("call", "id"), ("preview", "id"), ("chain", "call"), ("response", "call"), ("item_use", "span"), ("fresh", "span"),
    ("score", "span"), ("span", "id"),
)  # fmt: skip
