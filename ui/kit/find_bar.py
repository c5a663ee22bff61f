"""The find line of a text or a conversation: opens with Ctrl+F, steps with Enter and Shift+Enter, leaves with Esc."""

from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from ui.style import set_role
from ui.theme import Theme


class Findable(Protocol):
    """What can be searched: a `TextView` or a `MessageView`."""

    def find(self, text: str, step: int = 1) -> tuple[int, int]:
        """Go to a match; return its number and how many there are."""
        ...

    def end_find(self) -> None:
        """Let go of the match."""
        ...

    def setFocus(self) -> None:
        """Take the focus back."""
        ...


class FindBar(QWidget):
    """Hidden until asked for."""

    closed = Signal()

    def __init__(self, theme: Theme, target: Findable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._target = target
        self._line = QLineEdit(self)
        self._line.setPlaceholderText("Find")
        self._line.setAccessibleName("Find in this text")
        self._line.textChanged.connect(lambda: self._find(1))
        self._count = QLabel(self)
        set_role(self._count, role="dim")
        self._buttons = [
            self._button("chevron-up", "Previous match  (Shift+Enter)", lambda: self._find(-1)),
            self._button("chevron-down", "Next match  (Enter)", lambda: self._find(1)),
            self._button("x", "Close  (Esc)", self.end),
        ]
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.addWidget(self._line, 1)
        row.addWidget(self._count)
        for button in self._buttons:
            row.addWidget(button)
        theme.changed.connect(self._paint)
        self._paint()
        self.hide()

    def begin(self) -> None:
        """Show the line with its text selected."""
        self.show()
        self._line.setFocus()
        self._line.selectAll()
        self._find(1)

    def end(self) -> None:
        """Hide it and give the focus back."""
        self.hide()
        self._target.end_find()
        self._target.setFocus()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step and leave."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._find(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.end()
        else:
            super().keyPressEvent(event)

    def _find(self, step: int) -> None:
        number, count = self._target.find(self._line.text(), step)
        is_missing = bool(self._line.text()) and not count
        self._count.setText("nothing" if is_missing else f"{number} of {count}" if count else "")
        set_role(self._count, role="error" if is_missing else "dim")

    def _button(self, icon: str, tip: str, press: "object") -> QToolButton:
        button = QToolButton(self)
        button.setProperty("icon_name", icon)
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition("  ")[0])
        button.clicked.connect(press)
        return button

    def _paint(self) -> None:
        for button in self._buttons:
            button.setIcon(self._theme.icon(button.property("icon_name")))
