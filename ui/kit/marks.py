"""Small marks that say a status or a kind by shape as well as by colour."""

from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from app.models.span import Kind, Status
from ui.theme import KIND_TOKENS, Theme

KIND_ICONS: Final = {
    Kind.SPAN: "layers",
    Kind.AGENT: "bot",
    Kind.CHAIN: "link",
    Kind.LLM: "sparkles",
    Kind.TOOL: "wrench",
    Kind.RETRIEVER: "search",
    Kind.EMBEDDING: "boxes",
    Kind.RERANKER: "sliders-horizontal",
    Kind.GUARDRAIL: "shield-check",
    Kind.EVALUATOR: "star",
    Kind.PROMPT: "scroll-text",
    Kind.HTTP: "globe",
    Kind.DB: "database",
    Kind.ATTEMPT: "rotate-cw",
}
STATUS_TOKENS: Final = {
    Status.RUNNING: "accent",
    Status.OK: "ok",
    Status.ERROR: "error",
    Status.ABORTED: "warn",
    Status.INTERRUPTED: "warn",
}


def paint_status(painter: QPainter, cell: QRect, status: Status, theme: Theme) -> None:
    """Paint a status in a cell: dot (ok), ring (running), cross (error), bar (aborted), half disc (interrupted)."""
    color = theme.color(STATUS_TOKENS[status])
    middle = QPointF(cell.left() + cell.width() / 2, cell.top() + cell.height() / 2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    if status == Status.OK:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(middle, 3.2, 3.2)
    elif status == Status.RUNNING:
        painter.drawEllipse(middle, 4.2, 4.2)
    elif status == Status.ERROR:
        paint_cross(painter, middle, 3.6)
    elif status == Status.ABORTED:
        painter.drawLine(middle - QPointF(4, 0), middle + QPointF(4, 0))
    else:
        painter.drawEllipse(middle, 4.2, 4.2)
        painter.setBrush(color)
        painter.drawPie(QRectF(middle.x() - 4.2, middle.y() - 4.2, 8.4, 8.4), 90 * 16, 180 * 16)
    painter.restore()


def paint_cross(painter: QPainter, middle: QPointF, reach_px: float) -> None:
    """Paint a cross with the painter's pen."""
    slant, other = QPointF(reach_px, reach_px), QPointF(reach_px, -reach_px)
    painter.drawLine(middle - slant, middle + slant)
    painter.drawLine(middle - other, middle + other)


class KindMarks:
    """The icons of the kinds as pixmaps, drawn once a theme and device ratio."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._pixmaps: dict[tuple[Kind, float], QPixmap] = {}
        theme.changed.connect(self._pixmaps.clear)

    def paint(self, painter: QPainter, left: int, cell: QRect, kind: Kind) -> None:
        """Paint a kind's icon, 14 px wide, centred in the cell's height."""
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        pixmap = self._pixmaps.get((kind, ratio))
        if pixmap is None:
            pixmap = self._theme.pixmap(KIND_ICONS[kind], KIND_TOKENS.get(kind, "other"), 14, ratio)
            self._pixmaps[kind, ratio] = pixmap
        painter.drawPixmap(left, cell.top() + (cell.height() - 14) // 2, pixmap)
