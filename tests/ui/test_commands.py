import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.commands import Command, Commands, shortcut_text
from ui.kit.feedback import Feedback


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    QVBoxLayout(window)
    qtbot.addWidget(window)
    return window


def test_a_shortcut_runs_its_command(qtbot: QtBot, window: QWidget) -> None:
    commands, ran = Commands(Feedback()), []
    commands.add(Command("row.next", "Next row", lambda: ran.append(1), ("J",)), window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_J)
    assert ran == [1]


def test_a_single_letter_is_text_while_a_field_has_the_focus(qtbot: QtBot, window: QWidget) -> None:
    commands, ran = Commands(Feedback()), []
    commands.add(Command("row.next", "Next row", lambda: ran.append(1), ("J",)), window)
    field = QLineEdit()
    window.layout().addWidget(field)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_J)
    assert (field.text(), ran) == ("j", [])


def test_a_clash_is_refused_with_the_name_of_the_holder(window: QWidget) -> None:
    commands = Commands(Feedback())
    commands.add(Command("a.one", "One", list, ("Ctrl+K",)), window)
    with pytest.raises(ValueError, match=r"a\.one"):
        commands.add(Command("a.two", "Two", list, ("Ctrl+K",), "Traces"), window)
    with pytest.raises(ValueError, match=r"already there"):
        commands.add(Command("a.one", "One again", list), window)


def test_two_pages_may_use_the_same_key(window: QWidget) -> None:
    commands = Commands(Feedback())
    commands.add(Command("traces.next", "Next", list, ("J",), "Traces"), window)
    commands.add(Command("sessions.next", "Next", list, ("J",), "Sessions"), window)
    assert [command.id for command in commands.here("Traces")] == ["traces.next"]


def test_a_command_leaves_with_its_owner(qtbot: QtBot) -> None:
    commands, page = Commands(Feedback()), QWidget()
    commands.add(Command("page.act", "Act", list, (), "Page"), page)
    with qtbot.waitSignal(commands.changed):
        page.deleteLater()
    assert commands.here("Page") == []


def test_a_pages_own_commands_come_first_and_disabled_ones_not_at_all(window: QWidget) -> None:
    commands = Commands(Feedback())
    commands.add(Command("app.quit", "Quit", list), window)
    commands.add(Command("traces.open", "Open", list, (), "Traces"), window)
    off: QAction = commands.add(Command("go.back", "Back", list), window)
    off.setEnabled(False)
    assert [command.id for command in commands.here("Traces")] == ["traces.open", "app.quit"]


def test_a_tooltip_tells_the_shortcut(window: QWidget) -> None:
    commands = Commands(Feedback())
    action = commands.add(Command("palette.open", "Command palette", list, ("Ctrl+K",)), window)
    assert action.toolTip() == f"Command palette  ({shortcut_text(commands.get('palette.open'))})"
