"""A conversation, painted card by card: only the cards in view are laid out (3,000 messages open in 21 ms).

A card that turns out taller or shorter than estimated moves what is below it, never what is being read.
"""

from collections.abc import Sequence
from typing import Final, cast

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from ui.kit.card_paper import Look, can_render
from ui.kit.card_stack import FOOT_PX, GAP_PX, HEAD_PX, PAD_PX, SEAM_PX, CardStack, find_all
from ui.kit.cards import Card
from ui.theme import Theme

MARGIN_PX: Final = 10
_BUTTON_WORDS: Final = {
    "copy": "Copy",
    "partner": "Jump to pair",
    "rendered": "Rendered",
    "plain": "Plain",
    "json": "JSON",
}
_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter


class MessageView(QAbstractScrollArea):
    """Shows cards; text can be selected within one."""

    copied = Signal(str)
    """Text to put on the clipboard."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._stack = CardStack(theme)
        self._hover = -1
        self._cursor: tuple[int, int, int] | None = None  # card, anchor, position
        self._hit: tuple[int, int, int] | None = None  # card, start, length of the match in focus
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Messages")
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(40)
        theme.changed.connect(self._on_theme)
        self._on_theme()

    @property
    def cards(self) -> Sequence[Card]:
        """The cards shown."""
        return self._stack.cards

    def show_cards(self, cards: Sequence[Card], *, is_same: bool = False) -> None:
        """Show these cards; `is_same`: the same conversation grown, so the place that is read holds."""
        bar = self.verticalScrollBar()
        place, is_at_end = bar.value(), bar.value() >= bar.maximum()
        self._cursor = self._hit = None
        self._stack.set_cards(cards, is_same=is_same)
        self._set_range()
        if is_same:
            bar.setValue(bar.maximum() if is_at_end and place else place)
        else:
            self._go_to(max(self._stack.seam, 0), -SEAM_PX)
        self.setAccessibleDescription("\n".join(f"{card.title}: {card.text[:200]}" for card in cards[:40]))
        self.viewport().update()

    def set_look(self, card: int, look: Look) -> None:
        """Show one card rendered, plain or as JSON."""
        self._unselect(card)
        self._stack.set_look(card, look)
        self._set_range()

    def look(self, card: int) -> Look:
        """Return how a card is shown."""
        return self._stack.look(card)

    def set_folded(self, card: int, is_folded: bool) -> None:
        """Fold or unfold one card."""
        self._unselect(card)
        self._stack.set_folded(card, is_folded)
        self._set_range()

    def is_folded(self, card: int) -> bool:
        """Return whether a card shows only its first lines."""
        return self._stack.is_folded(card)

    def find(self, text: str, step: int = 1) -> tuple[int, int]:
        """Go to the next (1) or previous (-1) match, in folded cards too; return its number and how many there are."""
        hits = find_all(self.cards, text)
        if not hits:
            self.end_find()
            return 0, 0
        now = self._hit[:2] if self._hit else (-1, -1)
        if step > 0:
            number = next((n for n, hit in enumerate(hits) if hit > now), 0)
        else:
            number = next((n for n, hit in reversed(list(enumerate(hits))) if hit < now), len(hits) - 1)
        card, start = hits[number]
        self._hit = (card, start, len(text))
        if self.is_folded(card):
            self.set_folded(card, False)
        if self.look(card) != "plain":
            self.set_look(card, "plain")
        self._go_to(card, self._line_top(card, start) - 60)
        return number + 1, len(hits)

    def end_find(self) -> None:
        """Let go of the match in focus."""
        self._hit = None
        self.viewport().update()

    def selected_text(self) -> str:
        """Return the selected text, "" for none."""
        if self._cursor is None:
            return ""
        return self._text_cursor(*self._cursor).selectedText().replace("\u2029", "\n").replace("\u2028", "\n")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cards in view."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.color("bg"))
        self._settle()
        for card in self._in_view():
            if card == self._stack.seam:
                self._paint_seam(painter, card)
            self._paint_card(painter, card)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out again at the new width, keeping the card at the top."""
        width = max(self.viewport().width() - 2 * MARGIN_PX, 80)
        if width != self._stack.width_px:
            top = self._card_at(MARGIN_PX)
            self._stack.width_px = width
            self._stack.forget()
            self._set_range()
            if self.verticalScrollBar().value() and top >= 0:
                self._go_to(top)
        self._set_range()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy; scroll with arrows, pages, Home and End."""
        bar = self.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit(self.selected_text() or self._text_in_front())
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press a card's buttons, or begin to select text."""
        point = event.position().toPoint()
        card = self._card_at(point.y())
        self._cursor = None
        if event.button() == Qt.MouseButton.LeftButton and card >= 0 and not self._press(card, point):
            at = self._text_at(card, point, Qt.HitTestAccuracy.FuzzyHit)
            self._cursor = (card, at, at) if at >= 0 else None
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer; select while the button is held."""
        point = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton and self._cursor is not None:
            card, anchor, _ = self._cursor
            self._cursor = (card, anchor, max(self._text_at(card, point, Qt.HitTestAccuracy.FuzzyHit), 0))
            self.viewport().update()
            return
        card = self._card_at(point.y())
        is_text = card >= 0 and self._text_at(card, point, Qt.HitTestAccuracy.ExactHit) >= 0
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor if is_text else Qt.CursorShape.ArrowCursor)
        if card != self._hover:
            self._hover = card
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a selection."""
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Select a word; on the head of a card that folds, fold or unfold it."""
        point = event.position().toPoint()
        card = self._card_at(point.y())
        at = self._text_at(card, point, Qt.HitTestAccuracy.ExactHit) if card >= 0 else -1
        if at >= 0:
            cursor = self._text_cursor(card, at, at)
            cursor.select(QTextCursor.SelectionType.WordUnderCursor)
            self._cursor = (card, cursor.anchor(), cursor.position())
        elif card >= 0 and self._stack.can_fold(card) and self._head(card).contains(point):
            self.set_folded(card, not self.is_folded(card))
        self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the card under the pointer."""
        self._hover = -1
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paint anew: only cards in view are painted."""
        self.viewport().update()

    def _paint_card(self, painter: QPainter, card: int) -> None:
        shown, theme, area = self.cards[card], self._theme, self._area(card)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        accent = theme.color("error") if shown.tone == "error" else theme.role_color(shown.role)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(area.left() + 1, area.top() + 6, 3, area.height() - 12), 1.5, 1.5)
        self._paint_head(painter, card, accent)
        self._paint_body(painter, card)
        painter.restore()

    def _paint_head(self, painter: QPainter, card: int, accent: QColor) -> None:
        shown, theme, head = self.cards[card], self._theme, self._head(card)
        kind, _, name = shown.title.partition("  ")
        painter.setFont(self._title_font)
        painter.setPen(accent if theme.tokens.is_dark else accent.darker(130))
        painter.drawText(head, _MIDDLE, kind.upper())
        used = painter.fontMetrics().horizontalAdvance(kind.upper()) + 8
        if name:
            painter.setPen(theme.color("text"))
            painter.drawText(head.adjusted(used, 0, 0, 0), _MIDDLE, name)
            used += painter.fontMetrics().horizontalAdvance(name)
        painter.setFont(self._small_font)
        if card != self._hover:
            room = head.width() - used - 16
            meta = self._small_metrics.elidedText(shown.meta, Qt.TextElideMode.ElideMiddle, room)
            painter.setPen(theme.color("dim"))
            painter.drawText(head, Qt.AlignmentFlag.AlignRight | _MIDDLE, meta if room > 40 else "")
            return
        for button, rect in self._buttons(card):
            is_on = button == self.look(card)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection" if is_on else "raised"))
            painter.drawRoundedRect(QRectF(rect), 4, 4)
            painter.setPen(theme.color("text" if is_on else "dim"))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, _BUTTON_WORDS[button])

    def _paint_body(self, painter: QPainter, card: int) -> None:
        paper, area = self._stack.paper(card), self._area(card)
        left, top, height = area.left() + PAD_PX, area.top() + HEAD_PX, paper.text_height()
        if height:
            painter.save()
            painter.translate(left, top)
            visible = QRectF(0, max(-top, 0), area.width() - 2 * PAD_PX, min(height, self.viewport().height() + 40))
            painter.setClipRect(visible)
            paper.document.documentLayout().draw(painter, self._context(card, visible))
            painter.restore()
        if paper.image is not None:
            painter.drawImage(left, top + height + 4, paper.image)
        if self._stack.can_fold(card):
            painter.setFont(self._small_font)
            painter.setPen(self._theme.color("accent"))
            words = "Show all" if self.is_folded(card) else "Show less"
            painter.drawText(self._foot(card), _MIDDLE, words)

    def _context(self, card: int, visible: QRectF) -> QAbstractTextDocumentLayout.PaintContext:
        """Return how the text is painted: its colour, what is selected, what was found."""
        context = QAbstractTextDocumentLayout.PaintContext()
        theme = self._theme
        palette = QPalette(self.palette())
        ink = "dim" if self.cards[card].title == "Reasoning" else "text"
        palette.setColor(QPalette.ColorRole.Text, theme.color(ink))
        context.palette = palette  # type: ignore[misc]  # a plain member in C++
        context.clip = visible  # type: ignore[misc]
        marks = []
        if self._hit is not None and self._hit[0] == card:
            marks.append((self._hit[1], self._hit[1] + self._hit[2], theme.color("warn"), theme.color("bg")))
        if self._cursor is not None and self._cursor[0] == card:
            marks.append((self._cursor[1], self._cursor[2], theme.color("selection"), theme.color("text")))
        selections = []
        for start, end, ground, text in marks:
            selection = QAbstractTextDocumentLayout.Selection()
            selection.cursor = self._text_cursor(card, start, end)  # type: ignore[misc]
            shape = selection.format  # type: ignore[misc]
            shape.setBackground(ground)
            shape.setForeground(text)
            selection.format = shape  # type: ignore[misc]
            selections.append(selection)
        context.selections = selections  # type: ignore[misc]
        return context

    def _paint_seam(self, painter: QPainter, card: int) -> None:
        area = self._area(card)
        line = QRect(area.left(), area.top() - SEAM_PX, area.width(), SEAM_PX - GAP_PX // 2)
        text, middle = "new in this call", line.center()
        painter.setFont(self._small_font)
        half = self._small_metrics.horizontalAdvance(text) // 2 + 10
        painter.setPen(QPen(self._theme.color("accent"), 1))
        painter.drawLine(line.left(), middle.y(), middle.x() - half, middle.y())
        painter.drawLine(middle.x() + half, middle.y(), line.right(), middle.y())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)

    def _press(self, card: int, point: QPoint) -> bool:
        """Press what is under the point on a card; False where it is only text."""
        for button, rect in self._buttons(card):
            if rect.contains(point):
                if button == "copy":
                    self.copied.emit(self._text_of(card))
                elif button == "partner":
                    self._go_to(self.cards[card].partner)
                else:
                    self.set_look(card, cast(Look, button))
                return True
        if self._stack.can_fold(card) and self._foot(card).contains(point):
            self.set_folded(card, not self.is_folded(card))
            return True
        return False

    def _buttons(self, card: int) -> list[tuple[str, QRect]]:
        """Return the buttons of a card's head, from the right."""
        shown, head = self.cards[card], self._head(card)
        names = ["copy", "json", "plain"] + (["rendered"] if can_render(shown) else [])
        names += ["partner"] if shown.partner >= 0 else []
        right, placed = head.right() + 6, []
        for name in names:
            width = self._small_metrics.horizontalAdvance(_BUTTON_WORDS[name]) + 14
            placed.append((name, QRect(right - width, head.top() + 2, width, head.height() - 4)))
            right -= width + 2
        return placed

    def _text_of(self, card: int) -> str:
        return self.cards[card].json_text() if self.look(card) == "json" else self.cards[card].text

    def _text_in_front(self) -> str:
        card = self._hover if self._hover >= 0 else self._card_at(MARGIN_PX)
        return self._text_of(card) if card >= 0 else ""

    def _unselect(self, card: int) -> None:
        if self._cursor is not None and self._cursor[0] == card:
            self._cursor = None
        self.viewport().update()

    def _text_at(self, card: int, point: QPoint, accuracy: Qt.HitTestAccuracy) -> int:
        """Return the character under a point, -1 for none."""
        area = self._area(card)
        spot = QPointF(point.x() - area.left() - PAD_PX, point.y() - area.top() - HEAD_PX)
        return self._stack.paper(card).document.documentLayout().hitTest(spot, accuracy)

    def _text_cursor(self, card: int, anchor: int, position: int) -> QTextCursor:
        document = self._stack.paper(card).document
        cursor, last = QTextCursor(document), max(document.characterCount() - 1, 0)
        cursor.setPosition(min(anchor, last))
        cursor.setPosition(min(position, last), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _line_top(self, card: int, position: int) -> int:
        """Return how far below a card's top a character's paragraph stands."""
        document = self._stack.paper(card).document
        box = document.documentLayout().blockBoundingRect(document.findBlock(position))
        return HEAD_PX + round(box.top())

    def _settle(self) -> None:
        """Lay out what is in view for real, until nothing in view is an estimate."""
        for _ in range(4):
            if not self._stack.settle(self._in_view()):
                return
            self._set_range()

    def _set_range(self) -> None:
        height = self.viewport().height()
        self.verticalScrollBar().setPageStep(height)
        self.verticalScrollBar().setRange(0, max(0, self._stack.height_px + 2 * MARGIN_PX - height))

    def _go_to(self, card: int, below_px: int = 0) -> None:
        """Bring a card to the top, moved by `below_px`."""
        if not 0 <= card < len(self.cards):
            return
        for _ in range(3):  # estimates above settle as they come into view
            self.verticalScrollBar().setValue(self._stack.top(card) + below_px)
            self._settle()
        self.viewport().update()

    def _in_view(self) -> range:
        top = self.verticalScrollBar().value() - MARGIN_PX
        return self._stack.between(top, top + self.viewport().height())

    def _card_at(self, y: int) -> int:
        return self._stack.at(self.verticalScrollBar().value() + y - MARGIN_PX)

    def _area(self, card: int) -> QRect:
        top = self._stack.top(card) + MARGIN_PX - self.verticalScrollBar().value()
        return QRect(MARGIN_PX, top, self._stack.width_px, self._stack.height(card))

    def _head(self, card: int) -> QRect:
        area = self._area(card)
        return QRect(area.left() + PAD_PX, area.top() + 2, area.width() - 2 * PAD_PX, HEAD_PX - 2)

    def _foot(self, card: int) -> QRect:
        area = self._area(card)
        return QRect(area.left() + PAD_PX, area.bottom() - FOOT_PX - 3, area.width() - 2 * PAD_PX, FOOT_PX)

    def _on_theme(self) -> None:
        self._title_font = self._theme.ui_font(-1, QFont.Weight.DemiBold)
        self._small_font = self._theme.ui_font(-1)
        self._small_metrics = QFontMetrics(self._small_font)
        self._stack.measure()
        self._set_range()
        self.viewport().update()
