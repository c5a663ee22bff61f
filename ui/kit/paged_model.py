"""A list that knows all its ids and reads a row when it is painted.

The ids come first (8 bytes each), rows in pages as they come into view. No QtWidgets, no reading: it says which rows it
wants, whoever owns it brings them.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

PAGE: Final = 64
KEPT_ROWS: Final = 4096
Index = QModelIndex | QPersistentModelIndex
TOP: Final = QModelIndex()
"""No parent: a list has only one level."""


class HasId(Protocol):
    """A row of any list."""

    @property
    def id(self) -> int:
        """Row id in the store."""
        ...


Row = TypeVar("Row", bound=HasId)


class PagedModel(QAbstractTableModel, Generic[Row]):
    """Rows by id, newest first. Subclasses say what a column reads."""

    wanted = Signal(object)
    """Ids (a list) whose rows are shown and not known yet: answer with `put_rows`."""

    titles: Sequence[str] = ()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: array[int] = array("q")
        self._rows: dict[int, Row] = {}
        self._asked: set[int] = set()
        self._missing: set[int] = set()
        self._hints: dict[int, int] = {}
        """Where ids that were asked for stood: found without a search, where they still do."""
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._ask)

    def text(self, row: Row, column: int) -> str:
        """Return what a cell reads."""
        raise NotImplementedError

    def rowCount(self, parent: Index = TOP) -> int:
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = TOP) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.titles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text; nothing while its row is being read."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) or not index.isValid():
            return None
        row = self.row(index.row())
        return None if row is None else self.text(row, index.column())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section] if 0 <= section < len(self.titles) else None
        return None

    def row(self, place: int) -> Row | None:
        """Return the row at a place; None, and it is asked for, while it is not known."""
        row_id = self._ids[place]
        row = self._rows.get(row_id)
        if row is None:
            self._missing.add(place)
            if not self._timer.isActive():
                self._timer.start()
        return row

    def known(self, row_id: int) -> Row | None:
        """Return a row by id where it has been read."""
        return self._rows.get(row_id)

    def id_at(self, place: int) -> int | None:
        """Return the id at a place, None beyond the end."""
        return self._ids[place] if 0 <= place < len(self._ids) else None

    def place_of(self, row_id: int) -> int:
        """Return where an id stands, -1 where it does not."""
        try:
            return self._ids.index(row_id)
        except ValueError:
            return -1

    def ids(self) -> Sequence[int]:
        """Return all ids in order; not to be changed."""
        return self._ids

    def known_ids(self) -> Iterator[int]:
        """Yield the ids whose rows have been read."""
        return iter(self._rows)

    def set_ids(self, ids: Iterable[int]) -> None:
        """Replace the list; rows that were read stay known. Views must find their selection again by id."""
        fresh = ids if isinstance(ids, array) else array("q", ids)
        if fresh == self._ids:
            return
        self.beginResetModel()
        self._ids = fresh
        self._missing.clear()
        self._asked.clear()
        self.endResetModel()

    def extend_ids(self, ids: Sequence[int]) -> None:
        """Take the whole list where the beginning is already here: what follows our last id is added at the end."""
        tail = array("q", ids)
        if len(self._ids):
            try:
                tail = tail[tail.index(self._ids[-1]) + 1 :]
            except ValueError:
                self.set_ids(tail)
                return
        if len(tail):
            self.beginInsertRows(QModelIndex(), len(self._ids), len(self._ids) + len(tail) - 1)
            self._ids.extend(tail)
            self.endInsertRows()

    def put_rows(self, rows: Iterable[Row]) -> None:
        """Take rows that were read, known ones anew."""
        changed = {row.id: row for row in rows}
        if len(self._rows) + len(changed) > KEPT_ROWS:
            self._forget()
        self._rows.update(changed)
        self._asked.difference_update(changed)
        places = [place for place in map(self._place_by_hint, changed) if place >= 0]
        if places:
            last = self.columnCount() - 1
            self.dataChanged.emit(self.index(min(places), 0), self.index(max(places), last))

    def forget_rows(self, ids: Iterable[int]) -> None:
        """Forget rows, so that they are read again when next shown."""
        for row_id in ids:
            self._rows.pop(row_id, None)
            self._asked.discard(row_id)

    def merge_head(self, rows: Sequence[Row], *, is_all: bool = False) -> bool:
        """Make the list begin with these rows, the newest ones, and leave the rest; `is_all`: there is no rest.

        Rows go and come one run at a time, so that selection and scroll position hold. False where nothing of the old
        list is among them: then the ids must be read again.
        """
        head = [row.id for row in rows]
        known = set(head)
        limit = min(len(self._ids), 4 * len(head) + PAGE)
        last = max((place for place in range(limit) if self._ids[place] in known), default=-1)
        if last < 0 and len(self._ids) and not is_all:
            return False
        end = len(self._ids) if is_all else last + 1
        self._drop(end, known)
        self._join(head)
        self.put_rows(rows)
        return True

    def _drop(self, end: int, kept: set[int]) -> None:
        """Remove those of the first `end` rows that are not kept."""
        place = end - 1
        while place >= 0:
            if self._ids[place] in kept:
                place -= 1
                continue
            first = place
            while first > 0 and self._ids[first - 1] not in kept:
                first -= 1
            self.beginRemoveRows(QModelIndex(), first, place)
            del self._ids[first : place + 1]
            self.endRemoveRows()
            place = first - 1

    def _join(self, head: list[int]) -> None:
        """Bring the rows of `head` to the front in its order, inserting what is new."""
        place = 0
        while place < len(head):
            if place < len(self._ids) and self._ids[place] == head[place]:
                place += 1
                continue
            there = set(self._ids[place : place + len(head)])
            end = place
            while end < len(head) and head[end] not in there:
                end += 1
            if end == place:  # known, but further down: its start moved
                old = self._ids.index(head[place], place)
                self.beginMoveRows(QModelIndex(), old, old, QModelIndex(), place)
                del self._ids[old]
                self._ids.insert(place, head[place])
                self.endMoveRows()
                end = place + 1
            else:
                self.beginInsertRows(QModelIndex(), place, end - 1)
                self._ids[place:place] = array("q", head[place:end])
                self.endInsertRows()
            place = end

    def _place_by_hint(self, row_id: int) -> int:
        place = self._hints.pop(row_id, -1)
        if 0 <= place < len(self._ids) and self._ids[place] == row_id:
            return place
        return self.place_of(row_id)

    def _forget(self) -> None:
        for row_id in list(self._rows)[: KEPT_ROWS // 2]:
            del self._rows[row_id]

    def _ask(self) -> None:
        """Ask for what was missing when it was painted, with its neighbours, once."""
        places = [place for place in self._missing if place < len(self._ids)]
        self._missing.clear()
        if not places:
            return
        first = min(places) // PAGE * PAGE
        last = min(len(self._ids), (max(places) // PAGE + 1) * PAGE)
        is_far = last - first > 8 * PAGE  # then only what was seen
        where = places if is_far else range(first, last)
        wanted = [(self._ids[place], place) for place in where]
        self._hints = {row_id: place for row_id, place in wanted if row_id not in self._rows}
        ids = [row_id for row_id in self._hints if row_id not in self._asked]
        if ids:
            self._asked.update(ids)
            self.wanted.emit(ids)
