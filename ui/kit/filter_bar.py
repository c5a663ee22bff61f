"""The filter of a list as text: finished terms stand as chips, the one being typed is completed and checked.

The text is the whole state (UX S4): chips, menus and facets only edit it.
"""

import time
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QCompleter, QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget

from app.models.query import Query, QueryError, Term, parse
from ui.kit.suggest import Facets, Suggestion, suggest
from ui.style import set_role
from ui.theme import Theme

CHIP_PX: Final = 220


class FilterBar(QFrame):
    """One line: chips, then the term being typed."""

    changed = Signal(object)
    """The new `Query`, each time what it asks for changed."""
    problem = Signal(str)
    """Why the text cannot be read; "" when it can."""
    facets_wanted = Signal()
    """Completion is about to show values: `set_facets` soon."""

    def __init__(self, theme: Theme, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._terms: list[Term] = []
        self._facets: Facets = {}
        self._told = Query()
        self._icon = QLabel(self)
        self._line = QLineEdit(self)
        self._line.setPlaceholderText(placeholder)
        self._line.setAccessibleName("Filter")
        self._line.setFrame(False)
        self._line.setMinimumWidth(120)
        self._line.installEventFilter(self)
        self._line.textEdited.connect(self._on_edited)
        self._line.returnPressed.connect(self.apply)
        self._clear = QToolButton(self)
        self._clear.setToolTip("Clear the filter")
        self._clear.setAccessibleName("Clear the filter")
        self._clear.clicked.connect(self.clear)
        self._chips: list[Chip] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 2, 4, 2)
        self._row.setSpacing(4)
        self._row.addWidget(self._icon)
        self._row.addWidget(self._line, 1)
        self._row.addWidget(self._clear)
        self._clear.hide()
        self._completer = _Completer(self._line)
        self._completer.taken.connect(self._on_taken)
        theme.changed.connect(self._paint)
        self._paint()

    @property
    def query(self) -> Query:
        """What the bar asks for, as last told by `changed`."""
        return self._told

    def text(self) -> str:
        """Return the whole text, the term being typed too."""
        return " ".join(part for part in (*map(str, self._terms), self._line.text().strip()) if part)

    def set_text(self, text: str) -> None:
        """Show a text and tell its query; a text that cannot be read stays as typed."""
        try:
            query = parse(text, time.time_ns())
        except QueryError as error:
            self._terms = []
            self._line.setText(text)
            self._show_problem(error)
            self._rebuild()
            return
        self._terms = list(query.terms)
        self._line.clear()
        self._rebuild()
        self._tell()

    def add(self, claim: str) -> None:
        """Add a term; one that is there already, or its opposite, is replaced."""
        opposite = claim[1:] if claim.startswith("-") else f"-{claim}"
        kept = [str(term) for term in self._terms if str(term) not in (claim, opposite)]
        self.set_text(" ".join([*kept, claim]))

    def replace_field(self, field: str, claim: str) -> None:
        """Put one term in the place of all terms of a field; "" only removes them."""
        kept = [str(term) for term in self._terms if term.field != field]
        self.set_text(" ".join([*kept, *([claim] if claim else [])]))

    def drop_last(self) -> None:
        """Take the last term off."""
        self._line.clear()
        self._terms = self._terms[:-1]
        self._rebuild()
        self._tell()

    def clear(self) -> None:
        """Ask for everything."""
        self.set_text("")
        self._line.setFocus()

    def set_facets(self, facets: Facets) -> None:
        """Take values and counts for completion."""
        self._facets = facets
        if self._line.hasFocus() and self._line.text():
            self._complete()

    def begin(self) -> None:
        """Give the focus to the text."""
        self._line.setFocus()
        self._line.selectAll()

    def apply(self) -> None:
        """Make chips of what was typed and tell the query."""
        self._completer.hide()
        self.set_text(self.text())

    def terms(self) -> Sequence[Term]:
        """Return the finished terms."""
        return self._terms

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the line that concern chips: Backspace at its start edits the last one, Left steps into them."""
        if watched is self._line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            is_at_start = self._line.cursorPosition() == 0 and not self._line.hasSelectedText()
            if event.key() == Qt.Key.Key_Backspace and is_at_start and self._terms:
                self.edit_chip(len(self._terms) - 1)
                return True
            if event.key() == Qt.Key.Key_Left and is_at_start and self._chips:
                self._chips[-1].setFocus()
                return True
            if event.key() == Qt.Key.Key_Escape:
                return self._leave()
        if watched is self._line and event.type() == QEvent.Type.FocusIn:
            self.facets_wanted.emit()
        return super().eventFilter(watched, event)

    def edit_chip(self, place: int) -> None:
        """Turn a chip back into text."""
        text = str(self._terms.pop(place))
        rest = self._line.text().strip()
        self._rebuild()
        self._line.setText(f"{text} {rest}".strip())
        self._line.setFocus()
        self._line.setCursorPosition(len(text))

    def negate_chip(self, place: int) -> None:
        """Turn a chip's claim into its opposite."""
        text = str(self._terms[place])
        turned = text[1:] if text.startswith("-") else f"-{text}"
        parts = [turned if n == place else str(term) for n, term in enumerate(self._terms)]
        self.set_text(" ".join(parts))
        self._focus_chip(place)

    def remove_chip(self, place: int) -> None:
        """Take a chip away."""
        parts = [str(term) for n, term in enumerate(self._terms) if n != place]
        typed = self._line.text()
        self.set_text(" ".join(parts))
        self._line.setText(typed)
        self._focus_chip(place)

    def step_from(self, place: int, by: int) -> None:
        """Move the focus to the chip, or the text, beside a chip."""
        self._focus_chip(place + by)

    def _leave(self) -> bool:
        if self._completer.is_open():
            self._completer.hide()
            return True
        page = self.window().focusNextChild
        page()
        return True

    def _focus_chip(self, place: int) -> None:
        if 0 <= place < len(self._chips):
            self._chips[place].setFocus()
        else:
            self._line.setFocus()

    def _on_edited(self, typed: str) -> None:
        self._show_problem(None)
        if typed.endswith(" ") and typed.count('"') % 2 == 0 and typed.strip():
            self._finish(typed)
        else:
            self._complete()

    def _finish(self, typed: str) -> None:
        """Make a chip of a term that a space ended, where it can be read."""
        try:
            query = parse(typed, time.time_ns())
        except QueryError as error:
            self._show_problem(error)
            return
        self._terms += query.terms
        self._line.clear()
        self._rebuild()
        self._tell()

    def _complete(self) -> None:
        typed = self._line.text()[: self._line.cursorPosition()].rpartition(" ")[2]
        options = suggest(typed, self._facets) if typed.count('"') % 2 == 0 else []
        self._completer.show([] if [option.text for option in options] == [typed] else options)

    def _on_taken(self, text: str) -> None:
        """Put a suggestion in the place of the word being typed."""
        at = self._line.cursorPosition()
        before, after = self._line.text()[:at], self._line.text()[at:]
        kept = before[: len(before) - len(before.rpartition(" ")[2])]
        self._line.setText(kept + text + after)
        self._line.setCursorPosition(len(kept + text))
        if text.endswith(":"):
            self._complete()
        else:
            self.apply()

    def _tell(self) -> None:
        self._show_problem(None)
        query = parse(" ".join(map(str, self._terms)), time.time_ns())
        if query != self._told:
            self._told = query
            self.changed.emit(query)
        else:
            self._told = query

    def _show_problem(self, error: QueryError | None) -> None:
        """Underline what is wrong in the line and say why."""
        attributes = []
        if error is not None:
            shift = len(" ".join(map(str, self._terms))) + 1 if self._terms else 0
            whole = self._line.text()
            start = max(error.start - shift, 0) if error.end - shift <= len(whole) and error.start >= shift else 0
            wrong = QTextCharFormat()
            wrong.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            wrong.setUnderlineColor(self._theme.color("error"))
            place = QInputMethodEvent.AttributeType.TextFormat
            size = max(error.end - error.start, 1)
            at = start - self._line.cursorPosition()
            attributes = [QInputMethodEvent.Attribute(place, at, size, wrong)]
        event = QInputMethodEvent("", attributes)
        self._line.event(event)
        text = f"{error.message} {error.hint}".strip() if error is not None else ""
        self._line.setToolTip(text)
        self.problem.emit(text)

    def _rebuild(self) -> None:
        for chip in self._chips:
            self._row.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = [Chip(self, place, str(term)) for place, term in enumerate(self._terms)]
        for place, chip in enumerate(self._chips):
            self._row.insertWidget(1 + place, chip)
            chip.show()
        self._clear.setVisible(bool(self._terms) or bool(self._line.text()))

    def _paint(self) -> None:
        self._icon.setPixmap(self._theme.icon("search").pixmap(QSize(15, 15)))
        self._clear.setIcon(self._theme.icon("x"))
        theme = self._theme
        self.setStyleSheet(
            f"FilterBar {{ background: {theme.color('input').name()}; border: 1px solid "
            f"{theme.color('line_strong').name()}; border-radius: 6px; }} "
            "FilterBar QLineEdit { border: none; background: transparent; padding: 2px 2px; }"
        )
        self._completer.dress(theme)


