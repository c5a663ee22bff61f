"""The numbers on Home."""

from made_traces import MS_NS, trace_row

from app.models.span import Status
from app.models.trace import Totals
from ui.home.summary import figures


def totals(**fields: object) -> Totals:
    values = {
        "n_traces": 3, "n_calls": 12, "size_bytes": 402_000, "calls_last_minute": 2, "cost_today_nusd": 3_300_000,
        "unpriced_today": 0, "unindexed": 0,
    }  # fmt: skip
    return Totals(**(values | fields))  # type: ignore[arg-type]


def test_figures_speak_of_what_has_ended() -> None:
    rows = [
        trace_row(3, status=Status.RUNNING, duration_ns=None),
        trace_row(2, n_errors=0, duration_ns=100 * MS_NS),
        trace_row(1, status=Status.ERROR, duration_ns=900 * MS_NS),
    ]
    spent, calls, failing, lasted, disk = figures(totals(), rows)
    assert (spent.value, spent.note) == ("$0.0033", "all priced")
    assert (calls.value, calls.note) == ("12", "2 in the last minute")
    assert (failing.value, failing.note, failing.points) == ("50.0%", "1 of the last 2", (1.0, 0.0))
    assert lasted.value == "900 ms / 900 ms"
    assert (disk.value, disk.note) == ("402 KB", "3 traces")


def test_unknown_is_never_zero() -> None:
    spent, _, failing, lasted, _ = figures(totals(cost_today_nusd=None, unpriced_today=2), [])
    assert (spent.value, spent.note) == ("–", "plus 2 unpriced calls")
    assert (failing.value, lasted.value) == ("–", "– / –")
