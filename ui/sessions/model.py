"""The model of the sessions list: latest first, read page by page as it is scrolled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from app.models.trace import SessionRow
from ui import format
from ui.kit.paged_model import TOP, Index

PAGE: Final = 100


class Column(IntEnum):
    """A column of the list."""

    SESSION = 0
    FIRST = 1
    LAST = 2
    TURNS = 3
    CALLS = 4
    TOKENS = 5
    COST = 6
    ERRORS = 7
    ACTIVE = 8
    KNOWN_BY = 9


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """How one column looks and what it reads."""

    title: str
    width_px: int
    text: Callable[[SessionRow], str]
    is_number: bool = False


def _tokens(row: SessionRow) -> str:
    if row.input_tokens is None and row.output_tokens is None:
        return format.UNKNOWN
    return f"{format.tokens(row.input_tokens)} → {format.tokens(row.output_tokens)}"


SPECS: Final[dict[Column, ColumnSpec]] = {
    Column.SESSION: ColumnSpec("Session", 150, lambda row: row.session),
    Column.FIRST: ColumnSpec("First message", 200, lambda row: row.first_preview),
    Column.LAST: ColumnSpec("Last message", 200, lambda row: row.last_preview),
    Column.TURNS: ColumnSpec("Turns", 64, lambda row: format.count(row.n_traces), True),
    Column.CALLS: ColumnSpec("Calls", 64, lambda row: format.count(row.n_calls), True),
    Column.TOKENS: ColumnSpec("Tokens", 136, _tokens, True),
    Column.COST: ColumnSpec("Cost", 96, lambda row: format.money(row.cost_nusd), True),
    Column.ERRORS: ColumnSpec("Errors", 64, lambda row: format.count(row.n_errors), True),
    Column.ACTIVE: ColumnSpec("Last active", 176, lambda row: format.absolute(row.last_ns)[:19], True),
    Column.KNOWN_BY: ColumnSpec("Known by", 90, lambda row: "stated" if row.is_stated else "inferred"),
}


class SessionModel(QAbstractTableModel):
    """Sessions as far as they have been read."""

    more_wanted = Signal()
    """The end came into view and there may be more."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[SessionRow] = []
        self._has_more = False

    def set_rows(self, rows: Sequence[SessionRow], *, has_more: bool) -> None:
        """Show these; sessions that stay where they were keep their selection."""
        self._has_more = has_more
        if [row.session for row in rows] == [row.session for row in self._rows]:
            self._rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(SPECS) - 1))
            return
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def add_rows(self, rows: Sequence[SessionRow], *, has_more: bool) -> None:
        """Add the next page."""
        self._has_more = has_more
        if rows:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(rows) - 1)
            self._rows.extend(rows)
            self.endInsertRows()

    def row(self, place: int) -> SessionRow:
        """Return the session at a place."""
        return self._rows[place]

    def place_of(self, session: str) -> int:
        """Return where a session stands, -1 where it does not."""
        return next((place for place, row in enumerate(self._rows) if row.session == session), -1)

    def last(self) -> str | None:
        """Return the last session that has been read."""
        return self._rows[-1].session if self._rows else None

    def canFetchMore(self, parent: Index) -> bool:
        """Return whether there may be more."""
        return not parent.isValid() and self._has_more

    def fetchMore(self, parent: Index) -> None:
        """Ask for the next page, once."""
        if self._has_more:
            self._has_more = False
            self.more_wanted.emit()

    def rowCount(self, parent: Index = TOP) -> int:
        """Return how many have been read."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = TOP) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(SPECS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a title, over the side its values stand on."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        spec = SPECS[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if spec.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return spec.title if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell reads; the tip says how the session was recognised."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.ToolTipRole and column == Column.KNOWN_BY:
            return "An id in the requests says so." if row.is_stated else "Each turn repeats the one before it."
        return SPECS[column].text(row) if role == Qt.ItemDataRole.DisplayRole else None