class Chip(QToolButton):
    """A finished term. Enter edits it, `-` negates it, Delete removes it, a click offers all three."""

    def __init__(self, bar: FilterBar, place: int, text: str) -> None:
        super().__init__(bar)
        self._bar = bar
        self._place = place
        self._whole = text
        set_role(self, role="button")
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, CHIP_PX)
        self.setText(shown.replace("&", "&&"))
        self.setToolTip(text)
        self.setAccessibleName(f"Filter term {text}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setStyleSheet("padding: 0 6px; min-height: 16px;")
        self.clicked.connect(self._open_menu)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Edit, negate, remove, or step to the neighbour."""
        bar, place, key = self._bar, self._place, event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            bar.edit_chip(place)
        elif key == Qt.Key.Key_Minus:
            bar.negate_chip(place)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            bar.remove_chip(place)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            bar.step_from(place, -1 if key == Qt.Key.Key_Left else 1)
        else:
            super().keyPressEvent(event)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        bar, place = self._bar, self._place
        menu.addAction("Edit").triggered.connect(lambda: bar.edit_chip(place))
        menu.addAction("Include" if self._whole.startswith("-") else "Exclude").triggered.connect(
            lambda: bar.negate_chip(place)
        )
        menu.addAction("Remove").triggered.connect(lambda: bar.remove_chip(place))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))


class _Completer(QObject):
    """Qt's completion list, filled by us."""

    taken = Signal(str)

    def __init__(self, line: QLineEdit) -> None:
        super().__init__(line)
        self._options: list[Suggestion] = []
        self._model = QStringListModel(self)
        self._list = QCompleter(self._model, self)
        self._list.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._list.setWidget(line)
        self._list.setMaxVisibleItems(12)
        self._list.activated[QModelIndex].connect(self._on_activated)

    def dress(self, theme: Theme) -> None:
        """Put the theme on the list, which is a window of its own."""
        ground, text, line, chosen = (
            theme.color(name).name() for name in ("raised", "text", "line_strong", "selection")
        )
        popup = self._list.popup()
        popup.setFont(theme.code_font())
        popup.setStyleSheet(
            f"QListView {{ background: {ground}; color: {text}; border: 1px solid {line}; padding: 4px; }}"
            "QListView::item { padding: 3px 6px; border-radius: 4px; }"
            f"QListView::item:selected, QListView::item:hover {{ background: {chosen}; color: {text}; }}"
        )

    def is_open(self) -> bool:
        """Return whether the list is shown."""
        return self._list.popup().isVisible()

    def hide(self) -> None:
        """Hide the list."""
        self._list.popup().hide()

    def show(self, options: list[Suggestion]) -> None:
        """Show these options under the line; none hides the list."""
        self._options = options
        if not options:
            self.hide()
            return
        width = max(len(option.text) for option in options)
        self._model.setStringList([f"{option.text:<{width}}   {option.note}" for option in options])
        self._list.complete()
        popup = self._list.popup()
        rows = min(len(options), self._list.maxVisibleItems())
        longest = popup.sizeHintForColumn(0) + 40
        popup.resize(min(max(longest, 240), popup.width()), rows * popup.sizeHintForRow(0) + 12)

    def _on_activated(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self._options):
            self.taken.emit(self._options[index.row()].text)
