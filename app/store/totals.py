"""The numbers of the status line.

What cannot change any more is counted once: calls below the oldest one that still runs. Everything is counted anew
when the day turns, when old rows went, and every few minutes.
"""

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.models.span import Status
from app.models.trace import Totals
from app.store.schema import CALL_UNPRICED

_RECOUNT_NS: Final = 300 * 10**9
_MINUTE_US: Final = 60 * 10**6
_FIRST_RUNNING: Final = f"""
SELECT min(c.id) FROM call c JOIN span s ON s.id = c.id
WHERE c.id > ? AND c.dur_us IS NULL AND s.status = {Status.RUNNING:d}
"""  # noqa: S608 - a constant of our own
_CALLS: Final = f"""
SELECT count(*), sum(cost_nano) FILTER (WHERE ts_us >= :midnight),
       count(*) FILTER (WHERE ts_us >= :midnight AND flags & {CALL_UNPRICED:d})
FROM call WHERE id > :after AND id < :before
"""  # noqa: S608 - a constant of our own


@dataclass(slots=True)
class _Settled:
    """What is counted for good, up to call and trace ids."""

    midnight_us: int
    oldest: tuple[int, int]
    counted_ns: int
    call: int = 0
    trace: int = 0
    n_calls: int = 0
    n_traces: int = 0
    cost_nusd: int | None = None
    unpriced: int = 0


class Counter:
    """Keeps what was counted between two askings. Any thread, each with its own connection."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._lock = threading.Lock()
        self._settled: _Settled | None = None

    def totals(self, conn: sqlite3.Connection, now_ns: int) -> Totals:
        """Return the numbers as they stand."""
        with self._lock:
            settled = self._current(conn, now_ns)
            self._advance(conn, settled)
            after = {"midnight": settled.midnight_us, "after": settled.call, "before": 2**63 - 1}
            n_calls, cost_nusd, unpriced = conn.execute(_CALLS, after).fetchone()
            known = [cost for cost in (settled.cost_nusd, cost_nusd) if cost is not None]
            last_minute = "SELECT count(*) FROM call WHERE ts_us > ?"
            return Totals(
                n_traces=settled.n_traces,
                n_calls=settled.n_calls + n_calls,
                size_bytes=sum(_size(path) for path in self._files),
                calls_last_minute=conn.execute(last_minute, (now_ns // 1000 - _MINUTE_US,)).fetchone()[0],
                cost_today_nusd=sum(known) if known else None,
                unpriced_today=settled.unpriced + unpriced,
                unindexed=conn.execute("SELECT count(*) FROM fresh").fetchone()[0],
            )

    def _current(self, conn: sqlite3.Connection, now_ns: int) -> _Settled:
        day = datetime.fromtimestamp(now_ns // 10**9).astimezone()
        midnight_us = int(datetime(day.year, day.month, day.day).timestamp()) * 10**6  # noqa: DTZ001 - local midnight
        oldest = conn.execute("SELECT ifnull(min(id), 0), (SELECT ifnull(min(id), 0) FROM trace) FROM call").fetchone()
        settled = self._settled
        if settled is not None and settled.oldest == (0, 0):
            settled.oldest = oldest
        if (
            settled is None
            or (settled.midnight_us, settled.oldest) != (midnight_us, oldest)
            or not 0 <= now_ns - settled.counted_ns < _RECOUNT_NS
        ):
            settled = self._settled = _Settled(midnight_us, oldest, now_ns)
        return settled

    @staticmethod
    def _advance(conn: sqlite3.Connection, settled: _Settled) -> None:
        running = conn.execute(_FIRST_RUNNING, (settled.call,)).fetchone()[0]
        newest = conn.execute("SELECT ifnull(max(id), 0) FROM call").fetchone()[0]
        before = newest + 1 if running is None else running
        within = {"midnight": settled.midnight_us, "after": settled.call, "before": before}
        n_calls, cost_nusd, unpriced = conn.execute(_CALLS, within).fetchone()
        settled.n_calls += n_calls
        settled.unpriced += unpriced
        if cost_nusd is not None:
            settled.cost_nusd = (settled.cost_nusd or 0) + cost_nusd
        settled.call = max(settled.call, before - 1)
        sql = "SELECT count(*), ifnull(max(id), 0) FROM trace WHERE id > ?"
        n_traces, last = conn.execute(sql, (settled.trace,)).fetchone()
        settled.n_traces += n_traces
        settled.trace = max(settled.trace, last)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
