"""The packed trees of big traces, in `skel`: read whole instead of row by row.

A cache: a change of the trace deletes its row (the writer does), another version is ignored, anything can be dropped.
`SkeletonJob` seals traces that went idle; it runs in the writer's thread when nothing else is to be written.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Final

SEAL_FROM_SPANS: Final = 2000
VERSION: Final = 1
_LOOK_EVERY_NS: Final = 30 * 10**9
_IDLE_FOR_NS: Final = 10 * 10**9
_CANDIDATES: Final = """
SELECT id FROM trace WHERE n_spans >= ? AND n_running = 0 AND end_us < ?
AND id NOT IN (SELECT trace FROM skel WHERE ver = ?) ORDER BY id
"""


class SkeletonJob:
    """Seals the trees of big traces that no call has touched for a while, one a run. An idle job of the writer."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._next_look_ns = 0
        self._due: list[int] = []

    def __call__(self, conn: sqlite3.Connection) -> bool:
        """Seal one trace; True if more wait."""
        now_ns = self._now_ns()
        if not self._due and now_ns >= self._next_look_ns:
            self._next_look_ns = now_ns + _LOOK_EVERY_NS
            idle_since_us = (now_ns - _IDLE_FOR_NS) // 1000
            found = conn.execute(_CANDIDATES, (SEAL_FROM_SPANS, idle_since_us, VERSION)).fetchall()
            self._due = [trace for (trace,) in reversed(found)]
        if self._due:
            seal(conn, self._due.pop())
        return bool(self._due)


def seal(conn: sqlite3.Connection, trace: int) -> None:
    """Keep the packed tree of a trace."""
    from app.store import trees  # brings numpy: only a process that meets a big trace pays for it

    drawn = trees.draw(trees.read_spans(conn, trace))
    n_spans = len(drawn["id"])
    conn.execute("INSERT OR REPLACE INTO skel VALUES (?, ?, ?, ?)", (trace, n_spans, VERSION, trees.pack(drawn)))


def packed(conn: sqlite3.Connection, trace: int, n_spans: int) -> bytes | None:
    """Return the packed tree of a trace of so many spans, None where there is none that is current."""
    sql = "SELECT cols FROM skel WHERE trace = ? AND n = ? AND ver = ?"
    row = conn.execute(sql, (trace, n_spans, VERSION)).fetchone()
    return bytes(row[0]) if row else None
