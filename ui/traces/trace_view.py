"""One trace: header, span tree with waterfall, and the inspector beside it (below it where there is no room)."""

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QToolButton, QWidget

from app.errors import AppError
from app.models.span import Kind, Status
from app.models.trace import TraceRow, TraceTree
from ui import format
from ui.desk import Desk
from ui.kit.feedback import words
from ui.kit.span_tree import SpanModel
from ui.kit.span_view import SpanView
from ui.style import set_role
from ui.traces.columns import STATUS_WORDS
from ui.traces.inspector import Inspector
from ui.traces.tab import EmptyNote, column

NARROW_PX: Final = 1000
_STATUS_TONES: Final = {"ok": "ok", "error": "error", "running": "accent", "aborted": "warn", "interrupted": "warn"}


class TraceView(QWidget):
    """Reads a trace by its row id and follows it while it runs."""

    loaded = Signal(object)
    """The `TraceRow` that is shown."""
    place_changed = Signal()
    """Another span or tab."""
    filter_wanted = Signal(str)
    closed = Signal()
    menu_wanted = Signal()
    """The header's copy menu is asked for."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.trace_id: int | None = None
        self._wanted_span: int | None = None
        self._is_new = False
        """Opened and not shown yet: a span is still to be chosen."""
        self._is_following = False
        """While it runs, its newest call is shown, until a person chooses."""
        self._is_choosing = False
        self._task: Any = None
        self.model = SpanModel(self)
        self.tree = SpanView(desk.theme, self.model, self)
        self.inspector = Inspector(desk, self)
        self._note = EmptyNote(self)
        self._note.hide()
        left = QWidget(self)
        self._head = self._make_head(left)
        column(left, self._head, self._note, self.tree)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.inspector)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setChildrenCollapsible(False)
        column(self, self.splitter)
        self.tree.chosen.connect(self._on_chosen)
        self.inspector.tab_changed.connect(lambda _: self.place_changed.emit())
        self.inspector.filter_wanted.connect(self.filter_wanted)
        self.setFocusProxy(self.tree)

    @property
    def row(self) -> TraceRow | None:
        """The trace's row where it has been read."""
        return self.model.tree.row if self.model.tree is not None else None

    @property
    def span_id(self) -> int | None:
        """The store row id of the chosen span."""
        return self.inspector.span.id if self.inspector.span is not None else self._wanted_span

    def open(self, trace_id: int, span_id: int | None = None) -> None:
        """Read and show a trace, and a span of it: the given one, else its last call."""
        if trace_id != self.trace_id:
            self.inspector.show_nothing()
            self._is_new = True
        self._is_new = self._is_new or span_id is not None
        self._is_following = span_id is None
        self.trace_id, self._wanted_span = trace_id, span_id
        self._read()

    def refresh(self) -> None:
        """Read the trace again, because something of it changed; selection and zoom stay."""
        if self.trace_id is not None:
            self._read()

    def close_trace(self) -> None:
        """Let the trace go."""
        if self._task is not None:
            self._task.cancel()
        self.trace_id = self._wanted_span = None
        self.inspector.show_nothing()
        self.model.clear()

    def show_error(self, text: str) -> None:
        """Say in the page why there is nothing to see."""
        self._note.say(text)
        self.tree.setVisible(not text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the inspector below where there is no room beside the tree."""
        is_narrow = self.width() < NARROW_PX
        wanted = Qt.Orientation.Vertical if is_narrow else Qt.Orientation.Horizontal
        super().resizeEvent(event)
        if self.splitter.orientation() != wanted or not event.oldSize().isValid():
            self.splitter.setOrientation(wanted)
            room = self.height() if is_narrow else self.width()
            share = 40 if is_narrow else 58
            self.splitter.setSizes([room * share // 100, room * (100 - share) // 100])

    def _read(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self._desk.start(self._show(), "Reading the trace")

    async def _show(self) -> None:
        assert self.trace_id is not None
        try:
            tree: TraceTree = await self._desk.reader.ask("tree", self.trace_id)
        except AppError as error:
            self.model.clear()
            self.show_error(words(error))
            return
        self.show_error("")
        self.model.move_clock()
        self.model.set_tree(tree)
        self._show_head(tree.row)
        self.loaded.emit(tree.row)
        self._choose(tree)

    def _choose(self, tree: TraceTree) -> None:
        """Choose the span to begin with, or the newest while following; else bring the shown one up to date."""
        before = self._wanted_span
        if self._is_new or (self._is_following and tree.row.status == Status.RUNNING):
            self._is_new = False
            self._is_choosing = True
            self.tree.choose_span(self._first_span(tree))
            self._is_choosing = False
        if self._wanted_span == before and self.inspector.span is not None:
            self.inspector.show_span(self.inspector.span.id, is_same=True)

    def _first_span(self, tree: TraceTree) -> int:
        """Return the span to begin with: the one asked for, else the last call, else the first span."""
        if self._wanted_span is not None and not self._is_following:
            span = self.model.span_of_id(self._wanted_span)
            if span >= 0:
                return span
        calls = np.flatnonzero(tree.kind == Kind.LLM)
        return int(calls[-1]) if len(calls) else 0

    def _on_chosen(self, span_id: int) -> None:
        self._wanted_span = span_id
        if not self._is_choosing:
            self._is_following = False
        self.inspector.show_span(span_id)
        self.place_changed.emit()

    def _make_head(self, parent: QWidget) -> QWidget:
        head = QWidget(parent)
        row = QHBoxLayout(head)
        row.setContentsMargins(12, 8, 8, 6)
        row.setSpacing(14)
        self._name = QLabel(head)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._status = QLabel(head)
        self._facts = QLabel(head)
        self._facts.setTextFormat(Qt.TextFormat.PlainText)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        set_role(self._facts, role="dim")
        self._copy = QToolButton(head)
        self._copy.setToolTip("Copy as curl, Python, id …")
        self._copy.setAccessibleName("Copy")
        self._copy.clicked.connect(self.menu_wanted)
        row.addWidget(self._name)
        row.addWidget(self._status)
        row.addWidget(self._facts, 1)
        row.addWidget(self._copy)
        self._desk.theme.changed.connect(self._paint)
        self._paint()
        return head

    @property
    def copy_button(self) -> QToolButton:
        """The header's copy button, for its menu's place."""
        return self._copy

    def _paint(self) -> None:
        font = self._desk.theme.ui_font(1)
        font.setWeight(font.Weight.DemiBold)
        self._name.setFont(font)
        self._copy.setIcon(self._desk.theme.icon("copy"))

    def _show_head(self, row: TraceRow) -> None:
        metrics = self._name.fontMetrics()
        self._name.setText(metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, 360))
        self._name.setToolTip(row.name)
        word = STATUS_WORDS[row.status]
        self._status.setText({"ok": "✓ ok", "error": "✕ error"}.get(word, word))
        set_role(self._status, role=_STATUS_TONES[word])
        tokens = None if row.input_tokens is None else row.input_tokens + (row.output_tokens or 0)
        facts = [
            format.duration(row.duration_ns),
            f"{format.tokens(tokens)} tok",
            format.money(row.cost_nusd) + (f" plus {row.n_unpriced} unpriced" if row.n_unpriced else ""),
            format.count(row.n_spans, "span"),
            format.count(row.n_errors, "error") if row.n_errors else "",
            f"session {format.short_id(row.session)}" if row.session else "",
        ]
        self._facts.setText("   ".join(fact for fact in facts if fact))
