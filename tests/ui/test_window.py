"""The window with pages of our own making: going about, coming back, status, closing."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCloseEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.models.change import Change
from ui.desk import Desk
from ui.engine import GatewayState
from ui.kit.page import Page
from ui.pages import Place
from ui.window import SMALLEST_PX, Window


class Notes(Page):
    title: ClassVar[str] = "Notes"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.query = ""
        self.told: list[Change] = []
        self.field = QLineEdit(self)

    def trail(self) -> list[str]:
        return [self.title, self.query] if self.query else [self.title]

    def top_widget(self) -> QWidget:
        return self.field

    def on_change(self, change: Change) -> None:
        self.told.append(change)

    def state(self) -> dict[str, object]:
        return {"query": self.query}

    def restore(self, state: dict[str, object]) -> None:
        self.query = str(state.get("query", ""))

    def search(self, query: str) -> None:
        self.query = query
        self.moved.emit()


class Other(Notes):
    title: ClassVar[str] = "Other"

    def top_widget(self) -> None:  # type: ignore[override]
        return None


PLACES = (
    Place("notes", "Notes", "house", Notes, letter="n"),
    Place("other", "Other", "list-tree", Other, group=1),
    Place("gateway", "Gateway", "router", Other),
)


@pytest.fixture
def window(qtbot: QtBot, desk: Desk) -> Iterator[Window]:
    made = Window(desk, PLACES)
    made.show()
    made.open_first()
    yield made
    made.go_away()
    made.deleteLater()


def front(window: Window) -> Notes:
    assert isinstance(window.page, Notes)
    return window.page


def test_back_and_forward_restore_the_page_and_its_state(window: Window) -> None:
    front(window).search("a")
    front(window).search("b")
    window.go("other")
    window.back()
    assert (front(window).title, front(window).query) == ("Notes", "b")
    window.back()
    assert front(window).query == "a"
    window.forward()
    window.forward()
    assert front(window).title == "Other"


def test_the_arrows_say_whether_there_is_a_way(window: Window, desk: Desk) -> None:
    back, forward = desk.commands.action("go.back"), desk.commands.action("go.forward")
    assert not back.isEnabled()
    window.go("other")
    assert back.isEnabled()
    window.back()
    assert forward.isEnabled()


def test_mouse_buttons_go_back_and_forward(window: Window) -> None:
    window.go("other")
    where = QPointF(5, 5)
    for button, title in ((Qt.MouseButton.BackButton, "Notes"), (Qt.MouseButton.ForwardButton, "Other")):
        none = Qt.KeyboardModifier.NoModifier
        window.mousePressEvent(QMouseEvent(QMouseEvent.Type.MouseButtonPress, where, where, button, button, none))
        assert front(window).title == title


def test_keys_jump_to_pages_and_fold_the_rail(qtbot: QtBot, window: Window) -> None:
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert front(window).title == "Other"
    QTest.keyClick(window, Qt.Key.Key_G)
    QTest.keyClick(window, Qt.Key.Key_N)
    assert front(window).title == "Notes"
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert window.rail.is_narrow


def test_the_breadcrumb_and_the_title_follow(window: Window) -> None:
    front(window).search("7c1f")
    assert window.top._trail.text() == "Notes  /  7c1f"
    assert window.windowTitle() == "Notes / 7c1f - Gatescope"


def test_a_pages_own_search_stands_in_the_top_bar(window: Window) -> None:
    assert front(window).field.isVisible()
    window.go("other")
    assert window.top._search.isVisible()


def test_a_hidden_page_hears_of_changes_when_it_is_shown(window: Window, desk: Desk) -> None:
    notes = front(window)
    window.go("other")
    desk.client.changed.emit(Change(seq=1, traces=(4,)))
    assert notes.told == []
    assert front(window).told == [Change(seq=1, traces=(4,))]
    window.go("notes")
    assert notes.told == [Change(seq=0, is_all=True)]


def test_held_still_nothing_moves_and_live_again_all_is_read(window: Window, desk: Desk) -> None:
    desk.set_live(False)
    desk.client.changed.emit(Change(seq=1, traces=(4,)))
    assert front(window).told == []
    assert not window.top._live.isChecked()
    desk.set_live(True)
    assert [change.is_all for change in front(window).told] == [True]


def test_the_next_window_begins_where_this_one_ended(qtbot: QtBot, window: Window, desk: Desk) -> None:
    window.go("other")
    front(window).search("kept")
    window.toggle_rail()
    window.resize(900, 640)
    window.keep()
    for command in list(desk.commands._entries):
        desk.commands.remove(command)
    second = Window(desk, PLACES)
    qtbot.addWidget(second)
    second.open_first()
    assert (front(second).title, front(second).query) == ("Other", "kept")
    assert second.rail.is_narrow
    assert (second.width(), second.height()) == (900, 640)


def test_closing_only_asks(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.closing):
        event = QCloseEvent()
        window.closeEvent(event)
    assert not event.isAccepted()


def test_a_gateway_that_is_down_shows_a_cross_and_the_ways_out(window: Window, desk: Desk) -> None:
    bar = window.status
    desk.engine._set_state(GatewayState.FAILED, "The data folder cannot be written.")
    assert bar._restart.isVisible()
    assert bar._log.isVisible()
    assert bar._problem.text() == "The data folder cannot be written."
    bar._log.click()
    assert front(window).title == "Other"
    desk.engine._set_state(GatewayState.RUNNING)
    assert not bar._restart.isVisible()
    assert bar._gateway.text().strip() == "Gateway 127.0.0.1:0"


def test_every_control_has_a_name(window: Window) -> None:
    nameless = [
        button for button in window.findChildren(QToolButton) if not (button.accessibleName() or button.text()).strip()
    ]
    assert not nameless


def test_nothing_is_cut_off_at_the_smallest_size(window: Window) -> None:
    window.resize(*SMALLEST_PX)
    assert (window.width(), window.height()) == SMALLEST_PX
    assert window.centralWidget().minimumSizeHint().width() <= SMALLEST_PX[0]
