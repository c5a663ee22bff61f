"""The filter: its text is its state."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from ui.kit.filter_bar import Chip, FilterBar
from ui.theme import Theme


@pytest.fixture
def bar(qtbot: QtBot) -> FilterBar:
    made = FilterBar(Theme("dark"), "Filter")
    qtbot.addWidget(made)
    made.resize(800, 34)
    made.show()
    return made


def line(bar: FilterBar) -> QLineEdit:
    return bar.findChild(QLineEdit)


def chips(bar: FilterBar) -> list[str]:
    return [chip.toolTip() for chip in bar.findChildren(Chip) if not chip.isHidden()]


def test_a_space_makes_a_chip_of_a_finished_term(bar: FilterBar, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bar.changed) as changed:
        qtbot.keyClicks(line(bar), "status:error ")
    assert str(changed.args[0]) == "status:error"
    assert chips(bar) == ["status:error"]
    assert line(bar).text() == ""


def test_a_quoted_phrase_is_one_term(bar: FilterBar, qtbot: QtBot) -> None:
    qtbot.keyClicks(line(bar), '"two words" ')
    assert chips(bar) == ['"two words"']


def test_a_wrong_term_says_why_and_the_last_result_stays(bar: FilterBar, qtbot: QtBot) -> None:
    bar.set_text("status:error")
    with qtbot.waitSignal(bar.problem, check_params_cb=bool) as problem, qtbot.assertNotEmitted(bar.changed):
        qtbot.keyClicks(line(bar), "modle:x")
        bar.apply()
    assert "model" in problem.args[0]
    assert str(bar.query) == "status:error"


def test_backspace_turns_the_last_chip_back_into_text(bar: FilterBar, qtbot: QtBot) -> None:
    bar.set_text("status:error dur:>2s")
    qtbot.keyClick(line(bar), Qt.Key.Key_Backspace)
    assert chips(bar) == ["status:error"]
    assert line(bar).text() == "dur:>2s"
    assert bar.text() == "status:error dur:>2s"


def test_chips_are_negated_and_removed_with_the_keyboard(bar: FilterBar, qtbot: QtBot) -> None:
    bar.set_text("status:error dur:>2s")
    first = bar.findChildren(Chip)[0]
    qtbot.keyClick(first, Qt.Key.Key_Minus)
    assert bar.text() == "-status:error dur:>2s"
    bar.remove_chip(1)
    assert bar.text() == "-status:error"
    assert str(bar.query) == "-status:error"


def test_adding_a_term_replaces_its_opposite(bar: FilterBar) -> None:
    bar.set_text("status:error")
    bar.add("-status:error")
    bar.add("model:a")
    assert bar.text() == "-status:error model:a"
    bar.replace_field("status", "")
    assert bar.text() == "model:a"


def test_the_same_text_gives_the_same_filter_elsewhere(bar: FilterBar, qtbot: QtBot) -> None:
    other = FilterBar(Theme("dark"), "Filter")
    qtbot.addWidget(other)
    bar.set_text('model:claude* -status:ok "exact phrase" word')
    other.set_text(bar.text())
    assert other.query == bar.query and chips(other) == chips(bar)
