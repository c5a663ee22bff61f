"""The span tree with its waterfall, painted row by row from the model's columns."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from app.models.span import Kind, Status
from ui.kit.fast_table import PAD_PX, FastTable
from ui.kit.marks import KindMarks, paint_cross
from ui.kit.span_tree import SpanColumn, SpanModel
from ui.kit.time_scale import TimeScale, kept, zoomed
from ui.theme import Theme

INDENT_PX: Final = 18
CHEVRON_PX: Final = 16
BAR_PAD_PX: Final = 14
WHOLE_SHARE: Final = 0.97
"""An answer whose first byte came this late did not stream: its bar is solid."""
_WIDTHS: Final = {SpanColumn.NAME: 260, SpanColumn.DURATION: 84, SpanColumn.TTFT: 74, SpanColumn.TOKENS: 74,
                  SpanColumn.COST: 96, SpanColumn.BAR: 360}  # fmt: skip
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class SpanView(FastTable):
    """Shows a `SpanModel`; `chosen` fires with the store row id of the span in focus."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, model: SpanModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._model = model
        self._marks = KindMarks(theme)
        self._range: tuple[int, int] | None = None
        self._extent = (0, 1)
        """The whole trace's range as of this frame."""
        self._chosen_id: int | None = None
        self._is_shuffling = False
        self._frame_scale = TimeScale(0, 1, 0, 1)
        self._header = TimeHeader(theme, self)
        self.setHorizontalHeader(self._header)
        self.setModel(model)
        self.setAccessibleName("Spans")
        self._set_up_header()
        self._tick = QTimer(self, interval=100)
        self._tick.timeout.connect(self._on_tick)
        self._tick.start()
        self.selectionModel().currentRowChanged.connect(self._on_current)
        model.shuffling.connect(self._on_shuffling)
        model.shuffled.connect(self._on_shuffled)
        model.modelReset.connect(self._on_reset)

    def choose_span(self, span: int) -> None:
        """Choose a span, unfolding what hides it."""
        if span >= 0:
            self.choose_row(self._model.reveal(span))

    def current_span(self) -> int:
        """Return the chosen span, -1 for none."""
        row = self.currentIndex().row()
        return self._model.span_at(row) if 0 <= row < self._model.rowCount() else -1

    def scale(self) -> TimeScale:
        """Return the time axis of the bar column as it is now."""
        low_ns, high_ns = self._range or self._extent
        left = self._header.sectionViewportPosition(SpanColumn.BAR) + BAR_PAD_PX
        width = self._header.sectionSize(SpanColumn.BAR) - 2 * BAR_PAD_PX
        room = 56 if self._range is None else 0  # for the last label
        return TimeScale(low_ns, high_ns, left, max(width - room, 24))

    def axis(self) -> TimeScale:
        """Return the time axis, read anew from the model."""
        self._extent = self._model.extent_ns()
        return self.scale()

    def show_range(self, low_ns: int, high_ns: int) -> None:
        """Show this range of time on the axis."""
        self._range = None if (low_ns, high_ns) == self._model.extent_ns() else (low_ns, high_ns)
        self._repaint_axis()

    def zoom(self, factor: float, around_ns: int | None = None) -> None:
        """Zoom the time axis: a factor below 1 shows less time."""
        whole = self._model.extent_ns()
        low_ns, high_ns = self._range or whole
        middle_ns = (low_ns + high_ns) // 2 if around_ns is None else around_ns
        self.show_range(*zoomed(low_ns, high_ns, middle_ns, factor, whole))

    def pan(self, share: float) -> None:
        """Move the time axis by a share of what it shows."""
        whole = self._model.extent_ns()
        low_ns, high_ns = self._range or whole
        self.show_range(*kept(low_ns + round((high_ns - low_ns) * share), high_ns - low_ns, whole))

    def zoom_out(self) -> None:
        """Show the whole trace."""
        self.show_range(*self._model.extent_ns())

    def zoom_to_span(self) -> None:
        """Fit the chosen span on the axis; again: the whole trace."""
        span, tree = self.current_span(), self._model.tree
        if span < 0 or tree is None:
            return
        start_ns, end_ns = int(tree.start_ns[span]), self._model.end_ns(span)
        margin_ns = max((end_ns - start_ns) // 20, 1000)
        wanted = kept(start_ns - margin_ns, end_ns - start_ns + 2 * margin_ns, self._model.extent_ns())
        if self._range == wanted:
            self.zoom_out()
        else:
            self.show_range(*wanted)

    def step_error(self, step: int) -> None:
        """Choose the next or previous failed span."""
        self.choose_span(self._model.next_error(self.current_span(), step))

    def step(self, by: int) -> None:
        """Choose the next or previous row."""
        last = self._model.rowCount() - 1
        self.choose_row(min(max(self.currentIndex().row() + by, 0), last))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Fold and unfold with Left and Right, as trees do; the rest is the table's."""
        span = self.current_span()
        key = event.key()
        if span >= 0 and key == Qt.Key.Key_Left:
            if self._model.has_children(span) and self._model.is_open(span):
                self._model.set_open(span, False)
            else:
                self.choose_span(self._model.parent_of(span))
            return
        if span >= 0 and key == Qt.Key.Key_Right:
            if self._model.has_children(span) and not self._model.is_open(span):
                self._model.set_open(span, True)
            elif self._model.has_children(span):
                self.step(1)
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Fold or unfold where the chevron was hit."""
        point = event.position().toPoint()
        span = self._chevron_at(point)
        if span >= 0:
            self._model.set_open(span, not self._model.is_open(span))
            return
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom the axis with Ctrl, around the pointer."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            steps = event.angleDelta().y() / 120
            self.zoom(0.8**steps, self.axis().at_ns(event.position().x()))
            event.accept()
            return
        super().wheelEvent(event)

    def paint_ground(self, painter: QPainter, area: QRect) -> None:
        """Paint the lines of the time axis under the bars."""
        self._extent = self._model.extent_ns()
        scale = self._frame_scale = self.scale()
        painter.setPen(QPen(self.theme.color("line"), 1))
        for at_ns, _ in scale.ticks():
            x = round(scale.x(at_ns))
            if x >= scale.left_px - 1:
                painter.drawLine(x, area.top(), x, area.bottom())

    def paint_row(self, painter: QPainter, row: int, area: QRect, columns: list[tuple[int, QRect]]) -> None:
        """Paint one span."""
        tree = self._model.tree
        if tree is None:
            return
        span = self._model.span_at(row)
        for number, cell in columns:
            if number == SpanColumn.NAME:
                self._paint_name(painter, span, cell)
            elif number == SpanColumn.BAR:
                self._paint_bar(painter, span, cell)
            else:
                ink = self.theme.color("text" if number == SpanColumn.DURATION else "dim")
                text = self._model.text(span, SpanColumn(number))
                self.write(painter, cell.adjusted(0, 0, -PAD_PX, 0), text, ink, font="code", is_right=True)

    def _paint_name(self, painter: QPainter, span: int, cell: QRect) -> None:
        tree, theme = self._model.tree, self.theme
        assert tree is not None
        depth = int(tree.depth[span])
        painter.setPen(QPen(theme.color("line_strong"), 1))
        for level in range(max(depth - 12, 0), depth):
            x = cell.left() + PAD_PX + level * INDENT_PX + CHEVRON_PX // 2
            painter.drawLine(x, cell.top(), x, cell.bottom())
        left = cell.left() + PAD_PX + depth * INDENT_PX
        if self._model.has_children(span):
            self._paint_chevron(painter, QRect(left, cell.top(), CHEVRON_PX, cell.height()), self._model.is_open(span))
        left += CHEVRON_PX + 2
        painter.setClipRect(cell)
        self._marks.paint(painter, left, cell, Kind(int(tree.kind[span])))
        left += 21
        status = Status(int(tree.status[span]))
        ink = theme.color("text")
        if status == Status.ERROR:
            ink = theme.color("error")
            painter.setPen(QPen(ink, 1.6))
            paint_cross(painter, QPointF(left + 4, cell.top() + cell.height() / 2), 3.2)
            left += 14
        inner = QRect(left, cell.top(), max(cell.right() - PAD_PX - left, 0), cell.height())
        used = self.write(painter, inner, self._model.name(span), ink)
        note = self._note(span, status)
        if note and used + 40 < inner.width():
            self.write(painter, inner.adjusted(used + 8, 0, 0, 0), note, theme.color("dim"), font="small")
        painter.setClipping(False)

    def _note(self, span: int, status: Status) -> str:
        tree = self._model.tree
        assert tree is not None
        notes = []
        if self._model.has_children(span) and not self._model.is_open(span):
            notes.append(f"{int(tree.size[span]) - 1} inside")
        if tree.is_inferred[span]:
            notes.append("inferred")
        if tree.is_orphan[span]:
            notes.append("orphan")
        if status in (Status.RUNNING, Status.ABORTED, Status.INTERRUPTED):
            notes.append(status.name.lower())
        return " · ".join(notes)

    def _paint_chevron(self, painter: QPainter, area: QRect, is_open: bool) -> None:
        x, y = area.left() + area.width() / 2, area.top() + area.height() / 2
        painter.setPen(QPen(self.theme.color("dim"), 1.5))
        if is_open:
            points = [QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)]
        else:
            points = [QPointF(x - 2, y - 4), QPointF(x + 2, y), QPointF(x - 2, y + 4)]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPolyline(QPolygonF(points))
        painter.restore()

    def _paint_bar(self, painter: QPainter, span: int, cell: QRect) -> None:
        """Paint pale while it waits for the first token, solid from then on; at least 2 px, an error with a cross."""
        tree, theme = self._model.tree, self.theme
        assert tree is not None
        scale = self._frame_scale
        low, high = float(cell.left() + 2), float(cell.right() - 2)
        start, end = scale.x(int(tree.start_ns[span])), scale.x(self._model.end_ns(span))
        status = Status(int(tree.status[span]))
        color = theme.color("error") if status == Status.ERROR else theme.kind_color(Kind(int(tree.kind[span])))
        if end < low or start > high:
            self._paint_arrow(painter, cell, color, is_left=end < low)
            return
        height = max(cell.height() * 0.38, 7.0)
        top = cell.top() + (cell.height() - height) / 2
        bar = QRectF(max(start, low), top, max(min(end, high) - max(start, low), 2.0), height)
        ttft_ns = int(tree.ttft_ns[span])
        if 0 < int(tree.duration_ns[span]) * WHOLE_SHARE < ttft_ns:
            ttft_ns = 0  # it came in one piece: nothing streamed
        is_inferred = bool(tree.is_inferred[span]) and tree.kind[span] == Kind.TOOL
        first = scale.x(int(tree.start_ns[span]) + ttft_ns) if ttft_ns > 0 else start
        first = min(max(first, bar.left()), bar.right())
        painter.setPen(Qt.PenStyle.NoPen)
        pale = QColor(color)
        pale.setAlphaF(0.42)
        if status == Status.RUNNING and ttft_ns < 0:
            first = bar.right()
        painter.fillRect(QRectF(bar.left(), top, first - bar.left(), height), pale)
        solid = QRectF(first, top, bar.right() - first, height)
        painter.fillRect(solid, pale if is_inferred else color)
        if is_inferred:
            painter.setPen(QPen(color, 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(solid.adjusted(0.5, 0.5, -0.5, -0.5))
        self._paint_bar_end(painter, span, bar, cell, status)

    def _paint_bar_end(self, painter: QPainter, span: int, bar: QRectF, cell: QRect, status: Status) -> None:
        after = bar.right() + 5
        if status == Status.ERROR:
            painter.setPen(QPen(self.theme.color("error"), 1.6))
            paint_cross(painter, QPointF(after + 3, cell.top() + cell.height() / 2), 3)
            after += 11
        text = self._model.text(span, SpanColumn.DURATION)
        width = self.width_of(text, "small")
        if after + width <= cell.right():
            left = after
        elif bar.left() - width - 6 >= cell.left():
            left = bar.left() - width - 5
        else:
            return
        label = QRect(round(left), cell.top(), width + 2, cell.height())
        self.write(painter, label, text, self.theme.color("dim"), font="small")

    def _paint_arrow(self, painter: QPainter, cell: QRect, color: QColor, *, is_left: bool) -> None:
        x = cell.left() + 6.0 if is_left else cell.right() - 6.0
        y = cell.top() + cell.height() / 2
        tip = -4 if is_left else 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(x + tip, y), QPointF(x, y - 4), QPointF(x, y + 4)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _chevron_at(self, point: QPoint) -> int:
        """Return the span whose chevron is under a point, -1 for none."""
        row, tree = self.rowAt(point.y()), self._model.tree
        if row < 0 or tree is None or self.columnAt(point.x()) != SpanColumn.NAME:
            return -1
        span = self._model.span_at(row)
        left = self.columnViewportPosition(SpanColumn.NAME) + PAD_PX + int(tree.depth[span]) * INDENT_PX
        return span if self._model.has_children(span) and left - 2 <= point.x() < left + CHEVRON_PX + 2 else -1

    def _set_up_header(self) -> None:
        header = self._header
        header.setMinimumSectionSize(40)
        for column, width in _WIDTHS.items():
            header.resizeSection(column, width)
        header.setSectionHidden(SpanColumn.TTFT, True)
        header.setSectionResizeMode(SpanColumn.BAR, QHeaderView.ResizeMode.Stretch)
        header.sectionResized.connect(lambda *_: self._repaint_axis())

    def _repaint_axis(self) -> None:
        self.viewport().update()
        self._header.viewport().update()

    def _on_current(self, current: QModelIndex, _: QModelIndex) -> None:
        tree = self._model.tree
        if current.isValid() and tree is not None and not self._is_shuffling:
            chosen = int(tree.id[self._model.span_at(current.row())])
            if chosen != self._chosen_id:
                self._chosen_id = chosen
                self.chosen.emit(chosen)

    def _on_shuffling(self) -> None:
        self._is_shuffling = True

    def _on_shuffled(self) -> None:
        """Find the chosen span again, or the folded one it went into, where it was on the screen."""
        self._is_shuffling = False
        span = -1 if self._chosen_id is None else self._model.span_of_id(self._chosen_id)
        while span >= 0 and self._model.row_of(span) < 0:
            span = self._model.parent_of(span)
        if span >= 0 and self.currentIndex().row() != self._model.row_of(span):
            place = self.verticalScrollBar().value()
            self.setCurrentIndex(self._model.index(self._model.row_of(span), 0))
            self.verticalScrollBar().setValue(place)
        self.viewport().update()

    def _on_reset(self) -> None:
        self._range, self._chosen_id = None, None
        self._repaint_axis()

    def _on_tick(self) -> None:
        if self.isVisible() and self._model.has_running():
            self._model.move_clock()
            self._repaint_axis()


class TimeHeader(QHeaderView):
    """A header whose bar section is a time axis."""

    def __init__(self, theme: Theme, view: SpanView) -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._theme = theme
        self._view = view
        self.setHighlightSections(False)

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        """Paint titles over their numbers, and ticks over the bars."""
        theme = self._theme
        painter.save()
        painter.fillRect(rect, theme.color("bg"))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.setFont(theme.ui_font(-0.5))
        painter.setPen(theme.color("dim"))
        if logicalIndex == SpanColumn.BAR:
            scale = self._view.axis()
            for at_ns, text in scale.ticks():
                x = round(scale.x(at_ns))
                if x >= scale.left_px - 1:
                    painter.drawText(QRect(x + 4, rect.top(), 80, rect.height()), _LEFT, text)
                    painter.fillRect(QRect(x, rect.bottom() - 5, 1, 5), theme.color("line_strong"))
        else:
            title = self.model().headerData(logicalIndex, Qt.Orientation.Horizontal)
            side = _LEFT if logicalIndex == SpanColumn.NAME else _RIGHT
            painter.drawText(rect.adjusted(PAD_PX + 4, 0, -PAD_PX, 0), side, str(title))
        painter.restore()
