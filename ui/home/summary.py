"""The numbers on Home, from the store's totals and the latest traces. Pure; no Qt."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.models.span import Status
from app.models.trace import Totals, TraceRow
from ui import format


@dataclass(frozen=True, slots=True)
class Figure:
    """One card: a number, what it is, and what to add to it."""

    title: str
    value: str
    note: str = ""
    points: tuple[float, ...] = ()
    """A sparkline, oldest first; empty for none."""


def figures(totals: Totals, latest: Sequence[TraceRow]) -> list[Figure]:
    """Return the cards; `latest` is newest first."""
    ended = [row for row in latest if row.duration_ns is not None]
    lasted = sorted(row.duration_ns for row in ended if row.duration_ns is not None)
    failed = sum(row.status == Status.ERROR or row.n_errors > 0 for row in ended)
    unpriced = f"plus {format.count(totals.unpriced_today, 'unpriced call')}" if totals.unpriced_today else "all priced"
    oldest_first = list(reversed(ended))
    return [
        Figure("Spent today", format.money(totals.cost_today_nusd), unpriced, _series(oldest_first, "cost_nusd")),
        Figure("Calls", format.count(totals.n_calls), f"{format.count(totals.calls_last_minute)} in the last minute"),
        Figure(
            "Failing",
            format.percent(failed / len(ended) if ended else None),
            f"{failed} of the last {len(ended)}",
            tuple(1.0 if row.status == Status.ERROR or row.n_errors else 0.0 for row in oldest_first),
        ),
        Figure(
            "Duration p50 / p95",
            f"{format.duration(_rank(lasted, 50))} / {format.duration(_rank(lasted, 95))}",
            f"of the last {len(lasted)}",
            _series(oldest_first, "duration_ns"),
        ),
        Figure("On disk", format.size(totals.size_bytes), format.count(totals.n_traces, "trace")),
    ]


def _series(rows: Sequence[TraceRow], name: str) -> tuple[float, ...]:
    return tuple(float(getattr(row, name) or 0) for row in rows)


def _rank(ranked: Sequence[int], percent: int) -> int | None:
    return ranked[min(len(ranked) * percent // 100, len(ranked) - 1)] if ranked else None
