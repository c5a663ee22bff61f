"""The traces list's columns."""

import pytest
from made_traces import NOW_NS, SECOND_NS, trace_row

from app.models.query import parse
from app.models.span import Status
from ui.traces.columns import Column, cell_text, claim, duration_ns, tip


def test_cells_read_as_people_write() -> None:
    row = trace_row()
    read = {column: cell_text(row, column, NOW_NS) for column in Column}
    assert read[Column.DURATION] == "8.42 s"
    assert read[Column.MODEL] == "claude-sonnet-4.5 +1"
    assert read[Column.TOKENS] == "8,120 → 1,000"
    assert read[Column.COST] == "$0.0412"


def test_unknown_is_a_dash_and_unpriced_calls_are_told() -> None:
    row = trace_row(cost_nusd=None, input_tokens=None, output_tokens=None, model=None, key=None, ttft_ns=None)
    shown = (Column.COST, Column.TOKENS, Column.MODEL, Column.KEY, Column.TTFT)
    assert [cell_text(row, column, NOW_NS) for column in shown] == ["–"] * 5
    assert cell_text(trace_row(n_unpriced=2), Column.COST, NOW_NS) == "$0.0412+"
    assert tip(trace_row(n_unpriced=2), Column.COST, NOW_NS) == "plus 2 unpriced calls"


def test_a_running_trace_lasts_until_now() -> None:
    row = trace_row(status=Status.RUNNING, duration_ns=None, start_ns=NOW_NS)
    assert duration_ns(row, NOW_NS + 3 * SECOND_NS) == 3 * SECOND_NS
    assert duration_ns(trace_row(status=Status.INTERRUPTED, duration_ns=None), NOW_NS) is None


@pytest.mark.parametrize("column", list(Column))
def test_every_claim_can_be_read_back(column: Column) -> None:
    odd = trace_row(name='say "hi", now', model="gpt 4 *", key="a,b", cost_nusd=12_345)
    for row in (trace_row(), odd):
        text = claim(row, column)
        assert not text or str(parse(text, NOW_NS)) == text


def test_cells_become_terms() -> None:
    row = trace_row()
    assert claim(row, Column.STATUS) == "status:ok"
    assert claim(row, Column.DURATION) == "dur:>=8420ms"
    assert claim(row, Column.COST) == "cost:>=0.0412"
    assert claim(trace_row(model=None), Column.MODEL) == ""
