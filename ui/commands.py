"""Every action by name: one registry feeds shortcuts, menus, the palette and the `?` sheet (UX G5)."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from ui.kit.feedback import Feedback

EVERYWHERE: Final = ""
"""The context of commands that work on every page."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do."""

    id: str
    """`place.verb`, such as `traces.open`; ids are kept in history and settings, so never reuse one."""
    title: str
    """`Open trace`: what the palette and tooltips say."""
    run: Callable[[], object]
    """May return a coroutine: it is run as a task and its failure is shown."""
    shortcuts: tuple[str, ...] = ()
    """As Qt writes them: `Ctrl+K`, `J`, `Shift+F`. Single letters never fire while a text field has focus."""
    context: str = EVERYWHERE
    """The title of the page it belongs to, or EVERYWHERE."""
    icon: str = ""
    """A name in resources/icons."""
    is_listed: bool = True
    """False for plain movement (next row), which the palette leaves out and `?` still lists."""


@dataclass(slots=True)
class _Entry:
    command: Command
    action: QAction


class Commands(QObject):
    """The registry. GUI thread only."""

    changed = Signal()
    ran = Signal(str)
    """The id of a command that was just run."""

    def __init__(self, feedback: Feedback) -> None:
        super().__init__()
        self._feedback = feedback
        self._entries: dict[str, _Entry] = {}

    def add(self, command: Command, owner: QWidget) -> QAction:
        """Register a command; it lives, and its shortcut works, as long as and wherever `owner` does.

        Owned by the window it works everywhere; owned by a page, while the page or a child has the focus. Returns the
        action, for menus and buttons. Raises ValueError where id or shortcut are taken in the same context.
        """
        self._check(command)
        action = QAction(command.title, owner)
        action.setShortcuts([QKeySequence(text) for text in command.shortcuts])
        is_window = owner.isWindow()
        context = Qt.ShortcutContext
        action.setShortcutContext(context.WindowShortcut if is_window else context.WidgetWithChildrenShortcut)
        if keys := shortcut_text(command):
            action.setToolTip(f"{command.title}  ({keys})")
        action.triggered.connect(lambda: self.run(command.id))
        owner.addAction(action)
        entry = self._entries[command.id] = _Entry(command, action)
        owner.destroyed.connect(lambda: self._forget(entry))
        self.changed.emit()
        return action

    def add_all(self, commands: Iterable[Command], owner: QWidget) -> None:
        """Register several commands of one owner."""
        for command in commands:
            self.add(command, owner)

    def remove(self, command_id: str) -> None:
        """Forget a command; unknown ids are ignored."""
        if self._entries.pop(command_id, None) is not None:
            self.changed.emit()

    def get(self, command_id: str) -> Command:
        """Return a command by id; raises KeyError where there is none."""
        return self._entries[command_id].command

    def action(self, command_id: str) -> QAction:
        """Return the action of a command, for menus and buttons."""
        return self._entries[command_id].action

    def here(self, context: str) -> list[Command]:
        """Return the enabled commands that work on the page of that title, its own first."""
        found = [
            entry.command
            for entry in self._entries.values()
            if entry.command.context in (EVERYWHERE, context) and entry.action.isEnabled()
        ]
        return sorted(found, key=lambda command: command.context == EVERYWHERE)

    def run(self, command_id: str) -> None:
        """Run a command now."""
        command = self._entries[command_id].command
        result = command.run()
        if inspect.iscoroutine(result):
            self._feedback.start(result, command.title)
        self.ran.emit(command_id)

    def _forget(self, entry: _Entry) -> None:
        if isValid(self) and self._entries.get(entry.command.id) is entry:
            self.remove(entry.command.id)

    def _check(self, command: Command) -> None:
        if command.id in self._entries:
            raise ValueError(f"a command named {command.id} is already there")
        wanted = {QKeySequence(text).toString() for text in command.shortcuts}
        for entry in self._entries.values():
            other = entry.command
            if EVERYWHERE not in (other.context, command.context) and other.context != command.context:
                continue
            taken = wanted & {QKeySequence(text).toString() for text in other.shortcuts}
            if taken:
                raise ValueError(f"{command.id}: {', '.join(sorted(taken))} already belongs to {other.id}")


def shortcut_text(command: Command) -> str:
    """Return the first shortcut as this system writes it, empty for none."""
    if not command.shortcuts:
        return ""
    return QKeySequence(command.shortcuts[0]).toString(QKeySequence.SequenceFormat.NativeText)
