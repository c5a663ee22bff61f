"""The latest traces on Home: a short list, newest first."""

import time
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from app.models.span import Status
from app.models.trace import TraceRow
from ui import format
from ui.kit.fast_table import PAD_PX, FastTable
from ui.kit.marks import paint_status
from ui.kit.paged_model import TOP, Index
from ui.theme import Theme

TITLES: Final = ("", "When", "Name", "Model", "Input", "Duration", "Cost")
_WIDTHS: Final = (30, 92, 220, 170, 240, 90, 108)
_INPUT: Final = 4
_RIGHT: Final = (5, 6)


class RecentModel(QAbstractTableModel):
    """A handful of traces."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[TraceRow] = []

    def set_rows(self, rows: Sequence[TraceRow]) -> None:
        """Show these, newest first."""
        if [row.id for row in rows] == [row.id for row in self._rows]:
            self._rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(TITLES) - 1))
            return
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def row(self, place: int) -> TraceRow:
        """Return the trace at a place."""
        return self._rows[place]

    def rowCount(self, parent: Index = TOP) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = TOP) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section in _RIGHT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell reads."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 1:
            return format.absolute(row.start_ns)
        return texts(row, time.time_ns())[index.column()] if role == Qt.ItemDataRole.DisplayRole else None


def texts(row: TraceRow, now_ns: int) -> tuple[str, ...]:
    """Return what a row's cells read."""
    is_running = row.status == Status.RUNNING
    lasted_ns = max(0, now_ns - row.start_ns) if is_running else row.duration_ns
    return (
        row.status.name.lower(),
        format.ago(row.start_ns, now_ns),
        row.name,
        row.model or format.UNKNOWN,
        row.input_preview,
        format.duration(lasted_ns),
        format.money(row.cost_nusd),
    )


class RecentView(FastTable):
    """Paints the latest traces; a click opens one."""

    opened = Signal(int)

    def __init__(self, theme: Theme, model: RecentModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._model = model
        self.setModel(model)
        self.setAccessibleName("Latest traces")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        for column, width in enumerate(_WIDTHS):
            header.resizeSection(column, width)
        header.setSectionResizeMode(_INPUT, QHeaderView.ResizeMode.Stretch)
        model.modelReset.connect(self.updateGeometry)
        self.clicked.connect(self._on_open)

    def sizeHint(self) -> QSize:
        """Return room for all rows."""
        rows = max(self._model.rowCount(), 1)
        return QSize(760, self.horizontalHeader().sizeHint().height() + rows * self.theme.row_height_px + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the same: the page scrolls, not the list."""
        return QSize(320, self.sizeHint().height())

    def paint_row(self, painter: QPainter, row: int, area: QRect, columns: list[tuple[int, QRect]]) -> None:
        """Paint one trace."""
        found = self._model.row(row)
        shown = texts(found, time.time_ns())
        for column, cell in columns:
            if column == 0:
                paint_status(painter, cell, found.status, self.theme)
                continue
            inner = cell.adjusted(PAD_PX, 0, -PAD_PX, 0)
            is_number = column in _RIGHT
            ink = self.theme.color("text" if column in (2, 4) else "dim")
            self.write(painter, inner, shown[column], ink, font="code" if is_number else "ui", is_right=is_number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _on_open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self._model.row(index.row()).id)
