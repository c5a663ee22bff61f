from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from waiting import until

from ui.commands import Command
from ui.desk import Desk
from ui.palette import Entries, Palette


@pytest.fixture
def window(qtbot: QtBot, desk: Desk) -> QWidget:
    window = QWidget()
    window.resize(1000, 700)
    window.field = QLineEdit(window)
    desk.commands.add(Command("gateway.restart", "Restart the gateway", lambda: window.ran.append("restart")), window)
    desk.commands.add(Command("theme.dark", "Theme: dark", lambda: window.ran.append("dark")), window)
    window.ran = []
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.field.setFocus()
    return window


@pytest.fixture
def palette(desk: Desk, window: QWidget) -> Iterator[Palette]:
    made = Palette(desk, window, lambda: "Traces")
    made.open_with()
    return made


def titles(palette: Palette) -> list[str]:
    model = palette._entries
    return [model.index(row).data() for row in range(model.rowCount())]


def type_in(palette: Palette, text: str) -> None:
    QTest.keyClicks(palette._line, text)


def test_letters_find_a_command_and_enter_runs_it(palette: Palette, window: QWidget) -> None:
    type_in(palette, "rgw")
    assert titles(palette)[0] == "Restart the gateway"
    QTest.keyClick(palette._line, Qt.Key.Key_Return)
    assert window.ran == ["restart"]
    assert not palette.isVisible()


def test_with_no_text_the_last_used_come_first(palette: Palette, desk: Desk) -> None:
    type_in(palette, "theme d")
    QTest.keyClick(palette._line, Qt.Key.Key_Return)
    palette.open_with()
    assert titles(palette)[0] == "Theme: dark"


def test_a_greater_sign_leaves_only_commands(palette: Palette) -> None:
    assert "Traces" in titles(palette)
    type_in(palette, ">")
    assert titles(palette) == ["Restart the gateway", "Theme: dark"]


def test_esc_gives_the_focus_back(palette: Palette, window: QWidget) -> None:
    QTest.keyClick(palette._line, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert window.field.hasFocus()


def test_arrows_move_and_stop_at_the_ends(palette: Palette) -> None:
    QTest.keyClick(palette._line, Qt.Key.Key_Up)
    assert palette._list.currentIndex().row() == 0
    for _ in range(50):
        QTest.keyClick(palette._line, Qt.Key.Key_Down)
    assert palette._list.currentIndex().row() == palette._entries.rowCount() - 1


def test_words_that_match_nothing_search_all_traces(palette: Palette, desk: Desk, qtbot: QtBot) -> None:
    type_in(palette, "order 88121")
    assert titles(palette) == ["Search traces for “order 88121”"]
    with qtbot.waitSignal(desk.went) as went:
        QTest.keyClick(palette._line, Qt.Key.Key_Return)
    assert went.args == ["traces", {"filter": '"order 88121"'}]


def test_a_pasted_id_is_looked_up_and_offered_first(
    palette: Palette, desk: Desk, qtbot: QtBot, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    async def ask(*words: str) -> int:
        asked.append(words)
        return 42

    monkeypatch.setattr(desk.reader, "ask", ask)
    header = "00-7c1f0000000000000000000000009e02-00f067aa0ba902b7-01"

    async def paste() -> None:
        palette._line.setText(header)
        await until(lambda: titles(palette)[0] == f"Open trace of {header}")

    run(paste())
    assert asked == [("find", header)]
    with qtbot.waitSignal(desk.went) as went:
        QTest.keyClick(palette._line, Qt.Key.Key_Return)
    assert went.args == ["traces", {"trace": 42}]


def test_the_model_keeps_qts_rules(qtbot: QtBot, palette: Palette) -> None:
    entries = Entries()
    tester = QAbstractItemModelTester(entries, QAbstractItemModelTester.FailureReportingMode.Fatal)
    entries.show(palette._entries._rows)
    entries.show([])
    assert tester.model() is entries
