"""The snippet box: one tab a client library, the text with the real address and key in it, a copy button."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QTabBar, QVBoxLayout, QWidget

from ui.home.snippets import Snippet, snippets
from ui.kit.text_view import TextView
from ui.style import set_role
from ui.theme import Theme

HEIGHT_PX: Final = 236


class SnippetBox(QFrame):
    """Shows the snippets of one address and key."""

    copied = Signal(str, str)
    """The text, and what it is."""
    tab_changed = Signal(str)
    """The id of the snippet in front."""

    def __init__(self, theme: Theme, first_tab: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, role="card")
        self._theme = theme
        self._wanted = first_tab
        self._snippets: list[Snippet] = []
        self._tabs = QTabBar(self)
        self._tabs.setExpanding(False)
        self._tabs.setAccessibleName("Client library")
        self._text = TextView(theme, "Snippet", self)
        self._text.setFixedHeight(HEIGHT_PX)
        self._text.copied.connect(lambda text: self.copied.emit(text, "the snippet"))
        self._copy = QPushButton("Copy", self)
        set_role(self._copy, role="primary")
        self._copy.setAccessibleName("Copy the snippet")
        self._copy.clicked.connect(self._on_copy)
        head = QHBoxLayout()
        head.setContentsMargins(0, 4, 4, 0)
        head.addWidget(self._tabs, 1)
        head.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._text)
        for snippet in snippets("http://127.0.0.1", "gs-"):
            self._tabs.addTab(snippet.title)
        self._tabs.currentChanged.connect(self._on_tab)

    def show_for(self, base_url: str, key: str) -> None:
        """Show the snippets for this address and key."""
        self._snippets = snippets(base_url, key)
        ids = [snippet.id for snippet in self._snippets]
        place = ids.index(self._wanted) if self._wanted in ids else 1
        if self._tabs.currentIndex() != place:
            self._tabs.setCurrentIndex(place)
        else:
            self._show(place)

    def text(self) -> str:
        """Return the text in front."""
        return self._text.text() + "\n"

    def _on_tab(self, place: int) -> None:
        if self._snippets:
            self._wanted = self._snippets[place].id
            self._show(place)
            self.tab_changed.emit(self._wanted)

    def _show(self, place: int) -> None:
        self._text.show_text(self._snippets[place].text.rstrip("\n"))

    def _on_copy(self) -> None:
        snippet = self._snippets[self._tabs.currentIndex()] if self._snippets else None
        if snippet is not None:
            self.copied.emit(snippet.text, f"the {snippet.title} snippet")
