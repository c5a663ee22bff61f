"""The Traces page: the list, and a trace opened in its place."""

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from app.export import FLAVOUR_TITLES, Flavour
from app.models.change import Change
from app.models.trace import TraceRow
from ui import format
from ui.desk import Desk
from ui.kit.page import Page
from ui.traces.commands import page_commands
from ui.traces.copies import CALL_FLAVOURS, copy_call, copy_last_call, copy_span_id, copy_trace_id
from ui.traces.list_page import ListPane
from ui.traces.tab import column

if TYPE_CHECKING:
    from ui.traces.trace_view import TraceView


class TracesPage(Page):
    """Wires list, trace and history; computes nothing."""

    title: ClassVar[str] = "Traces"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.list = ListPane(desk, self._make_view, self)
        self.trace: TraceView | None = None
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.list)
        column(self, self._stack)
        self._is_restoring = False
        self.list.opened.connect(self.open_trace)
        self.list.filter_changed.connect(self._on_moved)
        desk.commands.add_all(page_commands(self), self)
        self.list.begin()

    @property
    def is_trace_open(self) -> bool:
        """Whether a trace is shown in the list's place."""
        return self.trace is not None and self._stack.currentWidget() is self.trace

    @property
    def front(self) -> "TraceView | None":
        """The trace view that keys act on: the opened one, else the peek."""
        if self.is_trace_open:
            return self.trace
        return self.list.peek if self.list.is_peeking() else None

    def trail(self) -> list[str]:
        """Return where we are."""
        row = self.trace.row if self.trace is not None and self.is_trace_open else None
        return [self.title, format.short_id(row.trace_id.hex())] if row is not None else [self.title]

    def top_widget(self) -> QWidget | None:
        """Return the filter."""
        return self.list.filter

    def on_change(self, change: Change) -> None:
        """Follow a change in the list and in the trace shown."""
        self.list.on_change(change)
        if self.trace is not None and self.is_trace_open and (change.is_all or self.trace.trace_id in change.traces):
            self.trace.refresh()

    def on_shown(self) -> None:
        """Give the focus to list or trace."""
        (self.front or self.list).setFocus()

    def state(self) -> dict[str, object]:
        """Return filter, chosen trace, open trace, span and tab."""
        state: dict[str, object] = {"filter": self.list.filter.text(), "chosen": self.list.chosen_id()}
        if self.trace is not None and self.is_trace_open:
            state |= {"trace": self.trace.trace_id, "span": self.trace.span_id, "tab": self.trace.inspector.tab}
        return state

    def restore(self, state: dict[str, object]) -> None:
        """Come back to a state."""
        self._is_restoring = True
        try:
            text, trace, span, tab = (state.get(name) for name in ("filter", "trace", "span", "tab"))
            if isinstance(text, str) and text != self.list.filter.text():
                self.list.filter.set_text(text)
            if isinstance(trace, int):
                self.open_trace(trace, span if isinstance(span, int) else None)
                if isinstance(tab, int) and self.trace is not None:
                    self.trace.inspector.set_tab(tab)
            else:
                self.close_trace()
        finally:
            self._is_restoring = False

    def open_trace(self, trace_id: int, span_id: int | None = None) -> None:
        """Show a trace in the list's place."""
        if self.trace is None:
            self.trace = self._make_view(self)
            self.trace.loaded.connect(lambda _: self.renamed.emit())
            self._stack.addWidget(self.trace)
        was_open = self.is_trace_open and self.trace.trace_id == trace_id
        self.trace.open(trace_id, span_id)
        self._stack.setCurrentWidget(self.trace)
        self.trace.setFocus()
        if not was_open:
            self._on_moved()

    def close_trace(self) -> None:
        """Go back to the list, with the trace that was open chosen."""
        if self.trace is None or not self.is_trace_open:
            return
        closed = self.trace.trace_id
        self._stack.setCurrentWidget(self.list)
        self.trace.close_trace()
        if closed is not None and self.list.chosen_id() is None:
            self.list.view.choose_id(closed)
        self.list.setFocus()
        self._on_moved()

    def open_chosen(self) -> None:
        """Open the chosen trace, or bring the inspector's content to the focus."""
        if self.is_trace_open and self.trace is not None:
            self.trace.inspector.focus_content()
        elif (chosen := self.list.chosen_id()) is not None:
            self.open_trace(chosen)

    def leave(self) -> None:
        """Close what is open, then let the selection go."""
        if self.is_trace_open:
            self.close_trace()
        else:
            self.list.leave()

    def step(self, by: int) -> None:
        """Choose the next or previous row of tree or list."""
        if self.is_trace_open and self.trace is not None:
            self.trace.tree.step(by)
        else:
            self.list.view.step(by)

    def step_trace(self, by: int) -> None:
        """Open the trace above or below the one shown."""
        if not self.is_trace_open or self.trace is None or self.trace.trace_id is None:
            self.list.view.step(by)
            return
        sibling = self.list.sibling(self.trace.trace_id, by)
        if sibling is not None:
            self.list.view.choose_id(sibling)
            self.open_trace(sibling)

    def find(self) -> None:
        """Open the find line of the inspector, or go to the filter."""
        if self.front is not None:
            self.front.inspector.find()
        else:
            self.list.filter.begin()

    def copy_as(self, flavour: Flavour) -> None:
        """Copy the chosen call, or the chosen trace's last one."""
        view, desk = self.front, self.desk
        if view is not None and view.inspector.span is not None:
            desk.start(copy_call(desk, view.inspector.span.id, flavour), "Copying the call")
        elif (chosen := self.list.chosen_id()) is not None:
            desk.start(copy_last_call(desk, chosen, flavour), "Copying the call")

    def copy_id(self) -> None:
        """Copy the id of the trace in focus."""
        row = self._row()
        if row is not None:
            copy_trace_id(self.desk, row)

    def open_copy_menu(self) -> None:
        """Offer what can be copied of the trace shown."""
        view = self.front
        if view is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        span = view.inspector.span
        for flavour in CALL_FLAVOURS:
            action = menu.addAction(f"Copy call as {FLAVOUR_TITLES[flavour]}")
            action.setEnabled(span is not None and bool(span.method))
            action.triggered.connect(lambda _=False, flavour=flavour: self.copy_as(flavour))
        menu.addSeparator()
        menu.addAction("Copy trace id").triggered.connect(self.copy_id)
        if span is not None:
            menu.addAction("Copy span id").triggered.connect(lambda: copy_span_id(self.desk, span))
        button = view.copy_button
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _row(self) -> TraceRow | None:
        return self.front.row if self.front is not None else self.list.view.cell_row()

    def _make_view(self, parent: QWidget) -> "TraceView":
        from ui.traces.trace_view import TraceView  # numpy: not before the first trace

        view = TraceView(self.desk, parent)
        view.filter_wanted.connect(self._on_filter_wanted)
        view.menu_wanted.connect(self.open_copy_menu)
        view.place_changed.connect(self.renamed)
        return view

    def _on_filter_wanted(self, claim: str) -> None:
        self.close_trace()
        self.list.filter.add(claim)

    def _on_moved(self) -> None:
        if not self._is_restoring:
            self.moved.emit()
