"""The painted conversation."""

import pytest
from made_traces import conversation
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from ui.kit.cards import Card, cards_of
from ui.kit.message_view import MessageView
from ui.theme import Theme, load_fonts


@pytest.fixture
def view(qtbot: QtBot) -> MessageView:
    load_fonts()
    made = MessageView(Theme("dark"))
    qtbot.addWidget(made)
    made.resize(460, 500)
    made.show()
    return made


def test_it_opens_at_what_is_new(view: MessageView) -> None:
    view.resize(460, 200)
    view.show_cards(cards_of(conversation()))
    assert view.verticalScrollBar().value() > 0


def test_find_reaches_into_folded_cards_and_unfolds_them(view: MessageView) -> None:
    view.show_cards(cards_of(conversation()))
    assert view.is_folded(0)
    assert view.find("Rule number 9") == (1, 1)
    assert not view.is_folded(0)
    assert view.find("nowhere") == (0, 0)


def test_find_steps_both_ways_round(view: MessageView) -> None:
    view.show_cards([Card("user", "User", "one two one"), Card("user", "User", "ONE")])
    assert [view.find("one")[0] for _ in range(4)] == [1, 2, 3, 1]
    assert view.find("one", -1) == (3, 3)


def test_a_card_is_copied_whole_with_ctrl_c(view: MessageView, qtbot: QtBot) -> None:
    view.show_cards([Card("user", "User", "hello **there**")])
    with qtbot.waitSignal(view.copied) as copied:
        qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied.args == ["hello **there**"]


def test_text_is_selected_with_the_mouse(view: MessageView, qtbot: QtBot) -> None:
    view.show_cards([Card("user", "User", "hello there")])
    view.grab()
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(23, 44))
    qtbot.mouseMove(view.viewport(), QPoint(400, 44))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(400, 44))
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, 44))
    assert view.selected_text() == "hello"


def test_looks_and_folds_stay_while_the_conversation_grows(view: MessageView) -> None:
    cards = cards_of(conversation())
    view.show_cards(cards)
    view.set_look(1, "json")
    view.set_folded(0, False)
    view.show_cards([*cards, Card("user", "User", "more")], is_same=True)
    assert view.look(1) == "json" and not view.is_folded(0)


def test_thousands_of_messages_lay_out_only_what_is_seen(view: MessageView) -> None:
    view.show_cards([Card("user", "User", f"message {n} " * 40) for n in range(3000)])
    view.grab()
    assert len(view._stack._papers) < 60
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    view.grab()
    assert view.find("message 2999")[1] == 40
