"""The virtual text view."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ui.kit.text_view import CUT, TextView
from ui.theme import Theme, load_fonts


@pytest.fixture
def view(qtbot: QtBot) -> TextView:
    load_fonts()
    made = TextView(Theme("dark"), "Request")
    qtbot.addWidget(made)
    made.resize(400, 200)
    made.show()
    return made


def test_all_is_copied_even_what_is_cut_on_screen(view: TextView, qtbot: QtBot) -> None:
    text = '{"a": "' + "x" * (CUT * 2) + '"}\nüber\n'
    view.show_text(text)
    view.grab()
    with qtbot.waitSignal(view.copied) as copied:
        qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied.args == [text]


def test_select_all_selects_all(view: TextView) -> None:
    view.show_text("one\ntwo")
    view.select_all()
    assert view.selected_text() == "one\ntwo"


def test_find_selects_and_scrolls(view: TextView) -> None:
    view.show_text("\n".join(f"line {n}" for n in range(1000)))
    assert view.find("line 900") == (1, 1)
    assert view.selected_text() == "line 900"
    assert view.verticalScrollBar().value() > 800
    assert view.find("LINE 99")[1] == 11


def test_ten_megabytes_open_at_once(view: TextView) -> None:
    view.show_text('  "key": "some value of ordinary length",\n' * 250_000)
    view.grab()
    view.verticalScrollBar().setValue(200_000)
    view.grab()
    assert view.find("nothing like it") == (0, 0)
