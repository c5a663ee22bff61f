"""Home: how to connect until something came, then how things stand."""

from typing import Any, ClassVar, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.errors import AppError, StoreError
from app.models.change import Change
from app.models.query import Query
from app.models.trace import SpanDetail, Totals, TraceRow
from ui.commands import Command
from ui.desk import Desk
from ui.home.arrival import Remedy, arrival_of
from ui.home.first_run import WIDTH_PX, FirstRun
from ui.home.overview import Overview
from ui.home.summary import figures
from ui.kit.page import Page

TAB_SETTING: Final = "home.snippet"
SHOWN: Final = 10
COUNTED: Final = 50
"""Latest traces that the figures speak of."""
COALESCE_MS: Final = 250


class HomePage(Page):
    """Wires the first run and the overview; reads again, coalesced, when something changed."""

    title: ClassVar[str] = "Home"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._key = ""
        self._why_no_key = ""
        self._first: TraceRow | None = None
        self._has_traces: bool | None = None
        self._is_reading = self._is_stale = False
        self.first_run = FirstRun(desk.theme, desk.settings.text(TAB_SETTING, "openai-python"), self)
        self.overview = Overview(desk.theme, self)
        self._connect_button = QPushButton("Connect another client", self)
        self._connect_button.setCheckable(True)
        self._connect_button.toggled.connect(self._fit)
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=COALESCE_MS)
        self._timer.timeout.connect(self._read_soon)
        self._wire()
        demo = Command("home.demo", "Send a demo run", self.send_demo, icon="send")
        desk.commands.add(demo, self)
        self._fit()
        self._show_address()
        desk.start(self._read(), "Reading the overview")
        desk.start(self._read_key(), "Reading the first key")

    def on_change(self, change: Change) -> None:
        """Read again soon."""
        if (change.is_all or change.traces) and not self._timer.isActive():
            self._timer.start(0 if not self._has_traces else COALESCE_MS)
        if change.keys:
            self.desk.start(self._read_key(), "Reading the first key")

    async def send_demo(self) -> None:
        """Run the demo agent through the gateway."""
        self.first_run.show_demo_running(True)
        try:
            await self.desk.client.demo()
        finally:
            self.first_run.show_demo_running(False)

    def open_trace(self, trace_id: int) -> None:
        """Go to a trace."""
        self.desk.go("traces", {"trace": trace_id})

    async def _read(self) -> None:
        """Read, and once more where something changed meanwhile."""
        self._is_reading = True
        try:
            await self._refresh()
        finally:
            self._is_reading = False
        if self._is_stale:
            self._is_stale = False
            self._timer.start()

    async def _refresh(self) -> None:
        """Read the figures and the latest traces; the first trace ever ends the wait."""
        try:
            latest: list[TraceRow] = await self.desk.reader.ask("traces", Query(), None, COUNTED)
            totals: Totals = await self.desk.reader.ask("totals")
        except StoreError:
            latest, totals = [], Totals(0, 0, 0, 0, None, 0, 0)  # no database yet: the gateway is about to make it
        had = self._has_traces
        self._has_traces = bool(latest)
        if latest and had is False:
            self._has_traces = await self._welcome(latest)
        if latest:
            self.overview.show_figures(figures(totals, latest))
            self.overview.show_traces(latest[:SHOWN])
        self._fit()

    async def _welcome(self, latest: list[TraceRow]) -> bool:
        """Say what the first request was; open its trace where it went well. False while it still is on its way."""
        first = latest[-1]
        span = await self._first_call(first)
        if span is None:  # what a call that runs was asked is written with its end
            return False
        self._first = first
        arrival = arrival_of(span)
        self.first_run.show_arrival(arrival)
        self._connect_button.setChecked(True)
        if arrival.is_good and self.isVisible():
            self.open_trace(first.id)
        return True

    async def _first_call(self, row: TraceRow) -> SpanDetail | None:
        tree = await self.desk.reader.ask("tree", row.id)
        for span_id in tree.id.tolist():
            span: SpanDetail = await self.desk.reader.ask("span", span_id)
            if span.method:
                return span
        return None

    async def _read_key(self) -> None:
        try:
            said: dict[str, Any] = await self.desk.client.get("first-key")
        except AppError:
            return  # no gateway yet; asked again when it runs
        self._key, self._why_no_key = said.get("key") or "", said.get("reason") or ""
        self._show_address()

    def _read_soon(self) -> None:
        if self._is_reading:
            self._is_stale = True
        else:
            self.desk.start(self._read(), "Reading the overview")

    def _show_address(self) -> None:
        self.first_run.show_address(self.desk.base_url, self._key, self._why_no_key)

    def _on_engine(self, _: object) -> None:
        self._show_address()
        if self.desk.engine.is_running:
            self.desk.start(self._read_key(), "Reading the first key")
            self._read_soon()
        self._fit()

    def _fit(self, *_: object) -> None:
        """Show the first run until there are traces, then the overview; both when another client is to be connected."""
        has_traces = bool(self._has_traces)
        self.overview.setVisible(has_traces)
        self._connect_button.setVisible(has_traces)
        self.first_run.setVisible(not has_traces or self._connect_button.isChecked())
        if not has_traces or self._first is None:
            self.first_run.show_waiting(self.desk.engine.is_running)

    def _on_remedy(self, remedy: Remedy) -> None:
        if remedy is Remedy.COPY_URL:
            self.desk.copy(self.desk.base_url, "the base URL")
        elif remedy is Remedy.COPY_URL_V1:
            self.desk.copy(f"{self.desk.base_url}/v1", "the base URL")
        elif remedy is Remedy.COPY_KEY:
            self.desk.copy(self._key, "the key")
        else:
            self.desk.commands.run("home.demo")

    def _on_open(self) -> None:
        if self._first is not None:
            self.open_trace(self._first.id)

    def _wire(self) -> None:
        run, desk = self.first_run, self.desk
        run.copied.connect(desk.copy)
        run.box.tab_changed.connect(lambda tab: desk.settings.set(TAB_SETTING, tab))
        run.demo_wanted.connect(lambda: desk.commands.run("home.demo"))
        run.open_wanted.connect(self._on_open)
        run.remedy_wanted.connect(self._on_remedy)
        self.overview.opened.connect(self.open_trace)
        desk.engine.state_changed.connect(self._on_engine)

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(28, 26, 28, 26)
        column.setSpacing(18)
        column.addWidget(self.overview)
        buttons = QHBoxLayout()
        buttons.addWidget(self._connect_button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addWidget(self.first_run, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.first_run.setMinimumWidth(min(WIDTH_PX, 640))
        scroll = QScrollArea(self)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
