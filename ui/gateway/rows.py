"""The two small tables of the gateway page: calls in flight, and keys."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ui import format as text
from ui.client import InFlight, KeyRow

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A heading and how a row reads under it."""

    title: str
    read: Callable[[Row], str]
    tip: Callable[[Row], str] | None = None
    is_number: bool = False


class RowsModel(QAbstractTableModel, Generic[Row]):
    """A handful of rows, shown as they are. For long lists there is `ui.kit.paged_model`."""

    def __init__(self, columns: Sequence[Column[Row]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = columns
        self._rows: list[Row] = []

    def show(self, rows: Sequence[Row], identity: Callable[[Row], object]) -> None:
        """Show these rows; where they are the same ones as before, selection and scroll stay."""
        rows = list(rows)
        is_same = [identity(row) for row in rows] == [identity(row) for row in self._rows]
        if not is_same:
            self.beginResetModel()
        self._rows = rows
        if is_same:
            self.refresh()
        else:
            self.endResetModel()

    def refresh(self) -> None:
        """Have every cell read again: clocks move."""
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self._columns) - 1))

    def row(self, number: int) -> Row | None:
        """Return a row, None where there is no such row."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's words, its tooltip or its side."""
        row = self.row(index.row())
        if row is None or not 0 <= index.column() < len(self._columns):
            return None
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.read(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip(row) if column.tip else None
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's heading."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self._columns[section].is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


def in_flight_model(parent: QObject) -> RowsModel[InFlight]:
    """Return the model of the calls the gateway is working on."""
    columns: list[Column[InFlight]] = [
        Column("Call", lambda call: f"{call.method} {call.path}".strip(), lambda call: call.request_id),
        Column("Model", lambda call: call.model or text.UNKNOWN),
        Column("Received", lambda call: text.size(call.n_bytes), is_number=True),
        Column("Running for", lambda call: text.duration(max(0, time.time_ns() - call.start_ns)), is_number=True),
    ]
    return RowsModel(columns, parent)


def keys_model(parent: QObject) -> RowsModel[KeyRow]:
    """Return the model of the virtual keys."""
    columns: list[Column[KeyRow]] = [
        Column("Name", lambda key: key.name),
        Column("Key", lambda key: key.hint or text.UNKNOWN),
        Column(
            "State", lambda key: "✕ revoked" if key.revoked_ns else "live", lambda key: text.absolute(key.revoked_ns)
        ),
        Column("Created", lambda key: _when(key.created_ns), lambda key: text.absolute(key.created_ns)),
        Column("Last used", lambda key: _when(key.last_used_ns), lambda key: text.absolute(key.last_used_ns)),
    ]
    return RowsModel(columns, parent)


def _when(at_ns: int | None) -> str:
    return text.ago(at_ns, time.time_ns()) if at_ns else text.UNKNOWN
