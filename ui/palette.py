"""The command palette, Ctrl+K (UX P1 to P4): commands and pages by a few letters, a pasted id, or a search."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ui.commands import shortcut_text
from ui.desk import Desk
from ui.fuzzy import rank
from ui.kit.overlay import Overlay
from ui.pages import PLACES
from ui.style import set_role
from ui.theme import Theme

_ID: Final = re.compile(
    r"^\s*(?:[0-9a-f]{2}-)?(?:[0-9a-f]{32}|[0-9a-f]{16})(?:-[0-9a-f]{16}-[0-9a-f]{2})?\s*$|^\s*req_\w+\s*$", re.I
)
_LAST_USED: Final = 8
ROW_PX: Final = 34
_HINT_ROLE: Final = Qt.ItemDataRole.UserRole + 1
_KEYS_ROLE: Final = Qt.ItemDataRole.UserRole + 2
_ICON_ROLE: Final = Qt.ItemDataRole.UserRole + 3
_NOWHERE: Final = QModelIndex()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what it says and what Enter does."""

    key: str
    """Kept among the last used."""
    title: str
    hint: str
    icon: str
    run: Callable[[], object]
    keys: str = ""


class Entries(QAbstractListModel):
    """The rows that match."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Entry] = []

    def show(self, rows: list[Entry]) -> None:
        """Show these, in this order."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def entry(self, row: int) -> Entry | None:
        """Return a row's entry, None where there is no such row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        """Return how many match."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row's words; the delegate's extra parts have roles of their own."""
        entry = self.entry(index.row())
        if entry is None:
            return None
        by_role = {
            Qt.ItemDataRole.DisplayRole: entry.title,
            Qt.ItemDataRole.AccessibleTextRole: " ".join(
                part for part in (entry.title, entry.hint, entry.keys) if part
            ),
            _HINT_ROLE: entry.hint,
            _KEYS_ROLE: entry.keys,
            _ICON_ROLE: entry.icon,
        }
        return by_role.get(role)


