"""What every page is: a widget with a title, a place in the history, and an ear for changes."""

from typing import ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.models.change import Change
from ui.desk import Desk


class Page(QWidget):
    """One page of the window. It wires parts together and computes nothing; it never imports another page."""

    title: ClassVar[str] = ""
    """In the rail and the palette; also the context of its commands."""

    moved = Signal()
    """The place changed in a way worth going back to (a filter, an opened trace): the window keeps `state()`."""
    renamed = Signal()
    """Only `trail()` changed."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk

    def trail(self) -> list[str]:
        """Return the breadcrumb: `["Traces", "7c1f…9e02"]`."""
        return [self.title]

    def top_widget(self) -> QWidget | None:
        """Return the widget that stands in the top bar while the page is shown (its search), None for none.

        The same widget every time; the window shows and hides it.
        """
        return None

    def on_change(self, change: Change) -> None:
        """Take note of what a commit touched. Called for the page in front; a hidden page gets it when shown."""

    def on_shown(self) -> None:
        """Become the page in front: give the focus to the part that is worked with."""
        self.setFocus()

    def state(self) -> dict[str, object]:
        """Return what `restore` needs to come back here; JSON values only: it is kept over restarts."""
        return {}

    def restore(self, state: dict[str, object]) -> None:
        """Come back to a `state()`. Unknown or missing entries mean the default; nothing here may raise for them."""
