import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ui.kit.feedback import Feedback, Toast
from ui.kit.toasts import AT_MOST, ToastStack
from ui.theme import Theme


@pytest.fixture
def stack(qtbot: QtBot) -> ToastStack:
    window = QWidget()
    window.resize(900, 600)
    qtbot.addWidget(window)
    window.feedback = Feedback()
    stack = ToastStack(window, window.feedback, Theme("dark"))
    window.show()
    stack.kept = window  # a parent that only Qt knows is Python's to delete
    return stack


def lines(stack: ToastStack) -> list[str]:
    return [card.toast.text for card in stack._shown]


def test_at_most_three_stand_and_the_rest_are_counted(stack: ToastStack) -> None:
    feedback = stack.parentWidget().feedback
    for number in range(5):
        feedback.tell(f"toast {number}", "error")
    assert lines(stack) == [f"toast {number}" for number in range(AT_MOST)]
    assert "2 more" in [label.text() for label in stack.findChildren(QLabel)]


def test_a_dismissed_toast_makes_room(stack: ToastStack) -> None:
    for number in range(4):
        stack.show_toast(Toast(f"toast {number}", "error"))
    stack._shown[0].gone.emit()
    assert lines(stack) == ["toast 1", "toast 2", "toast 3"]


def test_the_same_words_twice_stand_once(stack: ToastStack) -> None:
    stack.show_toast(Toast("same"))
    stack.show_toast(Toast("same"))
    assert lines(stack) == ["same"]


def test_the_action_is_done_and_the_toast_goes(stack: ToastStack) -> None:
    done: list[str] = []
    stack.show_toast(Toast("Deleted.", action="Undo", on_action=lambda: done.append("undone")))
    stack._shown[0].findChild(QPushButton).click()
    assert done == ["undone"]
    assert lines(stack) == []
    assert not stack.isVisible()


def test_it_stays_inside_the_window(stack: ToastStack) -> None:
    stack.show_toast(Toast("a rather long message " * 12, "warn"))
    assert stack.parentWidget().rect().contains(stack.geometry())
