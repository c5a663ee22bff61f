"""Where a call's time went."""

from made_traces import MS_NS, span_detail, timing

from app.models.timing import Timing
from ui.kit.gap_bars import pace_of
from ui.traces.timing_tab import numbers_of, phases_of, tokens_a_second


def test_phases_add_up_to_the_call() -> None:
    span = span_detail()
    phases = phases_of(span, timing())
    assert [(name, ns // MS_NS) for name, ns, _, _ in phases] == [("queue", 390), ("waiting", 352), ("streaming", 2638)]
    assert sum(ns for _, ns, _, _ in phases) == span.duration_ns


def test_a_running_call_has_no_negative_phase() -> None:
    span = span_detail(duration_ns=None, ttft_ns=None, attempts=())
    assert all(ns >= 0 for _, ns, _, _ in phases_of(span, Timing(None, (), ())))


def test_tokens_a_second_need_both_tokens_and_a_stream() -> None:
    pace = pace_of(timing())
    rate = tokens_a_second(span_detail(), pace)
    assert rate is not None and 100 < rate < 400
    assert tokens_a_second(span_detail(usage=None), pace) is None
    assert tokens_a_second(span_detail(), pace_of(Timing(None, (), ()))) is None


def test_stalls_are_told() -> None:
    assert ("Stalls over 250 ms", "2") in numbers_of(span_detail(), timing(), pace_of(timing()))
