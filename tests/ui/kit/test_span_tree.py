"""The span tree as rows: tree as text in, text out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_traces import AGENT_RUN, big_tree, tree_of
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.models.span import Kind, Status
from ui.kit.span_tree import SpanColumn, SpanModel, rolled_up


@pytest.fixture
def model(qtbot: QtBot) -> SpanModel:
    made = SpanModel()
    made.tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)  # type: ignore[attr-defined]
    return made


def drawn(model: SpanModel) -> list[str]:
    assert model.tree is not None
    spans = [model.span_at(row) for row in range(model.rowCount())]
    return ["  " * int(model.tree.depth[span]) + model.name(span) for span in spans]


def test_all_spans_are_in_view_at_first(model: SpanModel) -> None:
    model.set_tree(tree_of())
    assert drawn(model)[:4] == ["support-agent run", "  plan", "    chat gpt-4.1-mini", "  retrieve docs"]
    assert model.rowCount() == len(AGENT_RUN)


def test_folding_hides_what_is_inside_and_unfolding_remembers_the_inner_folds(model: SpanModel) -> None:
    model.set_tree(tree_of())
    model.set_open(1, False)
    assert drawn(model)[:3] == ["support-agent run", "  plan", "  retrieve docs"]
    model.set_open(0, False)
    assert drawn(model) == ["support-agent run"]
    model.set_open(0, True)
    assert drawn(model)[:3] == ["support-agent run", "  plan", "  retrieve docs"]


def test_levels_fold_and_unfold_one_by_one(model: SpanModel) -> None:
    model.set_tree(tree_of())
    model.open_level(-1)
    assert max(line.count("  ") for line in drawn(model)) == 1
    model.open_level(1)
    assert model.rowCount() == len(AGENT_RUN)


def test_a_hidden_span_is_revealed(model: SpanModel) -> None:
    model.set_tree(tree_of())
    model.set_all_open(False)
    assert model.row_of(2) == -1
    assert model.reveal(2) == drawn(model).index("    chat gpt-4.1-mini")


def test_a_growing_trace_keeps_its_folds_and_its_rows(model: SpanModel, qtbot: QtBot) -> None:
    model.set_tree(tree_of(AGENT_RUN[:6]))
    model.set_open(1, False)
    inserted: list[tuple[int, int]] = []
    model.rowsInserted.connect(lambda _, first, last: inserted.append((first, last)))
    with qtbot.assertNotEmitted(model.modelReset):
        model.set_tree(tree_of(AGENT_RUN))
    assert drawn(model)[1:3] == ["  plan", "  retrieve docs"]
    assert inserted == [(5, 9)]


def test_running_spans_last_until_now(model: SpanModel) -> None:
    running = [(0, Kind.AGENT, "run", 0, -1, -1, -1, -1, Status.RUNNING)]
    tree = tree_of(running)
    model.set_tree(tree)
    model.now_ns = tree.row.start_ns + 3_000_000_000
    assert model.text(0, SpanColumn.DURATION) == "3.00 s"
    assert model.extent_ns() == (0, 3_000_000_000)


def test_a_parent_shows_what_is_inside_it_and_attempts_count_once(model: SpanModel) -> None:
    specs = [(0, Kind.AGENT, "run", 0, 10, -1, -1, -1, Status.OK), *AGENT_RUN[5:8]]
    model.set_tree(tree_of(specs))
    assert model.text(0, SpanColumn.TOKENS) == model.text(1, SpanColumn.TOKENS) == "4,630"
    assert model.text(0, SpanColumn.COST) == "$0.0241"
    assert model.text(2, SpanColumn.COST) == "–"


def test_errors_are_stepped_through_round_the_end(model: SpanModel) -> None:
    model.set_tree(tree_of())
    assert [model.next_error(0, 1), model.next_error(6, 1), model.next_error(9, 1)] == [6, 9, 6]
    assert [model.next_error(6, -1), model.next_error(9, -1)] == [9, 6]


def test_a_row_speaks(model: SpanModel) -> None:
    model.set_tree(tree_of())
    said = model.data(model.index(6, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "attempt 1  429, level 3, 180 ms, error"
    assert model.spoken(0) == "support-agent run, level 1, expanded, 8.42 s"


def test_orphans_inferred_spans_and_skewed_clocks_are_explained(model: SpanModel) -> None:
    tree = tree_of()
    starts = tree.start_ns.copy()
    starts[3] = -5
    model.set_tree(replace(tree, is_orphan=np.arange(len(tree.id)) == 3, start_ns=starts))
    assert "never came" in model.tip(3) and "clocks differ" in model.tip(3)
    assert "Worked out" in model.tip(8)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_what_is_in_view_is_what_no_fold_hides(steps: list[int], data: st.DataObject) -> None:
    depths = [0]
    for step in steps:
        depths.append(min(step, depths[-1] + 1))
    tree = tree_of([(depth, Kind.SPAN, "s", 0, 1, -1, -1, -1, Status.OK) for depth in depths])
    model = SpanModel()
    model.set_tree(tree)
    folded = {span for span in data.draw(st.sets(st.integers(0, len(depths) - 1))) if tree.size[span] > 1}
    for span in folded:
        model.set_open(span, False)
    hidden = {inner for span in folded for inner in range(span + 1, span + int(tree.size[span]))}
    shown = [model.span_at(row) for row in range(model.rowCount())]
    assert shown == [span for span in range(len(depths)) if span not in hidden]


def test_rolling_up_leaves_unknown_unknown() -> None:
    size = np.array([4, 2, 1, 1], np.int32)
    assert rolled_up(size, np.array([-1, -1, -1, -1])).tolist() == [-1, -1, -1, -1]
    assert rolled_up(size, np.array([-1, -1, 5, 7])).tolist() == [12, 5, 5, 7]
    assert rolled_up(size, np.array([-1, 9, 5, 0])).tolist() == [9, 9, 5, 0]


def test_a_hundred_thousand_spans_fold_at_once(model: SpanModel) -> None:
    fresh = SpanModel()
    fresh.set_tree(big_tree(100_000))
    fresh.set_all_open(False)
    assert fresh.rowCount() == 1
    fresh.set_all_open(True)
    assert fresh.rowCount() == 100_000
