"""The line that asks what a request would become for another model."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from ui.style import set_role


class TranslateBar(QWidget):
    """A model's name and a button. Nothing is sent to any provider."""

    asked = Signal(str)
    """The model, as a client would name it."""
    left = Signal()
    """Back to the request as it was sent."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 6)
        row.setSpacing(6)
        label = QLabel("As", self)
        set_role(label, role="dim")
        self._model = QLineEdit(self)
        self._model.setPlaceholderText("a model, as clients name it: claude-sonnet-4-5, openai/gpt-5, an alias …")
        self._model.setClearButtonEnabled(True)
        self._model.setAccessibleName("Model to translate for")
        label.setBuddy(self._model)
        show = QPushButton("Translate", self)
        show.setToolTip("Show what this request would become, and what would be lost. Nothing is sent.")
        for widget in (label, self._model, show):
            row.addWidget(widget)
        row.setStretch(1, 1)
        self._model.returnPressed.connect(self._ask)
        self._model.textChanged.connect(self._on_text)
        show.clicked.connect(self._ask)

    def begin(self) -> None:
        """Show it, ready to be typed in."""
        self.show()
        self._model.setFocus()
        self._model.selectAll()

    def _ask(self) -> None:
        if model := self._model.text().strip():
            self.asked.emit(model)

    def _on_text(self, text: str) -> None:
        if not text:
            self.left.emit()
