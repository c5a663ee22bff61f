"""The quick controls under the filter: time, status, model, provider, key. They only edit the filter's text."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from app.models.query import Term, term
from ui.kit.suggest import Facets
from ui.style import set_role
from ui.theme import Theme

TIMES: Final = (
    ("Last 15 minutes", "15m"),
    ("Last hour", "1h"),
    ("Last 24 hours", "24h"),
    ("Today", "today"),
    ("Last 7 days", "7d"),
    ("Last 30 days", "30d"),
)
STATUSES: Final = ("ok", "error", "running", "aborted", "interrupted")
_COUNTED: Final = (("model", "Model"), ("provider", "Provider"), ("key", "Key"))
MOST: Final = 25


class QuickFilters(QWidget):
    """A row of buttons with menus; each shows what is chosen."""

    chosen = Signal(str, str)
    """A field, and the term to put in its place; "" for none."""
    facets_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._facets: Facets = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 10, 6)
        row.setSpacing(4)
        self._buttons: dict[str, QPushButton] = {}
        titles = [("since", "Any time"), ("status", "Status"), *_COUNTED]
        for field, title in titles:
            button = QPushButton(f" {title}", self)
            button.setProperty("plain_title", title)
            button.setAccessibleName(title)
            set_role(button, role="quiet")
            button.clicked.connect(lambda _=False, field=field: self._open(field))
            self._buttons[field] = button
            row.addWidget(button)
        row.addStretch(1)
        self.count = QLabel(self)
        set_role(self.count, role="dim")
        row.addWidget(self.count)
        theme.changed.connect(self._paint)
        self._paint()

    def set_facets(self, facets: Facets) -> None:
        """Take values and counts for the menus."""
        self._facets = facets

    def show_terms(self, terms: Sequence[Term]) -> None:
        """Show on the buttons what the filter holds."""
        for field, button in self._buttons.items():
            own = [str(found) for found in terms if found.field == field]
            title = str(button.property("plain_title"))
            values = ", ".join(text.partition(":")[2] for text in own)
            sign = "≠ " if any(text.startswith("-") for text in own) else ""
            shown = next((words for words, value in TIMES if own == [f"since:{value}"]), f"{title}: {sign}{values}")
            text = button.fontMetrics().elidedText(shown, Qt.TextElideMode.ElideRight, 200) if own else title
            button.setText(f" {text}".replace("&", "&&"))
            button.setAccessibleDescription(values)
            set_role(button, role="button" if own else "quiet")

    def _open(self, field: str) -> None:
        self.facets_wanted.emit()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, claim in self._options(field):
            menu.addAction(words).triggered.connect(self._choose(field, claim))
        menu.addSeparator()
        menu.addAction("Any").triggered.connect(self._choose(field, ""))
        button = self._buttons[field]
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _options(self, field: str) -> list[tuple[str, str]]:
        if field == "since":
            return [(words, f"since:{value}") for words, value in TIMES]
        counts = dict(self._facets.get(field, ()))
        if field == "status":
            return [(_counted(value.capitalize(), counts.get(value)), f"status:{value}") for value in STATUSES]
        return [(_counted(value, count), term(field, value)) for value, count in list(counts.items())[:MOST]]

    def _choose(self, field: str, claim: str) -> Callable[[], None]:
        return lambda: self.chosen.emit(field, claim)

    def _paint(self) -> None:
        icons = {"since": "clock", "status": "activity", "model": "sparkles", "provider": "server", "key": "key-round"}
        for field, button in self._buttons.items():
            button.setIcon(self._theme.icon(icons[field]))


def _counted(words: str, count: int | None) -> str:
    return words.replace("&", "&&") + (f"\t{count:,}" if count is not None else "")
