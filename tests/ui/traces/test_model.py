"""The traces list's model."""

from made_traces import trace_row
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.models.span import Status
from ui.traces.columns import Column
from ui.traces.model import TraceListModel


def test_it_is_a_model_by_qts_own_rules(qtbot: QtBot) -> None:
    model = TraceListModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.merge_head([trace_row(2), trace_row(1)], is_all=True)
    model.merge_head([trace_row(3), trace_row(2)])
    assert model.rowCount() == 3
    assert model.data(model.index(0, Column.NAME)) == "support-agent run"


def test_a_row_speaks(qtbot: QtBot) -> None:
    model = TraceListModel()
    model.merge_head([trace_row(status=Status.ERROR)], is_all=True)
    said = model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "support-agent run, error, claude-sonnet-4.5 +1, 8.42 s, $0.0412"


def test_running_rows_are_found_among_those_in_view(qtbot: QtBot) -> None:
    model = TraceListModel()
    model.merge_head([trace_row(2), trace_row(1, status=Status.RUNNING, duration_ns=None)], is_all=True)
    assert model.has_running(range(5))
    assert not model.has_running(range(1))
