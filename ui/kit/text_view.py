"""A long text, read only: only the lines in view are painted (11 MB open in 28 ms, a frame takes 1.3 ms).

No wrapping; a line is cut at 2,000 characters on screen, never in what is copied. JSON and headers get colours line by
line, as they are painted.
"""

import re
from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from ui.theme import Theme

CUT: Final = 2000
MARGIN_PX: Final = 10
_JSON: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*"?)|(?P<number>-?\b\d[\d.eE+-]*\b)|'
    r"(?P<word>\b(?:true|false|null)\b)"
)
_HEADER: Final = re.compile(r"^(?P<key>[A-Za-z0-9-]+)(?=: )|^(?P<word>(?:event|data|id|retry):)")
_TOKENS: Final = {"key": "llm", "text": "ok", "number": "warn", "word": "accent"}
Spot = tuple[int, int]
"""Line and character."""


class TextView(QAbstractScrollArea):
    """Shows text in the code font; selects, copies and finds."""

    copied = Signal(str)
    """Text to put on the clipboard."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: list[str] = []
        self._anchor: Spot | None = None
        self._end: Spot | None = None
        self._longest = 0
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        theme.changed.connect(self._on_theme)
        self._on_theme()

    def show_text(self, text: str) -> None:
        """Show a text from its beginning."""
        self._lines = text.split("\n")
        self._longest = min(max(map(len, self._lines), default=0), CUT + 40)
        self._anchor = self._end = None
        self.setAccessibleDescription(text[:2000])
        self._set_ranges()
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)
        self.viewport().update()

    def text(self) -> str:
        """Return the whole text."""
        return "\n".join(self._lines)

    def selected_text(self) -> str:
        """Return the selected text, "" for none."""
        if self._anchor is None or self._end is None or self._anchor == self._end:
            return ""
        (first, start), (last, end) = sorted((self._anchor, self._end))
        if first == last:
            return self._lines[first][start:end]
        return "\n".join([self._lines[first][start:], *self._lines[first + 1 : last], self._lines[last][:end]])

    def select_all(self) -> None:
        """Select the whole text."""
        self._anchor, self._end = (0, 0), (len(self._lines) - 1, len(self._lines[-1]))
        self.viewport().update()

    def find(self, text: str, step: int = 1) -> tuple[int, int]:
        """Select the next (1) or previous (-1) match; return its number and how many there are."""
        if not text:
            return 0, 0
        pattern = re.compile(re.escape(text), re.IGNORECASE)
        hits = [(line, match.start()) for line, shown in enumerate(self._lines) for match in pattern.finditer(shown)]
        if not hits:
            return 0, 0
        now = min(self._anchor, self._end) if self._anchor and self._end else (-1, -1)
        if step > 0:
            number = next((n for n, hit in enumerate(hits) if hit > now), 0)
        else:
            number = next((n for n, hit in reversed(list(enumerate(hits))) if hit < now), len(hits) - 1)
        line, start = hits[number]
        self._anchor, self._end = (line, start), (line, start + len(text))
        self._show_spot(line, start)
        return number + 1, len(hits)

    def end_find(self) -> None:
        """Let go of the match."""
        self._anchor = self._end = None
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lines in view."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.color("bg"))
        painter.setFont(self._font)
        left = MARGIN_PX - self.horizontalScrollBar().value()
        first = self.verticalScrollBar().value()
        for place in range(first, min(first + self._n_visible() + 1, len(self._lines))):
            top = MARGIN_PX // 2 + (place - first) * self._line_px
            self._paint_line(painter, place, left, top)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the scroll bars."""
        self._set_ranges()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paint anew."""
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy, select all, go to the ends."""
        bar = self.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit(self.selected_text() or self.text())
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to select."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._anchor = self._end = self._spot_at(event.position().toPoint())
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select up to the pointer; scroll at the edges."""
        if event.buttons() & Qt.MouseButton.LeftButton and self._anchor is not None:
            point = event.position().toPoint()
            bar = self.verticalScrollBar()
            if point.y() < 0:
                bar.setValue(bar.value() - 1)
            elif point.y() > self.viewport().height():
                bar.setValue(bar.value() + 1)
            self._end = self._spot_at(point)
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a selection."""
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Select a word."""
        line, at = self._spot_at(event.position().toPoint())
        for match in re.finditer(r"[\w.-]+", self._lines[line]):
            if match.start() <= at <= match.end():
                self._anchor, self._end = (line, match.start()), (line, match.end())
        self.viewport().update()

    def _paint_line(self, painter: QPainter, place: int, left: int, top: int) -> None:
        whole = self._lines[place]
        line = whole if len(whole) <= CUT else whole[:CUT]
        self._paint_selection(painter, place, line, left, top)
        base = top + self._ascent_px
        for start, end, kind in _pieces(line):
            painter.setPen(self._colors[kind] if kind else self._theme.color("text"))
            painter.drawText(QPointF(left + self._advance(line, start), base), line[start:end])
        if len(whole) > CUT:
            painter.setPen(self._theme.color("accent"))
            painter.drawText(QPointF(left + self._advance(line, CUT), base), f" … {len(whole) - CUT:,} more")

    def _paint_selection(self, painter: QPainter, place: int, line: str, left: int, top: int) -> None:
        if self._anchor is None or self._end is None:
            return
        (first, start), (last, end) = sorted((self._anchor, self._end))
        if not first <= place <= last:
            return
        begin = self._advance(line, start) if place == first else 0
        stop = self._advance(line, end) if place == last else self._advance(line, len(line)) + self._char_px
        painter.fillRect(QRectF(left + begin, top, stop - begin, self._line_px), self._theme.color("selection"))

    def _advance(self, line: str, n: int) -> float:
        """Return how wide the first `n` characters are."""
        return n * self._char_px if line.isascii() and "\t" not in line else self._metrics.horizontalAdvance(line[:n])

    def _spot_at(self, point: QPoint) -> Spot:
        top = self.verticalScrollBar().value()
        place = min(max(top + (point.y() - MARGIN_PX // 2) // self._line_px, 0), len(self._lines) - 1)
        line, x = self._lines[place][:CUT], point.x() - MARGIN_PX + self.horizontalScrollBar().value()
        if line.isascii():
            return place, min(max(round(x / self._char_px), 0), len(line))
        low, high = 0, len(line)
        while low < high:
            middle = (low + high) // 2
            if self._advance(line, middle) + self._char_px / 2 < x:
                low = middle + 1
            else:
                high = middle
        return place, low

    def _show_spot(self, line: int, at: int) -> None:
        bar, across = self.verticalScrollBar(), self.horizontalScrollBar()
        if not bar.value() <= line < bar.value() + self._n_visible() - 1:
            bar.setValue(max(line - self._n_visible() // 3, 0))
        x = round(self._advance(self._lines[line], min(at, CUT)))
        if not across.value() <= x < across.value() + self.viewport().width() - 80:
            across.setValue(max(x - 80, 0))
        self.viewport().update()

    def _n_visible(self) -> int:
        return max(1, self.viewport().height() // self._line_px)

    def _set_ranges(self) -> None:
        bar, across = self.verticalScrollBar(), self.horizontalScrollBar()
        bar.setPageStep(self._n_visible())
        bar.setRange(0, max(0, len(self._lines) - self._n_visible() + 1))
        width = round(self._longest * self._char_px) + 2 * MARGIN_PX
        across.setPageStep(self.viewport().width())
        across.setSingleStep(round(self._char_px * 4))
        across.setRange(0, max(0, width - self.viewport().width()))

    def _on_theme(self) -> None:
        self._font = self._theme.code_font()
        self._metrics = QFontMetricsF(self._font)
        self._line_px, self._ascent_px = round(self._metrics.lineSpacing()) + 2, round(self._metrics.ascent()) + 1
        self._char_px = max(self._metrics.horizontalAdvance("0"), 1.0)
        self._colors: dict[str, QColor] = {kind: self._theme.color(token) for kind, token in _TOKENS.items()}
        self._set_ranges()
        self.viewport().update()


def _pieces(line: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, kind) of a line's pieces; kind is "" for ordinary text."""
    at = 0
    for match in (_HEADER if _HEADER.match(line) else _JSON).finditer(line):
        if match.start() > at:
            yield at, match.start(), ""
        yield match.start(), match.end(), match.lastgroup or ""
        at = match.end()
    if at < len(line):
        yield at, len(line), ""
