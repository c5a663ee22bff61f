"""What every tab of the inspector is: a widget that reads one span when it is shown."""

from typing import ClassVar

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.models.trace import SpanDetail
from ui.desk import Desk
from ui.style import set_role


class SpanTab(QWidget):
    """Shows one side of a span. `load` is awaited only while the tab is in front."""

    title: ClassVar[str] = ""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk

    async def load(self, span: SpanDetail, *, is_same: bool) -> None:
        """Read and show a span; `is_same`: the same span again, grown. Cancelled when another is chosen."""
        raise NotImplementedError

    def find(self) -> None:
        """Open the find line, where the tab has one."""

    def focus_content(self) -> None:
        """Give the focus to what is read."""
        self.setFocus()


class EmptyNote(QLabel):
    """A quiet line in the middle of an empty tab, saying why it is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setMargin(24)
        set_role(self, role="dim")

    def say(self, text: str) -> None:
        """Show a reason; "" hides the line."""
        self.setText(text)
        self.setVisible(bool(text))


def column(widget: QWidget, *parts: QWidget) -> QVBoxLayout:
    """Put parts in a column without margins; the last one takes the room."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part)
    layout.setStretch(len(parts) - 1, 1)
    return layout
