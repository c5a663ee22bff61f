"""The Timing tab: where a call's time went, and how its stream came."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.models.timing import Timing
from app.models.trace import SpanDetail
from ui import format
from ui.desk import Desk
from ui.kit.gap_bars import GapBars, Pace, PhaseBar, pace_of
from ui.style import set_role
from ui.traces.tab import EmptyNote, SpanTab, column


class TimingTab(SpanTab):
    """Phases, gaps between pieces, and the numbers they come to."""

    title = "Timing"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        inside = QWidget(self)
        self._phases = PhaseBar(desk.theme, inside)
        self._gaps_title = _heading("Token timing", inside)
        self._gaps = GapBars(desk.theme, inside)
        self._hover = QLabel(inside)
        set_role(self._hover, role="dim")
        self._gaps.hovered.connect(lambda text: self._hover.setText(text or self._summary))
        self._summary = ""
        self._note = EmptyNote(inside)
        self._numbers = QGridLayout()
        self._numbers.setHorizontalSpacing(24)
        self._numbers.setColumnStretch(1, 1)
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(8)
        layout.addWidget(_heading("Where the time went", inside))
        for part in (self._phases, self._gaps_title, self._gaps, self._hover, self._note):
            layout.addWidget(part)
        layout.addLayout(self._numbers)
        layout.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        column(self, scroll)

    async def load(self, span: SpanDetail, *, is_same: bool) -> None:
        """Read the times of the stream's pieces."""
        timing: Timing = await self.desk.reader.ask("timing", span.id) if span.method else Timing(None, (), ())
        pace = pace_of(timing)
        has_stream = bool(pace.gaps_ns)
        for part in (self._gaps_title, self._gaps, self._hover):
            part.setVisible(has_stream)
        self._note.say("" if has_stream else "Not a stream: it came in one piece." if span.method else "")
        self._phases.show_phases(phases_of(span, timing))
        self._gaps.show_gaps(pace.gaps_ns)
        self._summary = _summary(span, pace)
        self._hover.setText(self._summary)
        self._show_numbers(numbers_of(span, timing, pace))

    def _show_numbers(self, numbers: list[tuple[str, str]]) -> None:
        while (item := self._numbers.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for row, (name, value) in enumerate(numbers):
            label, shown = QLabel(name), QLabel(value)
            set_role(label, role="dim")
            shown.setFont(self.desk.theme.code_font())
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._numbers.addWidget(label, row, 0)
            self._numbers.addWidget(shown, row, 1)


def phases_of(span: SpanDetail, timing: Timing) -> list[tuple[str, int, str, float]]:
    """Return (name, ns, colour token, opacity) of a call's phases; what is not known is left out."""
    total_ns = span.duration_ns or 0
    tried = span.attempts[-1].start_ns - span.start_ns if span.attempts else 0
    queue_ns = min(max(tried, 0), total_ns)
    first_ns = span.ttft_ns if span.ttft_ns is not None else timing.first_byte_ns
    if first_ns is None:
        return [("queue", queue_ns, "http", 1.0), ("call", total_ns - queue_ns, "llm", 1.0)]
    first_ns = min(max(first_ns, queue_ns), max(total_ns, queue_ns))
    return [
        ("queue", queue_ns, "http", 1.0),
        ("waiting", first_ns - queue_ns, "llm", 0.42),
        ("streaming" if len(timing.offsets_ns) > 1 else "reading", total_ns - first_ns, "llm", 1.0),
    ]


def numbers_of(span: SpanDetail, timing: Timing, pace: Pace) -> list[tuple[str, str]]:
    """Return what to read off a call's times, as (name, value)."""
    rows = [
        ("Duration", format.duration(span.duration_ns)),
        ("Time to first token", format.duration(span.ttft_ns)),
        ("First byte", format.duration(timing.first_byte_ns)),
    ]
    rate = tokens_a_second(span, pace)
    if rate is not None:
        rows.append(("Tokens a second", f"{rate:.0f}"))
    if pace.gaps_ns:
        rows += [
            ("Pieces", format.count(len(timing.offsets_ns))),
            ("Median gap", format.duration(pace.median_ns)),
            ("p99 gap", format.duration(pace.p99_ns)),
            ("Longest gap", format.duration(pace.longest_ns)),
            ("Stalls over 250 ms", format.count(pace.n_stalls)),
        ]
    if len(span.attempts) > 1:
        rows.append(("Attempts", format.count(len(span.attempts))))
    return rows


def tokens_a_second(span: SpanDetail, pace: Pace) -> float | None:
    """Return output tokens over the time they streamed, None where either is not known."""
    if span.usage is None or not span.usage.output_tokens or pace.stream_ns <= 0:
        return None
    return span.usage.output_tokens / (pace.stream_ns / 1e9)


def _summary(span: SpanDetail, pace: Pace) -> str:
    rate = tokens_a_second(span, pace)
    parts = [
        f"TTFT {format.duration(span.ttft_ns)}",
        f"{rate:.0f} tok/s" if rate is not None else "",
        f"p99 gap {format.duration(pace.p99_ns)}",
        format.count(pace.n_stalls, "stall") + " > 250 ms",
    ]
    return "  ·  ".join(part for part in parts if part)


def _heading(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    set_role(label, role="dim")
    return label
