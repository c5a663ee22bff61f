"""The `?` sheet: every shortcut that works here."""

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ui.commands import EVERYWHERE, Command, Commands
from ui.kit.overlay import Overlay
from ui.style import set_role
from ui.theme import Theme

WIDTH_PX = 560
TALLEST_PX = 640


class ShortcutSheet(Overlay):
    """Two columns: keys and what they do, the page's own first."""

    def __init__(self, commands: Commands, theme: Theme, window: QWidget) -> None:
        super().__init__(window, WIDTH_PX, TALLEST_PX)
        self._commands = commands
        self._theme = theme
        self.setAccessibleName("Keyboard shortcuts")
        self._title = QLabel("Keyboard shortcuts", self)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 8, 12)
        column.setSpacing(10)
        column.addWidget(self._title)
        column.addWidget(self._area, 1)

    def open_for(self, context: str) -> None:
        """Open with the shortcuts of the page of that title and those that work everywhere."""
        self._title.setFont(self._theme.ui_font(2, self._title.font().Weight.DemiBold))
        known = [command for command in self._commands.here(context) if command.shortcuts]
        table = QWidget()
        table.setAutoFillBackground(False)
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 12, 8)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        own = [command for command in known if command.context != EVERYWHERE]
        everywhere = [command for command in known if command.context == EVERYWHERE]
        self._add_group(grid, context, own)
        self._add_group(grid, "Everywhere", everywhere)
        grid.setRowStretch(grid.rowCount(), 1)
        self._area.setWidget(table)
        table.setStyleSheet("background: transparent;")
        self._area.viewport().setStyleSheet("background: transparent;")
        self.fit(WIDTH_PX, min(TALLEST_PX, table.sizeHint().height() + 76))
        self.open_over()
        self._area.setFocus()

    def _add_group(self, grid: QGridLayout, heading: str, commands: list[Command]) -> None:
        if not commands:
            return
        label = QLabel(heading)
        label.setMinimumHeight(26)
        set_role(label, role="accent")
        grid.addWidget(label, grid.rowCount(), 0, 1, 2)
        for command in commands:
            row = grid.rowCount()
            grid.addWidget(_keys(command), row, 0, Qt.AlignmentFlag.AlignLeft)
            title = QLabel(command.title)
            title.setTextFormat(Qt.TextFormat.PlainText)
            grid.addWidget(title, row, 1)


def _keys(command: Command) -> QWidget:
    texts = [QKeySequence(text).toString(QKeySequence.SequenceFormat.NativeText) for text in command.shortcuts[:2]]
    label = QLabel("  or  ".join(escape(text) for text in texts))
    set_role(label, role="key")
    return label
