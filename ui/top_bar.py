"""The top bar: back, forward, where one is, the page's own search, the live switch."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from ui.style import set_role
from ui.theme import Theme


class TopBar(QFrame):
    """Shows what the window tells it; decides nothing."""

    search_wanted = Signal()
    live_toggled = Signal(bool)

    def __init__(self, theme: Theme, back: QAction, forward: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, role="bar")
        self._theme = theme
        self._back = self._arrow(back, "arrow-left")
        self._forward = self._arrow(forward, "arrow-right")
        self._trail = QLabel(self)
        self._trail.setTextFormat(Qt.TextFormat.PlainText)
        self._trail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._trail.setAccessibleName("You are here")
        self._middle = QStackedWidget(self)
        self._middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._search = QPushButton("  Search or jump to…", self._middle)
        self._search.setAccessibleName("Search or jump to")
        set_role(self._search, role="search")
        self._search.setToolTip("Commands, pages, a trace id  (Ctrl+K)")
        self._search.clicked.connect(self.search_wanted)
        self._middle.addWidget(self._search)
        self._live = QPushButton("Live", self)
        self._live.setCheckable(True)
        self._live.setChecked(True)
        self._live.setToolTip("Follow what arrives  (L)")
        self._live.setAccessibleName("Live")
        self._live.toggled.connect(self._on_live)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 7, 10, 7)
        row.setSpacing(6)
        row.addWidget(self._back)
        row.addWidget(self._forward)
        row.addWidget(self._trail)
        row.addSpacing(8)
        row.addWidget(self._middle, 1)
        row.addSpacing(2)
        row.addWidget(self._live)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def show_trail(self, trail: list[str]) -> None:
        """Show the breadcrumb."""
        self._trail.setText("  /  ".join(trail))

    def show_widget(self, widget: QWidget | None) -> None:
        """Put a page's own widget in the middle; None puts the search button back."""
        if widget is not None and self._middle.indexOf(widget) < 0:
            self._middle.addWidget(widget)
        self._middle.setCurrentWidget(widget or self._search)

    def show_live(self, is_live: bool) -> None:
        """Follow the switch where it is turned elsewhere."""
        self._live.setChecked(is_live)

    def _on_live(self, is_live: bool) -> None:
        self._paint()
        self.live_toggled.emit(is_live)

    def _arrow(self, action: QAction, icon: str) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("icon_name", icon)
        button.setIconSize(QSize(16, 16))
        button.setToolTip(action.toolTip())
        button.setAccessibleName(action.text())
        button.setEnabled(action.isEnabled())
        button.clicked.connect(lambda: action.trigger())
        action.enabledChanged.connect(button.setEnabled)
        return button

    def _on_theme_changed(self) -> None:
        self.setFixedHeight(round(self._theme.size_pt * 2.2) + 24)  # the same on every page
        self._paint()

    def _paint(self) -> None:
        for button in (self._back, self._forward):
            button.setIcon(self._theme.icon(button.property("icon_name")))
        self._search.setIcon(self._theme.icon("search"))
        is_live = self._live.isChecked()
        self._live.setIcon(self._theme.icon("radio" if is_live else "pause", "ok" if is_live else "dim"))
        self._live.setText(" Live" if is_live else " Held")