class Palette(Overlay):
    """A line to type in, and what it finds."""

    def __init__(self, desk: Desk, window: QWidget, context: Callable[[], str]) -> None:
        """`context` gives the title of the page in front, whose commands come first."""
        super().__init__(window, 620, 420)
        self._desk = desk
        self._context = context
        self._asked = 0
        self.setAccessibleName("Command palette")
        self._line = QLineEdit(self)
        self._line.setPlaceholderText("Type a command, a page, or paste a trace id")
        self._line.setAccessibleName("Command palette")
        self._line.setFrame(False)
        self._line.setStyleSheet("border: none; background: transparent; padding: 8px 6px;")
        self._line.setFont(desk.theme.ui_font(1.5))
        self._line.textChanged.connect(self._on_text)
        self._line.installEventFilter(self)
        self._entries = Entries(self)
        self._list = QListView(self)
        self._list.setModel(self._entries)
        self._list.setItemDelegate(_EntryPainter(desk.theme, self))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setUniformItemSizes(True)
        self._list.setMouseTracking(True)
        self._list.setStyleSheet("background: transparent;")
        self._list.clicked.connect(lambda index: self._run(index.row()))
        self._nothing = QLabel("Nothing matches. Enter searches all traces for these words.", self)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_role(self._nothing, role="dim")
        rule = QFrame(self)
        set_role(rule, role="line")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(6)
        for widget in (self._line, rule, self._list, self._nothing):
            column.addWidget(widget)

    def open_with(self, text: str = "") -> None:
        """Open, with this text typed and marked."""
        self._line.setText(text)
        self._line.selectAll()
        self._on_text(text)
        self.open_over()
        self._line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows and Enter work on the list while the line has the focus."""
        if watched is self._line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            if key in steps:
                self._step(steps[Qt.Key(key)])
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self._list.currentIndex().row())
                return True
            if key == Qt.Key.Key_Escape:
                self.shut()
                return True
        return super().eventFilter(watched, event)

    def _on_text(self, text: str) -> None:
        wanted = text.strip()
        rows = self._matching(wanted)
        if wanted and not wanted.startswith(">"):
            rows.append(self._search_for(wanted))
        self._show(rows)
        if _ID.fullmatch(wanted):
            self._asked += 1
            self._desk.start(self._look_up(wanted, self._asked), "Looking for that id")

    def _matching(self, text: str) -> list[Entry]:
        is_commands_only = text.startswith(">")
        known = self._commands() if is_commands_only else self._pages() + self._commands()
        if text.lstrip("> "):
            found = rank(text.lstrip("> "), [entry.title for entry in known])
            return [known[index] for index in found]
        used = [str(key) for key in self._desk.settings.items("palette.used")]
        return sorted(known, key=lambda entry: used.index(entry.key) if entry.key in used else len(used))

    def _commands(self) -> list[Entry]:
        commands = self._desk.commands
        return [
            Entry(c.id, c.title, c.context, c.icon or "command", lambda c=c: commands.run(c.id), shortcut_text(c))
            for c in commands.here(self._context())
            if c.is_listed
        ]

    def _pages(self) -> list[Entry]:
        return [
            Entry(f"page.{p.id}", p.title, "Page", p.icon, lambda p=p: self._desk.go(p.id), f"Ctrl+{number}")
            for number, p in enumerate(PLACES, 1)
        ]

    def _search_for(self, text: str) -> Entry:
        words = text if " " not in text else f'"{text}"'
        return Entry("search", f"Search traces for “{text}”", "", "search", lambda: self._search(words))

    def _search(self, words: str) -> None:
        self._desk.go("traces", {"filter": words})

    async def _look_up(self, text: str, number: int) -> None:
        """Offer the trace that the pasted id belongs to, first."""
        found = await self._desk.reader.ask("find", text)
        if number != self._asked or not self.isVisible() or found is None:
            return
        entry = Entry("find", f"Open trace of {text}", "Found", "arrow-up-right", lambda: self._open_trace(found))
        self._show([entry, *self._matching(text)])

    def _open_trace(self, row_id: int) -> None:
        self._desk.go("traces", {"trace": row_id})

    def _show(self, rows: list[Entry]) -> None:
        self._entries.show(rows)
        self._list.setVisible(bool(rows))
        self._nothing.setVisible(not rows)
        if rows:
            self._list.setCurrentIndex(self._entries.index(0))

    def _step(self, by: int) -> None:
        last = self._entries.rowCount() - 1
        row = min(max(self._list.currentIndex().row() + by, 0), last)
        self._list.setCurrentIndex(self._entries.index(row))

    def _run(self, row: int) -> None:
        entry = self._entries.entry(row)
        if entry is None:
            return
        self.shut()
        if entry.key not in ("search", "find"):
            used = [key for key in self._desk.settings.items("palette.used") if key != entry.key]
            self._desk.settings.set("palette.used", [entry.key, *used][:_LAST_USED])
        entry.run()


class _EntryPainter(QStyledItemDelegate):
    """An icon, the words, and at the right what it is and its keys."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return one height for all."""
        return QSize(200, max(ROW_PX, self._theme.row_height_px + 8))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one row."""
        theme, area = self._theme, QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection"))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)
        middle = Qt.AlignmentFlag.AlignVCenter
        icon = theme.icon(index.data(_ICON_ROLE))
        icon.paint(painter, QRect(area.left() + 10, area.center().y() - 8, 17, 17))
        keys, hint = index.data(_KEYS_ROLE), index.data(_HINT_ROLE)
        right = area.adjusted(0, 0, -12, 0)
        painter.setPen(theme.color("dim"))
        for words in (keys, hint):
            if words:
                painter.drawText(right, int(middle | Qt.AlignmentFlag.AlignRight), words)
                right.setRight(right.right() - painter.fontMetrics().horizontalAdvance(words) - 16)
        painter.setPen(theme.color("text"))
        room = right.adjusted(38, 0, -8, 0)
        title = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(middle | Qt.AlignmentFlag.AlignLeft), title)
        painter.restore()
