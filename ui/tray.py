"""The tray icon: the gateway's state while no window shows, and the only place to quit from then (UX O6)."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from ui.engine import Engine, GatewayState
from ui.theme import Theme


class Tray(QObject):
    """A small menu. Made only where the system has a tray: see `is_there`."""

    open_wanted = Signal()
    copy_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, engine: Engine, theme: Theme) -> None:
        super().__init__()
        self._engine = engine
        self._theme = theme
        self._icon = QSystemTrayIcon(self)
        self._menu = QMenu()
        self._state = self._entry("", None)
        self._state.setEnabled(False)
        self._menu.addSeparator()
        self._entry("Open Gatescope", self.open_wanted)
        self._entry("Copy base URL", self.copy_wanted)
        self._menu.addSeparator()
        self._entry("Quit Gatescope", self.quit_wanted)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        engine.state_changed.connect(self._show)
        theme.changed.connect(self._show)
        self._show()
        self._icon.show()

    @staticmethod
    def is_there() -> bool:
        """Return whether this system has a tray now."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def hide(self) -> None:
        """Take the icon away."""
        self._icon.hide()

    def _entry(self, words: str, wanted: Signal | None) -> QAction:
        action = self._menu.addAction(words)
        if wanted is not None:
            action.triggered.connect(lambda: wanted.emit())
        return action

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.open_wanted.emit()

    def _show(self) -> None:
        is_up = self._engine.state is GatewayState.RUNNING
        words = f"Gateway on {self._engine.base_url}" if is_up else f"Gateway is {self._engine.state.value}"
        self._state.setText(words)
        self._icon.setToolTip(f"Gatescope: {words}")
        self._icon.setIcon(self._theme.icon("gatescope", "accent" if is_up else "error", 32))
