"""A stream's pace."""

from made_traces import MS_NS, timing
from pytestqt.qtbot import QtBot

from app.models.timing import Timing
from ui.kit.gap_bars import GapBars, pace_of
from ui.theme import Theme


def test_gaps_lie_between_pieces() -> None:
    pace = pace_of(Timing(5, (10, 30, 340_000_000), (1, 1, 1)))
    assert pace.gaps_ns == (20, 339_999_970)
    assert (pace.n_stalls, pace.longest_ns, pace.stream_ns) == (1, 339_999_970, 339_999_990)


def test_a_call_without_a_stream_has_no_pace() -> None:
    pace = pace_of(Timing(None, (), ()))
    assert (pace.gaps_ns, pace.median_ns, pace.p99_ns, pace.n_stalls) == ((), None, None, 0)


def test_many_gaps_share_bars_and_no_stall_is_lost(qtbot: QtBot) -> None:
    bars = GapBars(Theme("dark"))
    qtbot.addWidget(bars)
    bars.resize(300, 120)
    gaps = [10 * MS_NS] * 20_000
    gaps[13_333] = 900 * MS_NS
    bars.show_gaps(gaps)
    assert len(bars.bars()) <= 75
    assert max(longest for _, longest in bars.bars()) == 900 * MS_NS
    bars.grab()
    assert bars.accessibleDescription() == "20000 gaps, the longest 900 ms, 1 stalls"


def test_stalls_are_counted() -> None:
    assert pace_of(timing()).n_stalls == 2
