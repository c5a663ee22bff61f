"""Time on pixels: the range a waterfall shows, its ticks, zoom and pan."""

from dataclasses import dataclass
from math import floor, log10

from ui import format

MIN_SPAN_NS = 1_000


@dataclass(frozen=True, slots=True)
class TimeScale:
    """From `low_ns` to `high_ns` on `width_px` pixels that begin at `left_px`."""

    low_ns: int
    high_ns: int
    left_px: int
    width_px: int

    def x(self, at_ns: int) -> float:
        """Return where a moment lies."""
        return self.left_px + (at_ns - self.low_ns) * self.width_px / max(self.high_ns - self.low_ns, 1)

    def at_ns(self, x: float) -> int:
        """Return the moment under a pixel."""
        share = (x - self.left_px) / max(self.width_px, 1)
        return self.low_ns + round(share * (self.high_ns - self.low_ns))

    def ticks(self, gap_px: int = 60) -> list[tuple[int, str]]:
        """Return round moments to mark, at least about `gap_px` apart, and what they read."""
        span_ns = self.high_ns - self.low_ns
        if self.width_px < 20 or span_ns <= 0:
            return []
        step_ns = _round_up(span_ns * gap_px / self.width_px)
        first = -(-self.low_ns // step_ns) * step_ns
        return [(at_ns, tick_text(at_ns, step_ns)) for at_ns in range(first, self.high_ns + 1, step_ns)]


def zoomed(low_ns: int, high_ns: int, around_ns: int, factor: float, whole: tuple[int, int]) -> tuple[int, int]:
    """Return the range made `factor` times as wide around a moment, kept within the whole."""
    span_ns = max(MIN_SPAN_NS, min(round((high_ns - low_ns) * factor), whole[1] - whole[0]))
    share = (around_ns - low_ns) / max(high_ns - low_ns, 1)
    return kept(around_ns - round(span_ns * share), span_ns, whole)


def kept(low_ns: int, span_ns: int, whole: tuple[int, int]) -> tuple[int, int]:
    """Return a range of that width moved to lie within the whole."""
    span_ns = min(span_ns, whole[1] - whole[0])
    low_ns = min(max(low_ns, whole[0]), whole[1] - span_ns)
    return low_ns, low_ns + span_ns


def tick_text(at_ns: int, step_ns: int) -> str:
    """Return a tick's label with no more digits than its step needs: `0`, `500 ms`, `2 s`, `1.5 s`, `3 m`."""
    if at_ns == 0:
        return "0"
    for unit, size_ns in (("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)):
        if step_ns >= size_ns or (abs(at_ns) >= size_ns and step_ns * 1000 >= size_ns and unit != "m"):
            amount = at_ns / size_ns
            return f"{amount:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return format.duration(at_ns)


def _round_up(step_ns: float) -> int:
    """Return the next 1, 2 or 5 times a power of ten; of minutes and hours the next even part."""
    minute_ns = 60_000_000_000
    if step_ns > 20_000_000_000:
        for minutes in (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440):
            if step_ns <= minutes * minute_ns:
                return int(minutes * minute_ns)
        return -(-int(step_ns) // (1440 * minute_ns)) * 1440 * minute_ns
    power = 10 ** floor(log10(max(step_ns, 1)))
    for factor in (1, 2, 5, 10):
        if step_ns <= factor * power:
            return int(factor * power)
    return int(10 * power)
