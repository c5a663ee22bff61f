"""Amounts as people write them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputError
from app.models.measure import Interval, read_cost, read_count, read_duration, read_moment

NOW_NS = 1_780_000_000_000_000_000
DAY_NS = 86_400 * 10**9


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (">2s", 2_000_000_001, None),
        (">=2s", 2_000_000_000, None),
        ("<2s", None, 1_999_999_999),
        ("<=800ms", None, 800_000_000),
        ("100ms..1s", 100_000_000, 1_000_000_000),
        ("1m..", 60_000_000_000, None),
        ("..5us", None, 5_000),
        (">6m45s", 405_000_000_001, None),
        (">1.5h", 5_400_000_000_001, None),
        ("0", 0, 0),
    ],
)
def test_a_duration_is_an_interval_of_nanoseconds(text: str, low: int | None, high: int | None) -> None:
    assert read_duration(text) == Interval(low, high)


def test_a_bare_amount_is_everything_that_reads_so() -> None:
    assert read_duration("2.31s") == Interval(2_305_000_000, 2_314_999_999)
    assert read_count("4_630") == Interval(4630, 4630)
    assert read_cost("$0.0412") == Interval(41_150_000, 41_249_999)


def test_zero_is_exactly_zero() -> None:
    assert read_cost("0") == Interval(0, 0)
    assert read_cost("0.00") == Interval(0, 0)


def test_counts_take_k_and_m() -> None:
    assert read_count("1k..1.5M") == Interval(1000, 1_500_000)


@given(st.integers(0, 10**9))
def test_a_written_count_holds_itself(count: int) -> None:
    assert count in read_count(str(count))
    assert count not in read_count(f">{count}")
    assert count in read_count(f">={count}")


def test_nothing_unknown_lies_in_an_interval() -> None:
    assert None not in Interval(None, None)


@pytest.mark.parametrize("text", ["", "2", ">", "2 s", "s", "-2s", "1..2", "2s..1s", "..", "1e9s", "9" * 40 + "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_duration(text)


def test_a_length_without_unit_asks_for_one() -> None:
    with pytest.raises(InputError, match="500ms or 500s"):
        read_duration(">500")


def test_since_counts_back_and_until_ends_there() -> None:
    assert read_moment("2h", NOW_NS, is_end=False) == Interval(NOW_NS - 2 * 3600 * 10**9, None)
    assert read_moment("2h", NOW_NS, is_end=True) == Interval(None, NOW_NS - 2 * 3600 * 10**9)


def test_until_a_day_holds_all_of_that_day() -> None:
    since = read_moment("2026-11-23", NOW_NS, is_end=False)
    until = read_moment("2026-11-23", NOW_NS, is_end=True)
    midnight = datetime(2026, 11, 23).astimezone()
    assert since.low == int(midnight.timestamp()) * 10**9
    assert until.high is not None and until.high - since.low in (
        DAY_NS - 1,
        23 * DAY_NS // 24 - 1,
        25 * DAY_NS // 24 - 1,
    )


def test_a_time_with_a_zone_is_that_instant() -> None:
    assert read_moment("2026-11-23T10:30Z", NOW_NS, is_end=False).low == 1_795_429_800 * 10**9
    assert read_moment("2026-11-23T11:30:00+01:00", NOW_NS, is_end=False).low == 1_795_429_800 * 10**9


def test_today_begins_at_local_midnight_and_yesterday_ends_there() -> None:
    today, yesterday = (read_moment(word, NOW_NS, is_end=word == "yesterday") for word in ("today", "yesterday"))
    assert today.low is not None and yesterday.high == today.low - 1


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30", "tomorrow", "2026", "0001-01-01T00:00+23:59", "10:30"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_moment(text, NOW_NS, is_end=True)
