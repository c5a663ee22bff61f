"""Amounts as people write them: `>2s`, `1k..8k`, `$0.0412`, `6m45s`, `2h` ago, `2026-11-23`.

Every amount becomes a closed interval of integers (ns, nano-USD, tokens). A bare amount is as exact as it was written:
`2.31s` is everything that reads `2.31 s`. Zero is exactly zero.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from app.errors import InputError

_NUMBER: Final = r"(\d+(?:_\d+)*)(?:\.(\d+))?"
_DURATION_PIECE: Final = re.compile(rf"{_NUMBER}(ns|us|µs|ms|s|m|h|d|w)")
_SCALED: Final = re.compile(rf"\$?{_NUMBER}([kKM]?)")
_DATE: Final = re.compile(r"(\d{4}-\d\d)(-\d\d)?(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
_UNIT_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
    "w": 7 * 86_400 * 10**9,
}
_SCALE: Final = {"": 1, "k": 1000, "K": 1000, "M": 1_000_000}
_LIMIT: Final = 2**62


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included; None is no bound. Nothing unknown lies in it."""

    low: int | None
    high: int | None

    def __contains__(self, value: int | None) -> bool:
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class _Amount:
    value: int
    step: int
    """The worth of its last written digit."""


def read_duration(text: str) -> Interval:
    """Return the interval in ns: units are ns us ms s m h d w.

    Raises InputError.
    """
    return _interval(text, _duration)


def read_cost(text: str) -> Interval:
    """Return the interval in nano-USD; the `$` may be left out.

    Raises InputError.
    """
    return _interval(text, lambda piece: _scaled(piece, 10**9, "an amount of US dollars, such as 0.05"))


def read_count(text: str) -> Interval:
    """Return the interval of a count: 800, 8k, 1.5M.

    Raises InputError.
    """
    return _interval(text, lambda piece: _scaled(piece, 1, "a number, such as 800 or 8k"))


def read_moment(text: str, now_ns: int, *, is_end: bool) -> Interval:
    """Return the times (UTC ns) from a moment on or, with `is_end`, up to the end of it.

    A moment is a duration back from now, `now`, `today`, `yesterday`, or a date with or without a time, local where
    it names no zone. `until:2026-11-23` has all of that day in it. Raises InputError.
    """
    begin_ns, end_ns = _moment(text, now_ns)
    return Interval(None, end_ns) if is_end else Interval(begin_ns, None)


def _interval(text: str, read: Callable[[str], _Amount]) -> Interval:
    if ".." in text:
        low, high = text.split("..", 1)
        if not low and not high:
            raise InputError(f"The range {text!r} has no ends.", hint="Give one or both: 1..8, 1.., ..8")
        bounds = Interval(read(low).value if low else None, read(high).value if high else None)
        if bounds.low is not None and bounds.high is not None and bounds.low > bounds.high:
            raise InputError(f"The range {text!r} ends before it begins.", hint="Write the smaller end first.")
        return bounds
    if text.startswith(">="):
        return Interval(read(text[2:]).value, None)
    if text.startswith("<="):
        return Interval(None, read(text[2:]).value)
    if text.startswith(">"):
        return Interval(read(text[1:]).value + 1, None)
    if text.startswith("<"):
        return Interval(None, read(text[1:]).value - 1)
    amount = read(text.removeprefix("="))
    if amount.value == 0 or amount.step < 2:
        return Interval(amount.value, amount.value)
    half = amount.step // 2
    return Interval(amount.value - half, amount.value + half - 1)


def _scaled(text: str, unit: int, wanted: str) -> _Amount:
    match = _SCALED.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not {wanted}.")
    whole, fraction, scale = match.groups()
    return _amount(text, whole, fraction, _SCALE[scale] * unit)


def _duration(text: str) -> _Amount:
    if text == "0":
        return _Amount(0, 1)
    total, at, step = 0, 0, 1
    while match := _DURATION_PIECE.match(text, at):
        whole, fraction, unit = match.groups()
        piece = _amount(text, whole, fraction, _UNIT_NS[unit])
        total, step, at = total + piece.value, piece.step, match.end()
    if not text or at < len(text):
        hint = f"Say the unit: {text}ms or {text}s." if text.replace(".", "", 1).isdigit() else "Such as 500ms or 2s."
        raise InputError(f"{text!r} is not a length of time.", hint=hint)
    return _Amount(total, step)


def _amount(text: str, whole: str, fraction: str | None, unit: int) -> _Amount:
    digits = fraction or ""
    value = Decimal(f"{whole.replace('_', '')}.{digits or '0'}") * unit
    if value > _LIMIT:
        raise InputError(f"{text!r} is too large.")
    return _Amount(int(value), max(1, unit // 10 ** min(len(digits), 30)))


def _moment(text: str, now_ns: int) -> tuple[int, int]:
    """Return the first and the last nanosecond of a moment."""
    if text == "now":
        return now_ns, now_ns
    if text in ("today", "yesterday"):
        day = datetime.fromtimestamp(now_ns // 10**9).astimezone().replace(tzinfo=None)
        midnight = datetime(day.year, day.month, day.day) - timedelta(days=text == "yesterday")  # noqa: DTZ001
        return _local_ns(midnight), _local_ns(midnight + timedelta(days=1)) - 1
    if _DURATION_PIECE.match(text):
        moment_ns = now_ns - _duration(text).value
        return moment_ns, moment_ns
    match = _DATE.fullmatch(text)
    if match is None:
        hint = "Such as 2h, 7d, today, 2026-11-23 or 2026-11-23T10:30."
        raise InputError(f"{text!r} is not a time.", hint=hint)
    try:
        return _dated(match)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{text!r} is not a time: {error}.") from error


def _dated(match: re.Match[str]) -> tuple[int, int]:
    month, day, minute, second, zone = match.groups()
    begin = datetime.fromisoformat(f"{month}{day or '-01'}T{minute or '00:00'}{second or ''}{zone or ''}")
    if second:
        end = begin + (timedelta(microseconds=1) if "." in second else timedelta(seconds=1))
    elif minute:
        end = begin + timedelta(minutes=1)
    elif day:
        end = begin + timedelta(days=1)
    else:
        end = (begin + timedelta(days=31)).replace(day=1)
    return _local_ns(begin), _local_ns(end) - 1


def _local_ns(moment: datetime) -> int:
    aware = moment.astimezone()
    return int(aware.replace(microsecond=0).timestamp()) * 10**9 + aware.microsecond * 1000
