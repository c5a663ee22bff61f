"""The gateway page: where it listens, how it does, who may call, what it is working on now."""

import time
from typing import ClassVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFont, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.change import Change
from ui import format as text
from ui.client import GatewayStatus
from ui.commands import Command
from ui.desk import Desk
from ui.engine import GatewayState
from ui.gateway.keys import KeysPanel
from ui.gateway.rows import in_flight_model
from ui.gateway.table import small_table
from ui.kit.page import Page
from ui.style import set_role

CLOCK_MS = 500
_STATES = {
    GatewayState.RUNNING: ("Running", "circle-check", "ok"),
    GatewayState.STARTING: ("Starting…", "refresh-cw", "dim"),
    GatewayState.RESTARTING: ("Down, restarting…", "circle-x", "error"),
    GatewayState.STOPPING: ("Draining…", "refresh-cw", "dim"),
    GatewayState.STOPPED: ("Stopped", "square", "dim"),
    GatewayState.FAILED: ("Cannot start", "circle-x", "error"),
}


class GatewayPage(Page):
    """An overview in one column."""

    title: ClassVar[str] = "Gateway"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._headline = QLabel(self)
        self._mark = QLabel(self)
        self._facts = QLabel(self)
        set_role(self._facts, role="dim")
        self._address = QPushButton(self)
        self._address.setToolTip("Copy the base URL")
        self._address.clicked.connect(lambda: desk.commands.run("gateway.copy_url"))
        self._start = self._command_button("gateway.start", "Start", "play")
        self._restart = self._command_button("gateway.restart", "Restart", "rotate-cw")
        self._stop = self._command_button("gateway.stop", "Stop", "square")
        self._notice = _Notice(self)
        self._in_flight = in_flight_model(self)
        self._calls = small_table(self._in_flight, "Calls in flight", desk.theme, stretched=0)
        self._idle = QLabel("Nothing in flight.", self)
        set_role(self._idle, role="dim")
        self._keys = KeysPanel(desk, self)
        self._log = QPlainTextEdit(self)
        self._log.setReadOnly(True)
        self._log.setMaximumBlockCount(500)
        self._log.setAccessibleName("The gateway's log")
        self._log.setMinimumHeight(160)
        self._log_switch = QToolButton(self)
        self._log_switch.setText("Show log")
        self._log_switch.setCheckable(True)
        self._log_switch.setAccessibleName("Show the gateway's log")
        self._log_switch.toggled.connect(self._on_log_switch)
        self._log.hide()
        self._clock = QTimer(self, interval=CLOCK_MS)
        self._clock.timeout.connect(self._tick)
        self._lay_out()
        self._wire()

    def on_change(self, change: Change) -> None:
        """Read the keys again where they changed."""
        if change.keys or change.is_all:
            self._keys.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the clocks run while someone looks."""
        super().showEvent(event)
        self._run_clock()

    def hideEvent(self, event: QHideEvent) -> None:
        """Let them rest."""
        super().hideEvent(event)
        self._clock.stop()

    def on_shown(self) -> None:
        """Read the keys again."""
        self._keys.refresh()
        self.setFocus()

    def state(self) -> dict[str, object]:
        """Return whether the log is unfolded."""
        return {"log": self._log_switch.isChecked()}

    def restore(self, state: dict[str, object]) -> None:
        """Unfold the log, or fold it."""
        self._log_switch.setChecked(state.get("log") is True)

    def _wire(self) -> None:
        desk = self.desk
        desk.engine.state_changed.connect(self._on_gateway)
        desk.client.status_changed.connect(self._on_status)
        desk.engine.logged.connect(self._log.appendPlainText)
        desk.theme.changed.connect(self._paint)
        for line in desk.engine.log:
            self._log.appendPlainText(line)
        reload_keys = Command("gateway.refresh", "Read the keys again", self._keys.refresh, ("F5",), self.title)
        desk.commands.add(reload_keys, self)
        self._on_gateway()
        self._on_status(desk.client.status)

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setMaximumWidth(1100)
        column = QVBoxLayout(inside)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(12)
        column.addWidget(self._overview())
        column.addWidget(self._notice)
        column.addSpacing(8)
        column.addWidget(_heading("Virtual keys", "For clients: the gateway adds the provider's own key."))
        column.addWidget(self._keys)
        column.addSpacing(8)
        column.addWidget(_heading("In flight", ""))
        column.addWidget(self._idle)
        column.addWidget(self._calls)
        column.addWidget(self._log_switch, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._log, 1)
        column.addStretch(0)
        centre = QWidget()
        row = QHBoxLayout(centre)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(inside, 1, Qt.AlignmentFlag.AlignTop)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setWidget(centre)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def _overview(self) -> QFrame:
        card = QFrame(self)
        set_role(card, role="card")
        words = QVBoxLayout()
        words.setSpacing(4)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._mark)
        top.addWidget(self._headline)
        top.addWidget(self._address)
        top.addStretch(1)
        words.addLayout(top)
        words.addWidget(self._facts)
        row = QHBoxLayout(card)
        row.setContentsMargins(18, 14, 14, 14)
        row.setSpacing(8)
        row.addLayout(words, 1)
        for button in (self._start, self._restart, self._stop):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        return card

    def _command_button(self, command_id: str, words: str, icon: str) -> QPushButton:
        button = QPushButton(f" {words}", self)
        button.setProperty("icon_name", icon)
        button.setToolTip(self.desk.commands.get(command_id).title)
        button.setAccessibleName(self.desk.commands.get(command_id).title)
        button.clicked.connect(lambda: self.desk.commands.run(command_id))
        return button

    def _on_gateway(self) -> None:
        engine = self.desk.engine
        is_up = engine.state is GatewayState.RUNNING
        is_down = engine.state in (GatewayState.STOPPED, GatewayState.FAILED)
        self._start.setVisible(is_down)
        self._stop.setVisible(not is_down)
        self._restart.setVisible(not is_down)
        self._stop.setEnabled(engine.state is not GatewayState.STOPPING)
        self._restart.setEnabled(is_up)
        self._address.setText(f" {engine.base_url}")
        self._address.setVisible(is_up)
        self._show_notice()
        self._keys.refresh()
        self._paint()
        self._tick()
        self._run_clock()

    def _on_status(self, status: GatewayStatus) -> None:
        self._in_flight.show(status.in_flight, lambda call: call.request_id)
        self._idle.setVisible(not status.in_flight)
        self._calls.setVisible(bool(status.in_flight))
        self._show_notice()
        self._tick()

    def _show_notice(self) -> None:
        status = self.desk.client.status
        config_problem = status.config_problem
        if status.record_problem:
            self._notice.tell(f"Calls are not put on disk: {status.record_problem}", "error")
        elif config_problem:
            self._notice.tell(f"The config file is not in force, the one before still is. {config_problem}", "warn")
        elif self.desk.engine.state in (GatewayState.FAILED, GatewayState.RESTARTING):
            self._notice.tell(self.desk.engine.problem, "error")
        else:
            self._notice.tell(self.desk.engine.problem, "warn")

    def _run_clock(self) -> None:
        if self.isVisible() and self.desk.engine.is_running:
            self._clock.start()
        else:
            self._clock.stop()

    def _tick(self) -> None:
        engine, status = self.desk.engine, self.desk.client.status
        if not engine.is_running:
            self._facts.setText("Clients cannot reach it until it runs.")
            return
        parts = [f"process {engine.pid}", f"{status.calls_per_minute:.0f} requests a minute"]
        if engine.started_ns:
            parts.insert(0, f"up {text.uptime(max(0, time.time_ns() - engine.started_ns))}")
        if status.queued_bytes:
            parts.append(f"{text.size(status.queued_bytes)} waiting to be written")
        if not engine.is_owned:
            parts.append("started outside this window: it stays when you quit")
        self._facts.setText("  ·  ".join(parts))
        self._in_flight.refresh()

    def _on_log_switch(self, is_on: bool) -> None:
        self._log.setVisible(is_on)
        self._log_switch.setText("Hide log" if is_on else "Show log")

    def _paint(self) -> None:
        theme = self.desk.theme
        words, icon, token = _STATES[self.desk.engine.state]
        self._headline.setText(words)
        self._headline.setFont(theme.ui_font(3, QFont.Weight.DemiBold))
        self._mark.setPixmap(theme.icon(icon, token, 20).pixmap(QSize(20, 20)))
        for button in (self._start, self._restart, self._stop):
            button.setIcon(theme.icon(button.property("icon_name")))
        self._address.setIcon(theme.icon("copy"))
        self._address.setFont(theme.code_font())
        self._log.setFont(theme.code_font())


class _Notice(QFrame):
    """One framed sentence; hidden where there is nothing to say."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 14, 10)
        row.addWidget(self._words)

    def tell(self, words: str, tone: str) -> None:
        """Show words in a tone; empty words hide it."""
        set_role(self, role="notice", tone=tone)
        self._words.setText(words)
        self.setVisible(bool(words))


def _heading(words: str, note: str) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    title = QLabel(words)
    font = title.font()
    font.setWeight(QFont.Weight.DemiBold)
    title.setFont(font)
    row.addWidget(title)
    if note:
        aside = QLabel(note)
        set_role(aside, role="dim")
        row.addWidget(aside)
    row.addStretch(1)
    return line
