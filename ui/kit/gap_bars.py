"""The pieces of a stream as bars: how long each was waited for, stalls in another colour and with a mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.timing import Timing
from ui import format
from ui.theme import Theme

STALL_NS: Final = 250_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What the arrival times of a stream come to."""

    gaps_ns: tuple[int, ...]
    """Before each piece but the first."""
    median_ns: int | None
    p99_ns: int | None
    longest_ns: int | None
    n_stalls: int
    stream_ns: int
    """From the first piece to the last."""


def pace_of(timing: Timing) -> Pace:
    """Return the gaps between a stream's pieces and what they come to."""
    offsets = timing.offsets_ns
    gaps = tuple(later - earlier for earlier, later in pairwise(offsets))
    ranked = sorted(gaps)
    return Pace(
        gaps_ns=gaps,
        median_ns=ranked[len(ranked) // 2] if ranked else None,
        p99_ns=ranked[min(len(ranked) * 99 // 100, len(ranked) - 1)] if ranked else None,
        longest_ns=ranked[-1] if ranked else None,
        n_stalls=sum(gap >= STALL_NS for gap in gaps),
        stream_ns=offsets[-1] - offsets[0] if offsets else 0,
    )


class GapBars(QWidget):
    """One bar a gap; many gaps share a pixel and the longest of them shows."""

    hovered = Signal(str)
    """What the bar under the pointer stands for; "" for none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._gaps: Sequence[int] = ()
        self._at = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Token timing")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a height that shows a curve."""
        return QSize(300, 120)

    def show_gaps(self, gaps_ns: Sequence[int]) -> None:
        """Show these gaps."""
        self._gaps = gaps_ns
        stalls = sum(gap >= STALL_NS for gap in gaps_ns)
        longest = format.duration(max(gaps_ns, default=None))
        self.setAccessibleDescription(f"{len(gaps_ns)} gaps, the longest {longest}, {stalls} stalls")
        self.update()

    def bars(self) -> list[tuple[int, int]]:
        """Return (first gap, longest gap in ns) of each bar, no more bars than fit."""
        room = max(self.width() // 4, 1)
        each = -(-len(self._gaps) // room) if self._gaps else 1
        return [(at, max(self._gaps[at : at + each])) for at in range(0, len(self._gaps), each)]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bars over a base line; stalls reach higher and carry a dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, bars = self._theme, self.bars()
        base = self.height() - 6.0
        painter.setPen(QPen(theme.color("line_strong"), 1))
        painter.drawLine(QPointF(0, base + 1.5), QPointF(self.width(), base + 1.5))
        painter.setPen(Qt.PenStyle.NoPen)
        top_ns = max((gap for _, gap in bars), default=1) or 1
        step = min(self.width() / max(len(bars), 1), 12.0)
        for number, (_, gap) in enumerate(bars):
            is_stall = gap >= STALL_NS
            height = max(2.0, (gap / top_ns) ** 0.6 * (base - 12))
            color = theme.color("warn" if is_stall else "llm")
            painter.setBrush(color if number != self._at else theme.color("text"))
            painter.drawRoundedRect(QRectF(number * step, base - height, max(step - 1.4, 1.2), height), 1, 1)
            if is_stall:
                painter.drawEllipse(QPointF(number * step + step / 2 - 0.7, base - height - 5), 2, 2)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what the bar under the pointer stands for."""
        bars = self.bars()
        step = min(self.width() / max(len(bars), 1), 12.0)
        at = int(event.position().x() / step)
        at = at if at < len(bars) else -1
        if at != self._at:
            self._at = at
            self.hovered.emit("" if at < 0 else _bar_words(*bars[at]))
            self.update()

    def leaveEvent(self, event: object) -> None:
        """Forget the bar under the pointer."""
        self._at = -1
        self.hovered.emit("")
        self.update()


def _bar_words(gap: int, longest_ns: int) -> str:
    return f"piece {gap + 2:,} came {format.duration(longest_ns)} after the one before"


class PhaseBar(QWidget):
    """A call's time in phases, side by side: queue, waiting for the first token, streaming."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._phases: list[tuple[str, int, str, float]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Phases")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return room for a bar and its labels."""
        return QSize(300, 74)

    def show_phases(self, phases: list[tuple[str, int, str, float]]) -> None:
        """Show (name, ns, colour token, opacity) in order."""
        self._phases = [phase for phase in phases if phase[1] > 0]
        self.setAccessibleDescription(", ".join(f"{name} {format.duration(ns)}" for name, ns, _, _ in self._phases))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar, and under it what each part is."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, total_ns = self._theme, sum(ns for _, ns, _, _ in self._phases) or 1
        painter.setFont(theme.ui_font(-1))
        left, legend, line = 0.0, 0.0, 30.0
        for name, ns, token, opacity in self._phases:
            color = theme.color(token)
            color = type(color)(color)
            color.setAlphaF(opacity)
            width = max(ns / total_ns * self.width(), 2.0)
            painter.fillRect(QRectF(left, 6, width - 1, 14), color)
            left += width
            text = f"{name} {format.duration(ns)}"
            advance = painter.fontMetrics().horizontalAdvance(text)
            if legend and legend + advance + 18 > self.width():
                legend, line = 0.0, line + 20
            painter.fillRect(QRectF(legend, line + 6, 9, 9), color)
            painter.setPen(theme.color("dim"))
            painter.drawText(QRectF(legend + 14, line, advance + 4, 20), Qt.AlignmentFlag.AlignVCenter, text)
            legend += advance + 30
        painter.end()
