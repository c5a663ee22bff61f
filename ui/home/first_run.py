"""Home before there is anything to see: where to point an SDK, the key, snippets, a live wait for the first call."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from ui.home.arrival import Arrival, Remedy
from ui.home.snippet_box import SnippetBox
from ui.style import set_role
from ui.theme import Theme

WIDTH_PX: Final = 860
_PULSE_MS: Final = 60


class LiveDot(QWidget):
    """A dot that breathes while something is awaited; it stands still where motion is reduced."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._phase = 0
        self._token = "accent"
        self._timer = QTimer(self, interval=_PULSE_MS)
        self._timer.timeout.connect(self._on_tick)
        self.setFixedSize(22, 22)
        self.set_waiting(True)

    def set_waiting(self, is_waiting: bool, token: str = "accent") -> None:
        """Breathe, or stand still in a colour."""
        self._token = token
        if is_waiting and not self._theme.is_motion_reduced:
            self._timer.start()
        else:
            self._timer.stop()
            self._phase = 0
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the dot and the ring that leaves it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, color = QPointF(11, 11), QColor(self._theme.color(self._token))
        if self._timer.isActive():
            ring = QColor(color)
            ring.setAlphaF(0.45 * (1 - self._phase / 24))
            painter.setBrush(ring)
            painter.drawEllipse(middle, 4 + self._phase / 24 * 6, 4 + self._phase / 24 * 6)
        painter.setBrush(color)
        painter.drawEllipse(middle, 4, 4)
        painter.end()

    def _on_tick(self) -> None:
        if self.isVisible():
            self._phase = (self._phase + 1) % 25
            self.update()


class FirstRun(QWidget):
    """Shows what it is told; what its buttons mean is the page's."""

    copied = Signal(str, str)
    demo_wanted = Signal()
    open_wanted = Signal()
    remedy_wanted = Signal(object)
    """A `Remedy`."""

    def __init__(self, theme: Theme, first_tab: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._arrival: Arrival | None = None
        self._title = QLabel("Point an SDK here and watch the trace appear", self)
        lead = QLabel("Change only the base URL. Every call through this address becomes a trace: prompts, tool calls, "
                      "tokens, cost and timing. Nothing else leaves this machine.", self)  # fmt: skip
        lead.setWordWrap(True)
        set_role(lead, role="dim")
        self._url = self._field("Base URL")
        self._key = self._field("Key")
        self.box = SnippetBox(theme, first_tab, self)
        self.box.copied.connect(self.copied)
        fields = QHBoxLayout()
        fields.setSpacing(12)
        fields.addWidget(self._url, 1)
        fields.addWidget(self._key, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for part in (self._title, lead):
            layout.addWidget(part)
        layout.addSpacing(4)
        layout.addLayout(fields)
        layout.addWidget(self.box)
        layout.addWidget(self._make_strip())
        self.setMaximumWidth(WIDTH_PX)
        theme.changed.connect(self._paint)
        self._paint()

    def show_address(self, base_url: str, key: str, why_no_key: str = "") -> None:
        """Show where to send and with which key; `why_no_key` where there is none to show."""
        self._url.show_value(base_url)
        self._key.show_value(key or why_no_key, is_copyable=bool(key))
        self.box.show_for(base_url, key or "gs-…")

    def show_waiting(self, is_ready: bool) -> None:
        """Wait for the first request, or for the gateway to start."""
        self._arrival = None
        words = "Waiting for the first request…" if is_ready else "Starting the gateway…"
        self._say(words, "It appears here within a moment of its arrival.", "accent", is_waiting=True)
        self._act.hide()
        self._demo.show()
        self._demo.setEnabled(is_ready)

    def show_arrival(self, arrival: Arrival) -> None:
        """Say what came."""
        self._arrival = arrival
        self._say(arrival.title, arrival.text, "ok" if arrival.is_good else "error", is_waiting=False)
        self._demo.setVisible(False)
        self._act.setVisible(arrival.remedy is not Remedy.NONE)
        self._act.setText(arrival.remedy.value)
        self._open.show()

    def show_demo_running(self, is_running: bool) -> None:
        """Say that the demo agent is at work."""
        self._demo.setEnabled(not is_running)
        self._demo.setText("The demo agent is at work…" if is_running else "Send a demo run")

    def _say(self, title: str, text: str, token: str, *, is_waiting: bool) -> None:
        self._dot.set_waiting(is_waiting, token)
        self._what.setText(title)
        self._why.setText(text)
        set_role(self._why, role="error" if token == "error" else "dim")
        self._open.hide()

    def _make_strip(self) -> QFrame:
        strip = QFrame(self)
        set_role(strip, role="card")
        self._dot = LiveDot(self._theme, strip)
        self._what, self._why = QLabel(strip), QLabel(strip)
        for label in (self._what, self._why):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._demo = self._button("Send a demo run", self.demo_wanted.emit)
        self._demo.setToolTip(
            "A small agent with tools runs through the gateway, on the built-in demo model; no key needed"
        )
        self._act = self._button("", self._on_act)
        self._open = self._button("Open the trace", self.open_wanted.emit)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._why)
        row = QHBoxLayout(strip)
        row.setContentsMargins(14, 12, 12, 12)
        row.setSpacing(10)
        row.addWidget(self._dot)
        row.addLayout(words, 1)
        for button in (self._act, self._open, self._demo):
            row.addWidget(button)
        return strip

    def _on_act(self) -> None:
        if self._arrival is not None:
            self.remedy_wanted.emit(self._arrival.remedy)

    def _button(self, text: str, press: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(lambda: press())
        return button

    def _field(self, title: str) -> "CopyField":
        field = CopyField(self._theme, title, self)
        field.copied.connect(self.copied)
        return field

    def _paint(self) -> None:
        font = self._theme.ui_font(8, QFont.Weight.DemiBold)
        self._title.setFont(font)
        self._what.setFont(self._theme.ui_font(0.5, QFont.Weight.DemiBold))


class CopyField(QFrame):
    """A title, a value in the code font, and a button that copies it."""

    copied = Signal(str, str)

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, role="card")
        self._theme = theme
        label = QLabel(title, self)
        set_role(label, role="dim")
        self._value = QLabel(self)
        self._value.setTextFormat(Qt.TextFormat.PlainText)
        self._value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._value.setAccessibleName(title)
        self._copy = QToolButton(self)
        self._copy.setIconSize(QSize(16, 16))
        self._copy.setToolTip(f"Copy the {title.lower()}")
        self._copy.setAccessibleName(f"Copy the {title.lower()}")
        self._copy.clicked.connect(lambda: self.copied.emit(self._value.text(), f"the {title.lower()}"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(label)
        row.addWidget(self._value, 1)
        row.addWidget(self._copy)
        theme.changed.connect(self._paint)
        self._paint()

    def value(self) -> str:
        """Return what is shown."""
        return self._value.text()

    def show_value(self, value: str, *, is_copyable: bool = True) -> None:
        """Show a value."""
        self._value.setText(value)
        self._copy.setVisible(is_copyable)

    def _paint(self) -> None:
        self._value.setFont(self._theme.code_font())
        self._copy.setIcon(self._theme.icon("copy"))
