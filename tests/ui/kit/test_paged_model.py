"""A list that knows its ids and reads rows as they are shown."""

from dataclasses import dataclass

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QListView
from pytestqt.qtbot import QtBot

from ui.kit.paged_model import PagedModel


@dataclass(frozen=True)
class Line:
    id: int
    text: str = ""


class Lines(PagedModel[Line]):
    titles = ("Text", "Id")

    def text(self, row: Line, column: int) -> str:
        return row.text if column == 0 else str(row.id)


def lines(*ids: int) -> list[Line]:
    return [Line(number, f"line {number}") for number in ids]


def checked() -> Lines:
    model = Lines()
    model.tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)  # type: ignore[attr-defined]
    return model


def test_a_row_is_asked_for_when_it_is_read_and_only_once(qtbot: QtBot) -> None:
    model = Lines()
    model.set_ids(range(1000, 0, -1))
    with qtbot.waitSignal(model.wanted) as asked:
        assert model.data(model.index(500, 0)) is None
    assert 500 in asked.args[0] and len(asked.args[0]) < 200
    with qtbot.assertNotEmitted(model.wanted, wait=30):
        model.data(model.index(501, 0))
    model.put_rows(lines(500))
    assert model.data(model.index(500, 0)) == "line 500"


def test_new_rows_come_to_the_front_and_the_chosen_row_stays_chosen(qtbot: QtBot) -> None:
    model = checked()
    model.merge_head(lines(5, 4, 3), is_all=True)
    view = QListView()
    qtbot.addWidget(view)
    view.setModel(model)
    view.selectionModel().setCurrentIndex(model.index(1, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    assert model.merge_head(lines(8, 7, 5, 4))
    assert list(model.ids()) == [8, 7, 5, 4, 3]
    assert model.id_at(view.currentIndex().row()) == 4


def test_rows_that_no_longer_match_leave(qtbot: QtBot) -> None:
    model = checked()
    model.merge_head(lines(9, 8, 7, 6, 5), is_all=True)
    model.merge_head(lines(9, 6, 5))
    assert list(model.ids()) == [9, 6, 5]
    model.merge_head([], is_all=True)
    assert model.rowCount() == 0


def test_a_row_whose_start_moved_changes_places(qtbot: QtBot) -> None:
    model = checked()
    model.merge_head(lines(1, 2, 3, 4), is_all=True)
    model.merge_head(lines(3, 1, 2, 4))
    assert list(model.ids()) == [3, 1, 2, 4]


def test_a_head_that_shares_nothing_is_refused(qtbot: QtBot) -> None:
    model = checked()
    model.merge_head(lines(3, 2, 1), is_all=True)
    assert not model.merge_head(lines(900, 899))
    assert list(model.ids()) == [3, 2, 1]


def test_the_tail_joins_after_the_first_screen(qtbot: QtBot) -> None:
    model = checked()
    model.set_ids([9, 8, 7])
    model.extend_ids([9, 8, 7, 6, 5])
    assert list(model.ids()) == [9, 8, 7, 6, 5]
    model.extend_ids([50, 49])
    assert list(model.ids()) == [50, 49]
