"""Time on pixels."""

from hypothesis import given
from hypothesis import strategies as st

from ui.kit.time_scale import TimeScale, kept, tick_text, zoomed

S = 1_000_000_000


def test_ticks_are_round_and_read_short() -> None:
    scale = TimeScale(0, 8_420_000_000, 0, 276)
    assert scale.ticks() == [(0, "0"), (2 * S, "2 s"), (4 * S, "4 s"), (6 * S, "6 s"), (8 * S, "8 s")]
    assert [text for _, text in TimeScale(0, 900 * S, 0, 400).ticks()] == ["0", "5 m", "10 m", "15 m"]
    assert tick_text(1_500_000_000, 500_000_000) == "1.5 s"
    assert tick_text(250_000_000, 50_000_000) == "250 ms"


@given(st.integers(0, 10**12), st.integers(1000, 10**12), st.integers(40, 4000))
def test_a_pixel_leads_back_to_its_moment(low_ns: int, span_ns: int, width_px: int) -> None:
    scale = TimeScale(low_ns, low_ns + span_ns, 10, width_px)
    at_ns = low_ns + span_ns // 3
    assert abs(scale.at_ns(scale.x(at_ns)) - at_ns) <= span_ns / width_px + 1
    assert len(scale.ticks()) <= width_px / 30 + 2


@given(st.floats(0.01, 100), st.integers(0, 10**10))
def test_zoom_stays_within_the_whole(factor: float, around_ns: int) -> None:
    whole = (0, 10**10)
    low_ns, high_ns = zoomed(2 * S, 6 * S, around_ns, factor, whole)
    assert whole[0] <= low_ns < high_ns <= whole[1]


def test_zooming_keeps_the_moment_under_the_pointer() -> None:
    low_ns, high_ns = zoomed(0, 8 * S, 2 * S, 0.5, (0, 8 * S))
    assert (low_ns, high_ns) == (S, 5 * S)
    assert kept(-S, 2 * S, (0, 8 * S)) == (0, 2 * S)
