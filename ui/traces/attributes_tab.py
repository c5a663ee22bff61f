"""The Attributes tab: everything known of a span, grouped, to filter, copy and search by."""

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from app.models.trace import SpanDetail
from ui.desk import Desk
from ui.kit.fast_table import PAD_PX, FastTable
from ui.kit.paged_model import TOP, Index
from ui.theme import Theme
from ui.traces.facts import Fact, facts_of
from ui.traces.tab import SpanTab, column

_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter
_TITLES: Final = ("Name", "Value")


class FactModel(QAbstractTableModel):
    """Facts under a filter, a heading row before each group."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._facts: list[Fact] = []
        self._wanted = ""
        self._rows: list[Fact | str] = []

    def set_facts(self, facts: list[Fact]) -> None:
        """Show these facts."""
        self._facts = facts
        self._refresh()

    def set_filter(self, text: str) -> None:
        """Show only what has this text in its name or value."""
        self._wanted = text.casefold()
        self._refresh()

    def row(self, place: int) -> Fact | str:
        """Return the fact, or the heading, of a row."""
        return self._rows[place]

    def rowCount(self, parent: Index = TOP) -> int:
        """Return how many rows there are, headings counted."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = TOP) -> int:
        """Return name and value."""
        return 0 if parent.isValid() else len(_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a name or a value; the tip is the whole value."""
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if index.column() == 0 and role == Qt.ItemDataRole.DisplayRole else None
        return row.name if index.column() == 0 else row.value

    def _refresh(self) -> None:
        self.beginResetModel()
        self._rows = []
        group = ""
        for fact in self._facts:
            if self._wanted in fact.name.casefold() or self._wanted in fact.value.casefold():
                if fact.group != group:
                    self._rows.append(fact.group)
                    group = fact.group
                self._rows.append(fact)
        self.endResetModel()


class FactView(FastTable):
    """Paints facts."""

    copied = Signal(str, str)
    """What, and its name."""
    filter_wanted = Signal(str)
    """A term for the traces list."""

    def __init__(self, theme: Theme, model: FactModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._model = model
        self.setModel(model)
        self.setAccessibleName("Attributes")
        self.horizontalHeader().hide()
        self.horizontalHeader().resizeSection(0, 176)
        self.horizontalHeader().setStretchLastSection(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)

    def paint_row(self, painter: QPainter, row: int, area: QRect, columns: list[tuple[int, QRect]]) -> None:
        """Paint a heading or a fact."""
        fact, theme = self._model.row(row), self.theme
        if isinstance(fact, str):
            painter.setFont(theme.ui_font(-1, QFont.Weight.DemiBold))
            painter.setPen(theme.color("dim"))
            painter.drawText(area.adjusted(12, 4, -PAD_PX, 0), _MIDDLE, fact.upper())
            painter.setPen(theme.color("line"))
            painter.drawLine(area.left() + 12, area.bottom(), area.right() - 12, area.bottom())
            return
        is_bad = fact.group == "Failure"
        for number, cell in columns:
            ink = theme.color("error" if is_bad else "dim" if number == 0 else "text")
            inner = cell.adjusted(12 if number == 0 else PAD_PX, 0, -PAD_PX, 0)
            text = fact.name if number == 0 else fact.value.replace("\n", " ")
            self.write(painter, inner, text, ink, font="ui" if number == 0 else "code")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the chosen value; `f` filters the list by it."""
        fact = self._chosen()
        if fact is not None and event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit(fact.value, fact.name)
        elif fact is not None and event.key() == Qt.Key.Key_F and not event.modifiers() and fact.claim:
            self.filter_wanted.emit(fact.claim)
        else:
            super().keyPressEvent(event)

    def _chosen(self) -> Fact | None:
        row = self.current_row()
        fact = self._model.row(row) if row >= 0 else None
        return fact if isinstance(fact, Fact) else None

    def _on_menu(self, point: QPoint) -> None:
        index: QModelIndex = self.indexAt(point)
        fact = self._model.row(index.row()) if index.isValid() else None
        if not isinstance(fact, Fact):
            return
        self.setCurrentIndex(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy value").triggered.connect(lambda: self.copied.emit(fact.value, fact.name))
        menu.addAction("Copy name and value").triggered.connect(
            lambda: self.copied.emit(f"{fact.name}: {fact.value}", fact.name)
        )
        if fact.claim:
            menu.addAction(f"Filter traces by {fact.claim}").triggered.connect(
                lambda: self.filter_wanted.emit(fact.claim)
            )
        menu.popup(self.viewport().mapToGlobal(point))


class AttributesTab(SpanTab):
    """All facts of a span."""

    title = "Attributes"
    filter_wanted = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.model = FactModel(self)
        self.view = FactView(desk.theme, self.model, self)
        self.view.copied.connect(desk.copy)
        self.view.filter_wanted.connect(self.filter_wanted)
        self._filter = QLineEdit(self)
        self._filter.setPlaceholderText("Filter attributes")
        self._filter.setAccessibleName("Filter attributes")
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self.model.set_filter)
        top = QWidget(self)
        column(top, self._filter).setContentsMargins(10, 8, 10, 4)
        column(self, top, self.view)
        self.setFocusProxy(self.view)

    async def load(self, span: SpanDetail, *, is_same: bool) -> None:
        """Show what the span says of itself."""
        self.model.set_facts(facts_of(span))

    def find(self) -> None:
        """Go to the filter."""
        self._filter.setFocus()
        self._filter.selectAll()
