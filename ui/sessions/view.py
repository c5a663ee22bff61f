"""The sessions list as it is seen."""

from PySide6.QtCore import QModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.kit.fast_table import PAD_PX, FastTable
from ui.sessions.model import SPECS, Column, SessionModel
from ui.theme import Theme

_ROOMY = (Column.FIRST, Column.LAST)
_MAIN = (Column.FIRST, Column.TURNS, Column.COST)


class SessionView(FastTable):
    """Paints sessions; Enter or a double click opens one."""

    opened = Signal(str)

    def __init__(self, theme: Theme, model: SessionModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._model = model
        self._kept: str | None = None
        self.setModel(model)
        self.setAccessibleName("Sessions")
        for column, spec in SPECS.items():
            self.horizontalHeader().resizeSection(column, spec.width_px)
        self.doubleClicked.connect(self._on_open)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._find_again)

    def chosen(self) -> str | None:
        """Return the chosen session."""
        row = self.current_row()
        return self._model.row(row).session if 0 <= row < self._model.rowCount() else None

    def step(self, by: int) -> None:
        """Choose the next or previous row."""
        last = self._model.rowCount() - 1
        self.choose_row(min(max(self.current_row() + by, 0), last))

    def paint_row(self, painter: QPainter, row: int, area: QRect, columns: list[tuple[int, QRect]]) -> None:
        """Paint one session."""
        found, theme = self._model.row(row), self.theme
        for number, cell in columns:
            column = Column(number)
            spec = SPECS[column]
            is_bad = column == Column.ERRORS and found.n_errors > 0
            ink = theme.color("error" if is_bad else "text" if column in _MAIN else "dim")
            font = "code" if spec.is_number else "ui"
            inner = cell.adjusted(PAD_PX, 0, -PAD_PX, 0)
            self.write(painter, inner, spec.text(found), ink, font=font, is_right=spec.is_number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give what room there is to the messages."""
        super().resizeEvent(event)
        header = self.horizontalHeader()
        others = header.length() - sum(header.sectionSize(column) for column in _ROOMY)
        for column in _ROOMY:
            header.resizeSection(column, max((self.viewport().width() - others) // len(_ROOMY), 140))

    def _on_open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self._model.row(index.row()).session)

    def _keep(self) -> None:
        self._kept = self.chosen()

    def _find_again(self) -> None:
        place = self._model.place_of(self._kept) if self._kept else -1
        if place >= 0:
            self.setCurrentIndex(self._model.index(place, 0))
