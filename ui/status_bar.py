"""The status bar (UX F4, F5): the gateway's health and address, what it does now, what today cost, what is stored."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from ui import format as text
from ui.client import GatewayStatus
from ui.engine import GatewayState
from ui.style import set_role
from ui.theme import Theme

if TYPE_CHECKING:
    from app.models.trace import Totals  # 15 ms that the first paint need not wait for

_MARKS = {
    GatewayState.RUNNING: ("circle-check", "ok"),
    GatewayState.STARTING: ("refresh-cw", "dim"),
    GatewayState.RESTARTING: ("circle-x", "error"),
    GatewayState.STOPPING: ("refresh-cw", "dim"),
    GatewayState.STOPPED: ("circle-x", "dim"),
    GatewayState.FAILED: ("circle-x", "error"),
}
_WORDS = {
    GatewayState.STARTING: "Gateway is starting…",
    GatewayState.RESTARTING: "Gateway is down, restarting…",
    GatewayState.STOPPING: "Gateway is draining…",
    GatewayState.STOPPED: "Gateway is stopped",
    GatewayState.FAILED: "Gateway cannot start",
}


class StatusBar(QFrame):
    """Shows; the window wires it."""

    copy_wanted = Signal()
    restart_wanted = Signal()
    log_wanted = Signal()
    help_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, role="status")
        self._theme = theme
        self._state = GatewayState.STOPPED
        self._problems = {"record": "", "gateway": "", "config": ""}
        self._gateway = self._button("Copy the base URL", self.copy_wanted)
        self._gateway.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._gateway.setIconSize(QSize(14, 14))
        self._restart = self._button("Restart", self.restart_wanted, words="Restart")
        self._log = self._button("Show the gateway's log", self.log_wanted, words="Show log")
        self._problem = self._label("Problem")
        set_role(self._problem, role="warn")
        self._doing = self._label("Requests in flight and per minute")
        self._spent = self._label("Cost today")
        self._stored = self._label("Traces and size on disk")
        self._help = self._button("Keyboard shortcuts  (?)", self.help_wanted, words="?")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(8)
        for widget in (self._gateway, self._restart, self._log, self._doing, self._spent, self._problem):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._stored)
        row.addWidget(self._help)
        self.show_status(GatewayStatus())
        self.show_totals(None)
        theme.changed.connect(self._paint)

    def show_gateway(self, state: GatewayState, address: str, problem: str) -> None:
        """Show how the gateway stands; `problem` is one line, empty for none."""
        self._state = state
        is_down = state in (GatewayState.FAILED, GatewayState.RESTARTING, GatewayState.STOPPED)
        words = f"Gateway {address}" if state is GatewayState.RUNNING else _WORDS[state]
        self._gateway.setText(f" {words}")
        self._gateway.setAccessibleName(words)
        self._restart.setVisible(is_down)
        self._restart.setText("Start" if state is GatewayState.STOPPED else "Restart")
        self._log.setVisible(is_down)
        self._doing.setVisible(state is GatewayState.RUNNING)
        self._show_problem("gateway", problem)
        self._paint()

    def show_status(self, status: GatewayStatus) -> None:
        """Show what the gateway is doing."""
        in_flight = f"{len(status.in_flight)} in flight"
        self._doing.setText(f"{in_flight}  ·  {status.calls_per_minute:.0f} req/min")
        self._show_problem("record", status.record_problem or "")
        self._show_problem("config", f"Config: {status.config_problem}" if status.config_problem else "")

    def show_totals(self, totals: "Totals | None") -> None:
        """Show what is stored and what today cost; None where nothing is known yet."""
        if totals is None:
            self._spent.setText("")
            self._stored.setText("")
            return
        today = text.money(totals.cost_today_nusd)
        plus = f" plus {totals.unpriced_today:,} unpriced" if totals.unpriced_today else ""
        self._spent.setText(f"·  today {today}{plus}")
        self._stored.setText(f"{text.count(totals.n_traces, 'trace')}  ·  {text.size(totals.size_bytes)}")

    def _show_problem(self, source: str, problem: str) -> None:
        self._problems[source] = problem
        problem = next(filter(None, self._problems.values()), "")
        self._problem.setText(text.one_line(problem, 110))
        self._problem.setToolTip(problem)
        self._problem.setVisible(bool(problem))

    def _paint(self) -> None:
        name, token = _MARKS[self._state]
        self._gateway.setIcon(self._theme.icon(name, token, 14))

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setAccessibleDescription(name)
        set_role(label, role="dim")
        return label

    def _button(self, tip: str, wanted: Signal, words: str = "") -> QToolButton:
        button = QToolButton(self)
        button.setText(words)
        button.setToolTip(tip)
        button.setAccessibleName(words or tip)
        button.clicked.connect(wanted)
        return button
