"""The span tree with its waterfall."""

from dataclasses import replace

import pytest
from made_traces import AGENT_RUN, tree_of
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ui.kit.span_tree import SpanColumn, SpanModel
from ui.kit.span_view import SpanView
from ui.theme import Theme


@pytest.fixture
def view(fonts: None, qtbot: QtBot) -> SpanView:
    made = SpanView(Theme("dark"), SpanModel())
    qtbot.addWidget(made)
    made.model().setParent(made)
    made.resize(1000, 400)
    made.model().set_tree(tree_of())
    made.show()
    return made


def test_left_folds_then_goes_to_the_parent_and_right_unfolds(view: SpanView, qtbot: QtBot) -> None:
    view.choose_span(5)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert not view.model().is_open(5)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.current_span() == 0
    view.choose_span(5)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.model().is_open(5)


def test_folding_over_the_chosen_span_chooses_what_it_went_into(view: SpanView, qtbot: QtBot) -> None:
    view.choose_span(6)
    with qtbot.waitSignal(view.chosen) as chosen:
        view.model().set_open(5, False)
    assert chosen.args == [105] and view.current_span() == 5


def test_a_trace_that_is_rebuilt_keeps_its_chosen_span(view: SpanView, qtbot: QtBot) -> None:
    view.choose_span(10)
    tree = tree_of()
    grown = replace(tree_of([*AGENT_RUN[:4], AGENT_RUN[8], *AGENT_RUN[4:]]), row=tree.row)
    grown.id[:] = [100, 101, 102, 103, 150, *range(104, 111)]
    with qtbot.assertNotEmitted(view.chosen):
        view.model().set_tree(grown)
    assert view.current_span() == 11


def test_the_axis_zooms_round_a_moment_and_back(view: SpanView) -> None:
    whole = view.axis()
    view.zoom(0.5, 2_000_000_000)
    near = view.axis()
    assert near.high_ns - near.low_ns == (whole.high_ns - whole.low_ns) // 2
    view.zoom_out()
    assert view.axis() == whole


def test_fitting_a_span_twice_goes_back(view: SpanView) -> None:
    whole = view.axis()
    view.choose_span(2)
    view.zoom_to_span()
    assert view.axis().high_ns < 1_500_000_000
    view.zoom_to_span()
    assert view.axis() == whole


@pytest.mark.parametrize("scheme", ["dark", "light", "contrast"])
def test_every_scheme_paints_bars_in_the_kinds_colour(scheme: str, view: SpanView) -> None:
    view.theme.set_scheme(scheme)
    image = view.grab().toImage()
    x = round(view.scale().x(4_000_000_000))
    y = view.horizontalHeader().height() + view.rowViewportPosition(0) + view.rowHeight(0) // 2
    assert image.pixelColor(x, y).name() == view.theme.color("agent").name()


def test_no_bar_is_thinner_than_two_pixels(view: SpanView) -> None:
    view.zoom_out()
    image = view.grab().toImage()
    row = view.model().row_of(9)
    y = view.horizontalHeader().height() + view.rowViewportPosition(row) + view.rowHeight(row) // 2
    left = view.columnViewportPosition(SpanColumn.BAR)
    red = [x for x in range(left, view.width()) if image.pixelColor(x, y).name() == view.theme.color("error").name()]
    assert len(red) >= 2
