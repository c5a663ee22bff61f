"""What stands in the place of an empty list: why it is empty, and what to do about it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.style import set_role
from ui.theme import Theme


class EmptyState(QWidget):
    """A picture, a title, a sentence, buttons."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name = "inbox"
        self._icon = QLabel(self)
        self._title = QLabel(self)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setFixedWidth(460)
        set_role(self._text, role="dim")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addStretch(2)
        for part in (self._icon, self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(6)
        layout.addLayout(self._buttons)
        layout.addStretch(3)
        theme.changed.connect(self._paint)
        self._paint()

    def say(self, icon: str, title: str, text: str, actions: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        """Say why there is nothing here; each action is (button text, what it does)."""
        self._icon_name = icon
        self._title.setText(title)
        self._text.setText(text)
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._buttons.addStretch(1)
        for words, act in actions:
            button = QPushButton(words, self)
            button.clicked.connect(lambda _=False, act=act: act())
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        self._paint()

    def _paint(self) -> None:
        self._icon.setPixmap(self._theme.icon(self._icon_name, "dim", 36).pixmap(QSize(36, 36)))
        font = self._theme.ui_font(2)
        font.setWeight(font.Weight.DemiBold)
        self._title.setFont(font)
