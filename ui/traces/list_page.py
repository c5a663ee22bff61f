"""The list side of the Traces page: quick filters, the list, its empty state, the peek beside it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QSplitter, QStackedWidget, QWidget

from app.export import FLAVOUR_TITLES
from app.models.change import Change
from app.models.query import Query
from app.models.trace import TraceRow
from ui import format
from ui.desk import Desk
from ui.kit.empty_state import EmptyState
from ui.kit.filter_bar import FilterBar
from ui.style import set_role
from ui.traces.columns import Column, cell_text, claim
from ui.traces.copies import CALL_FLAVOURS, copy_last_call, copy_trace_id, row_json
from ui.traces.feed import TraceFeed
from ui.traces.list_view import TraceListView
from ui.traces.model import TraceListModel
from ui.traces.quick_filters import QuickFilters
from ui.traces.tab import column

if TYPE_CHECKING:
    from ui.traces.trace_view import TraceView

COLUMNS_SETTING: Final = "traces.columns"


class ListPane(QWidget):
    """Wires filter, feed and list."""

    opened = Signal(int)
    filter_changed = Signal()

    def __init__(self, desk: Desk, make_peek: "Callable[[QWidget], TraceView]", parent: QWidget | None = None) -> None:
        """`make_peek` makes the trace view beside the list, on the first peek."""
        super().__init__(parent)
        self._desk = desk
        self._make_peek = make_peek
        self.peek: TraceView | None = None
        self.filter = FilterBar(desk.theme, "Search, or filter: model:claude*  status:error  dur:>2s", self)
        self.model = TraceListModel(self)
        self.view = TraceListView(desk.theme, self.model, self)
        self.feed = TraceFeed(desk, self.model, self._may_move, self)
        self.quick = QuickFilters(desk.theme, self)
        self._problem = QLabel(self)
        self._problem.setContentsMargins(14, 4, 14, 4)
        self._problem.setWordWrap(True)
        set_role(self._problem, role="error")
        self._problem.hide()
        self._empty = EmptyState(desk.theme, self)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._empty)
        self._pill = QPushButton(self.view)
        set_role(self._pill, role="primary")
        self._pill.hide()
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(self._stack)
        self.splitter.setChildrenCollapsible(False)
        column(self, self.quick, self._problem, self.splitter)
        self._connect()
        self.view.restore_columns(desk.settings.table(COLUMNS_SETTING))
        self.setFocusProxy(self.view)

    def begin(self) -> None:
        """Read the list for the first time."""
        self.feed.reload()

    def on_change(self, change: Change) -> None:
        """Follow a change."""
        self.feed.on_change(change)
        if self.peek is not None and self.peek.isVisible() and (
            change.is_all or self.peek.trace_id in change.traces
        ):  # fmt: skip
            self.peek.refresh()

    def chosen_id(self) -> int | None:
        """Return the chosen trace."""
        return self.view.chosen_id()

    def sibling(self, trace_id: int, by: int) -> int | None:
        """Return the trace above (-1) or below (1) another in the list, None at its ends."""
        place = self.model.place_of(trace_id)
        return self.model.id_at(place + by) if place >= 0 and place + by >= 0 else None

    def let_in(self) -> None:
        """Let new rows in and go to the top."""
        self.view.clearSelection()
        self.feed.let_in()
        self.view.scrollToTop()

    def toggle_peek(self) -> None:
        """Show or hide the chosen trace beside the list."""
        if self.is_peeking():
            self.close_peek()
            return
        chosen = self.chosen_id()
        if chosen is None:
            return
        if self.peek is None:
            self.peek = self._make_peek(self)
            self.splitter.addWidget(self.peek)
            self._fit_splitter()
            self.splitter.setSizes(
                [3, 2] if self.width() < 10 else [self.width() * 55 // 100, self.width() * 45 // 100]
            )
        self.peek.show()
        self.peek.open(chosen)

    def is_peeking(self) -> bool:
        """Return whether a trace is shown beside the list."""
        return self.peek is not None and self.peek.isVisible()

    def close_peek(self) -> None:
        """Hide the trace beside the list."""
        if self.peek is not None:
            self.peek.hide()
            self.peek.close_trace()
        self.view.setFocus()

    def leave(self) -> bool:
        """Close the peek, then let the selection go; False where there was neither."""
        if self.is_peeking():
            self.close_peek()
            return True
        if self.chosen_id() is not None:
            self.view.clearSelection()
            return True
        return False

    def filter_by_cell(self, *, is_negated: bool) -> None:
        """Filter by the chosen cell's value, or exclude it."""
        row, place = self.view.cell_row(), self.view.currentIndex().column()
        if row is not None:
            self._claim(row, Column(place), is_negated=is_negated)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the pill in the middle and the peek where there is room for it."""
        super().resizeEvent(event)
        self._fit_splitter()
        self._place_pill()

    def _connect(self) -> None:
        self.filter.changed.connect(self._on_filter)
        self.filter.problem.connect(self._on_problem)
        self.filter.facets_wanted.connect(self._read_facets)
        self.quick.facets_wanted.connect(self._read_facets)
        self.quick.chosen.connect(self.filter.replace_field)
        self.view.opened.connect(self.opened)
        self.view.menu_wanted.connect(self._open_menu)
        self.view.columns_changed.connect(self._keep_columns)
        self.view.selectionModel().currentRowChanged.connect(lambda *_: self._follow_peek())
        self.feed.held.connect(self._on_held)
        self.feed.counted.connect(self._on_counted)
        self.feed.loaded.connect(self._on_loaded)
        self.model.rowsInserted.connect(lambda *_: self._on_loaded())
        self.model.rowsRemoved.connect(lambda *_: self._on_loaded())
        self._pill.clicked.connect(self.let_in)

    def _may_move(self) -> bool:
        return self.view.is_at_top and self.chosen_id() is None

    def _on_filter(self, query: Query) -> None:
        self.feed.set_query(query)
        self.quick.show_terms(query.terms)
        self.filter_changed.emit()

    def _on_problem(self, why: str) -> None:
        self._problem.setText(why)
        self._problem.setVisible(bool(why))

    def _on_held(self, count: int) -> None:
        self._pill.setVisible(count > 0)
        self._pill.setText(f"↑  {format.count(count)}{'+' if count >= 200 else ''} new")
        self._place_pill()

    def _place_pill(self) -> None:
        self._pill.adjustSize()
        self._pill.move((self.view.width() - self._pill.width()) // 2, self.view.horizontalHeader().height() + 10)

    def _on_counted(self, traces: int, calls: int) -> None:
        self.quick.count.setText(f"{format.count(traces, 'trace')} · {format.count(calls, 'call')}")

    def _on_loaded(self) -> None:
        is_empty = self.model.rowCount() == 0
        if is_empty:
            self._say_empty()
        self._stack.setCurrentWidget(self._empty if is_empty else self.view)

    def _say_empty(self) -> None:
        terms = self.filter.terms()
        if not terms:
            home = ("Show me how to connect", lambda: self._desk.go("home"))
            text = f"Point an SDK's base URL at {self._desk.base_url} and each call shows up here as it happens."
            self._empty.say("inbox", "No traces yet", text, [home])
            return
        last = str(terms[-1])
        actions: list[tuple[str, Callable[[], object]]] = [(f"Drop {last}", self.filter.drop_last)]
        if len(terms) > 1:
            actions.append(("Clear the filter", self.filter.clear))
        self._empty.say("filter", "Nothing matches", f"The filter hides everything:  {self.filter.text()}", actions)

    def _fit_splitter(self) -> None:
        wanted = Qt.Orientation.Vertical if self.width() < 1100 else Qt.Orientation.Horizontal
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)

    def _follow_peek(self) -> None:
        chosen = self.chosen_id()
        if self.peek is not None and self.is_peeking() and chosen is not None and chosen != self.peek.trace_id:
            self.peek.open(chosen)

    def _read_facets(self) -> None:
        self._desk.start(self._bring_facets(), "Counting values")

    async def _bring_facets(self) -> None:
        facets = await self._desk.reader.ask("facets", self.feed.query)
        self.filter.set_facets(facets)
        self.quick.set_facets(facets)

    def _keep_columns(self) -> None:
        self._desk.settings.set(COLUMNS_SETTING, self.view.column_state())

    def _claim(self, row: TraceRow, at: Column, *, is_negated: bool) -> None:
        text = claim(row, at)
        if text:
            self.filter.add(f"-{text}" if is_negated else text)

    def _open_menu(self, row_id: int, place: int, point: QPoint) -> None:
        row = self.model.known(row_id)
        if row is not None:
            menu = self.cell_menu(row, Column(place))
            menu.popup(point)

    def cell_menu(self, row: TraceRow, at: Column) -> QMenu:
        """Return what can be done with a cell (UX T6)."""
        desk, menu = self._desk, QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = claim(row, at)
        if text:
            menu.addAction(f"Filter by {text}\tF").triggered.connect(lambda: self._claim(row, at, is_negated=False))
            menu.addAction("Exclude\tShift+F").triggered.connect(lambda: self._claim(row, at, is_negated=True))
            menu.addSeparator()
        menu.addAction("Open\tEnter").triggered.connect(lambda: self.opened.emit(row.id))
        menu.addSeparator()
        value = cell_text(row, at, self.model.now_ns)
        menu.addAction("Copy value").triggered.connect(lambda: desk.copy(value, "the value"))
        menu.addAction("Copy trace id").triggered.connect(lambda: copy_trace_id(desk, row))
        menu.addAction("Copy row as JSON").triggered.connect(lambda: desk.copy(row_json(row), "the row"))
        menu.addSeparator()
        for flavour in CALL_FLAVOURS:
            action: Any = menu.addAction(f"Copy last call as {FLAVOUR_TITLES[flavour]}")
            action.triggered.connect(
                lambda _=False, flavour=flavour: desk.start(copy_last_call(desk, row.id, flavour), "Copying the call")
            )
        return menu
