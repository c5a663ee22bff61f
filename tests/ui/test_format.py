import re
import time

import pytest

from ui import format as text

S = 1_000_000_000


@pytest.mark.parametrize(
    ("value_ns", "shown"),
    [
        (None, "–"),
        (-1, "–"),
        (0, "0 ms"),
        (420_000, "0.42 ms"),
        (9_994_000, "9.99 ms"),
        (840_000_000, "840 ms"),
        (999_600_000, "1.00 s"),
        (2_310_000_000, "2.31 s"),
        (59_996_000_000, "1 m 00 s"),
        (405 * S, "6 m 45 s"),
        (10_920 * S, "3 h 02 m"),
    ],
)
def test_duration(value_ns: int | None, shown: str) -> None:
    assert text.duration(value_ns) == shown


@pytest.mark.parametrize(
    ("value_nusd", "shown"),
    [
        (None, "–"),
        (0, "$0"),
        (1, "$0.000000001"),
        (123, "$0.00000012"),
        (610_000, "$0.00061"),
        (6_100_000, "$0.0061"),
        (41_200_000, "$0.0412"),
        (412_000_000, "$0.412"),
        (999_999_999, "$1.00"),
        (1_840_000_000, "$1.84"),
        (1_204_500_000_000, "$1,204.50"),
        (-41_200_000, "-$0.0412"),
    ],
)
def test_money(value_nusd: int | None, shown: str) -> None:
    assert text.money(value_nusd) == shown


def test_unknown_is_never_zero() -> None:
    readers = (text.duration, text.money, text.tokens, text.count, text.short_count, text.size, text.percent)
    assert {read(None) for read in (*readers, text.clock, text.absolute)} == {"–"}
    assert text.ago(None, 0) == "–"


def test_counts_and_sizes() -> None:
    assert text.tokens(4630) == "4,630"
    assert (text.count(1, "span"), text.count(1204, "span"), text.count(2, "entry", "entries")) == (
        "1 span",
        "1,204 spans",
        "2 entries",
    )
    assert [text.short_count(n) for n in (940, 1500, 12_540, 150_000)] == ["940", "1.5k", "12.5k", "150k"]
    assert [text.size(n) for n in (812, 4200, 1_200_000_000, 999_600)] == ["812 B", "4.2 KB", "1.2 GB", "1.0 MB"]
    assert [text.percent(share) for share in (0.0, 0.042, 1.0)] == ["0%", "4.2%", "100%"]


def test_times_are_local_and_say_their_zone() -> None:
    now_ns = time.time_ns()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", text.clock(now_ns, now_ns))
    assert re.fullmatch(r"\d\d \w{3} \d\d:\d\d", text.clock(now_ns - 3 * 86_400 * S, now_ns))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S+", text.absolute(now_ns))
    assert text.absolute(1_780_000_000_412_000_000, is_utc=True) == "2026-05-28 20:26:40.412 UTC"


def test_ago() -> None:
    shown = [text.ago(0, passed_s * S) for passed_s in (1, 42, 300, 3 * 3600, 49 * 3600)]
    assert shown == ["just now", "42 s ago", "5 m ago", "3 h ago", "2 d ago"]


def test_an_uptime_ticks_in_whole_seconds() -> None:
    shown = [text.uptime(passed_s * S + 700_000_000) for passed_s in (5, 307, 10_920, 12 * 86_400 + 4 * 3600)]
    assert shown == ["5 s", "5 m 07 s", "3 h 02 m", "12 d 4 h"]


def test_long_text_is_cut_to_one_line() -> None:
    assert text.one_line("a\n  b\tc") == "a b c"
    assert text.one_line("x" * 300, 10) == "x" * 9 + "…"
    assert text.short_id("7c1f0000000000000000000000009e02") == "7c1f…9e02"
