"""The inspector: one span, side by side in tabs. The tab stays when the span changes."""

from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QTabBar, QWidget

from app.errors import AppError
from app.models.span import Status
from app.models.trace import SpanDetail
from ui import format
from ui.desk import Desk
from ui.kit.feedback import words
from ui.style import set_role
from ui.traces.attributes_tab import AttributesTab
from ui.traces.body_tab import RequestTab, ResponseTab
from ui.traces.messages_tab import MessagesTab
from ui.traces.tab import EmptyNote, SpanTab, column
from ui.traces.timing_tab import TimingTab

TABS: Final[tuple[type[SpanTab], ...]] = (MessagesTab, RequestTab, ResponseTab, TimingTab, AttributesTab)


class Inspector(QWidget):
    """Reads a span, then what the tab in front needs of it; answers about an earlier span are dropped."""

    filter_wanted = Signal(str)
    """A term for the traces list."""
    tab_changed = Signal(int)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.span: SpanDetail | None = None
        self._task: Any = None
        self._is_reading = False
        """A span is being read; what its tab needs comes after."""
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._title.setContentsMargins(12, 10, 12, 2)
        self._failure = QLabel(self)
        self._failure.setWordWrap(True)
        self._failure.setContentsMargins(12, 2, 12, 4)
        self._failure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        set_role(self._failure, role="error")
        self._failure.hide()
        self._bar = QTabBar(self)
        self._bar.setExpanding(False)
        self._bar.setAccessibleName("Inspector")
        self._note = EmptyNote(self)
        self._stack = QStackedWidget(self)
        self._tabs = [kind(desk, self._stack) for kind in TABS]
        for number, tab in enumerate(self._tabs):
            self._bar.addTab(tab.title)
            self._bar.setTabToolTip(number, f"{tab.title}  (Alt+{number + 1})")
            self._stack.addWidget(tab)
            if isinstance(tab, AttributesTab):
                tab.filter_wanted.connect(self.filter_wanted)
        self._bar.currentChanged.connect(self._on_tab)
        column(self, self._title, self._failure, self._bar, self._note, self._stack).addStretch()
        self.show_nothing()

    @property
    def tab(self) -> int:
        """The number of the tab in front."""
        return self._bar.currentIndex()

    def tabs(self) -> list[SpanTab]:
        """Return the tabs in order."""
        return list(self._tabs)

    def set_tab(self, number: int) -> None:
        """Bring a tab to the front."""
        if 0 <= number < self._bar.count():
            self._bar.setCurrentIndex(number)

    def show_nothing(self, why: str = "") -> None:
        """Show no span."""
        self._cancel()
        self.span = None
        self._title.setText("")
        self._failure.hide()
        self._note.say(why)
        self._stack.setVisible(False)
        self._bar.setVisible(False)

    def show_span(self, span_id: int, *, is_same: bool = False) -> None:
        """Read and show a span; `is_same`: the one shown, grown."""
        self._cancel()
        self._is_reading = True
        self._task = self._desk.start(self._show(span_id, is_same=is_same), "Reading the span")

    def find(self) -> None:
        """Open the find line of the tab in front."""
        self._tabs[self.tab].find()

    def focus_content(self) -> None:
        """Give the focus to the tab in front."""
        self._tabs[self.tab].focus_content()

    async def _show(self, span_id: int, *, is_same: bool) -> None:
        try:
            span: SpanDetail = await self._desk.reader.ask("span", span_id)
            self._is_reading = False
        except AppError as error:
            self.show_nothing(words(error))
            return
        self.span = span
        self._title.setText(_title(span))
        failure = span.failure
        self._failure.setText(f"{failure.kind.capitalize()}: {failure.message}" if failure else "")
        self._failure.setVisible(failure is not None)
        self._note.say("")
        self._stack.setVisible(True)
        self._bar.setVisible(True)
        await self._load(is_same=is_same)

    async def _load(self, *, is_same: bool) -> None:
        if self.span is not None:
            tab = self._tabs[self.tab]
            try:
                await tab.load(self.span, is_same=is_same)
            except AppError as error:
                self._note.say(words(error))

    def _on_tab(self, number: int) -> None:
        self._stack.setCurrentIndex(number)
        self.tab_changed.emit(number)
        if self.span is not None and not self._is_reading:
            self._cancel()
            self._task = self._desk.start(self._load(is_same=False), "Reading the span")

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._is_reading = False


def _title(span: SpanDetail) -> str:
    parts = [
        span.name,
        span.kind.name.lower(),
        format.duration(span.duration_ns),
        format.money(span.cost_nusd) if span.cost_nusd is not None else "",
        span.status.name.lower() if span.status != Status.OK else "",
    ]
    return "  ·  ".join(part for part in parts if part and part != format.UNKNOWN)
