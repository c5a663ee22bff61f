"""The model of the traces list."""

import time
from typing import Any

from PySide6.QtCore import QObject, Qt

from app.models.span import Status
from app.models.trace import TraceRow
from ui.kit.paged_model import KEPT_ROWS, Index, PagedModel
from ui.traces.columns import SPECS, TITLES, Column, cell_text, tip


class TraceListModel(PagedModel[TraceRow]):
    """Traces, newest first, under one filter."""

    titles = TITLES

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._texts: dict[int, tuple[TraceRow, tuple[str, ...]]] = {}
        self.now_ns = time.time_ns()
        """What running durations are counted to; the view moves it."""

    def texts(self, row: TraceRow) -> tuple[str, ...]:
        """Return what all cells of a row read, kept as long as the row is what it was."""
        kept = self._texts.get(row.id)
        if kept is not None and kept[0] is row:
            return kept[1]
        found = tuple(cell_text(row, column, self.now_ns) for column in Column)
        if row.status != Status.RUNNING:
            if len(self._texts) > KEPT_ROWS:
                self._texts.clear()
            self._texts[row.id] = (row, found)
        return found

    def text(self, row: TraceRow, column: int) -> str:
        """Return what a cell reads."""
        return cell_text(row, Column(column), self.now_ns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text, its fuller text as a tip, and what a screen reader says of the row."""
        if role == Qt.ItemDataRole.ToolTipRole and index.isValid():
            row = self.row(index.row())
            return None if row is None else tip(row, Column(index.column()), self.now_ns) or None
        if role == Qt.ItemDataRole.AccessibleTextRole and index.isValid():
            row = self.row(index.row())
            return None if row is None else spoken(row, self.now_ns)
        return super().data(index, role)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a title, over the side its values stand on."""
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            side = Qt.AlignmentFlag.AlignRight if SPECS[Column(section)].is_right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return super().headerData(section, orientation, role)

    def move_clock(self) -> None:
        """Count running durations up to now."""
        self.now_ns = time.time_ns()

    def has_running(self, places: range) -> bool:
        """Return whether a row among these places still runs."""
        rows = (self.known(self._ids[place]) for place in places if place < len(self._ids))
        return any(row is not None and row.status == Status.RUNNING for row in rows)


def spoken(row: TraceRow, now_ns: int) -> str:
    """Return the row in words for a screen reader."""
    shown = (Column.NAME, Column.STATUS, Column.MODEL, Column.DURATION, Column.COST)
    return ", ".join(cell_text(row, column, now_ns) for column in shown)
