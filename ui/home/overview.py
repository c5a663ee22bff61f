"""Home with traces: today's figures and the latest traces."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.models.trace import TraceRow
from ui.home.recent import RecentModel, RecentView
from ui.home.summary import Figure
from ui.style import set_role
from ui.theme import Theme


class Overview(QWidget):
    """Shows figures and traces it is given."""

    opened = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: list[FigureCard] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(10)
        self.model = RecentModel(self)
        self.recent = RecentView(theme, self.model, self)
        self.recent.opened.connect(self.opened)
        self._title = QLabel("Latest traces", self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addLayout(self._row)
        layout.addWidget(self._title)
        layout.addWidget(self.recent)
        theme.changed.connect(self._paint)
        self._paint()

    def show_figures(self, figures: Sequence[Figure]) -> None:
        """Show these cards."""
        while len(self._cards) < len(figures):
            card = FigureCard(self._theme, self)
            self._cards.append(card)
            self._row.addWidget(card, 1)
        for card, figure in zip(self._cards, figures, strict=False):
            card.show_figure(figure)

    def show_traces(self, rows: Sequence[TraceRow]) -> None:
        """Show the latest traces."""
        self.model.set_rows(rows)

    def _paint(self) -> None:
        self._title.setFont(self._theme.ui_font(1, QFont.Weight.DemiBold))


class FigureCard(QFrame):
    """One number with its name, a note and a small curve."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, role="card")
        self._theme = theme
        self._title, self._value, self._note = QLabel(self), QLabel(self), QLabel(self)
        self._curve = Sparkline(theme, self)
        for label in (self._title, self._note):
            set_role(label, role="dim")
        self._value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(4)
        for part in (self._title, self._value, self._note, self._curve):
            layout.addWidget(part)
        theme.changed.connect(self._paint)
        self._paint()

    def show_figure(self, figure: Figure) -> None:
        """Show a figure."""
        self._title.setText(figure.title)
        self._value.setText(figure.value)
        self._note.setText(figure.note)
        self._curve.show_points(figure.points)
        self.setAccessibleName(f"{figure.title}: {figure.value}, {figure.note}")

    def _paint(self) -> None:
        self._value.setFont(self._theme.ui_font(5, QFont.Weight.DemiBold))
        self._note.setFont(self._theme.ui_font(-1))


class Sparkline(QWidget):
    """A small curve without axes; nothing where there are fewer than two points."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._points: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a low strip."""
        return QSize(80, 26)

    def show_points(self, points: tuple[float, ...]) -> None:
        """Show these values, oldest first."""
        self._points = points
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the curve over a pale area."""
        if len(self._points) < 2 or max(self._points) <= 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height, top = self.width() - 2.0, self.height() - 3.0, max(self._points)
        step = width / (len(self._points) - 1)
        line = [QPointF(1 + n * step, 1 + height - value / top * (height - 2)) for n, value in enumerate(self._points)]
        color = QColor(self._theme.color("accent"))
        pale = QColor(color)
        pale.setAlphaF(0.14)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pale)
        painter.drawPolygon(QPolygonF([QPointF(1, 1 + height), *line, QPointF(1 + width, 1 + height)]))
        painter.setPen(QPen(color, 1.4))
        painter.drawPolyline(QPolygonF(line))
        painter.end()
