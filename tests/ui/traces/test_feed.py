"""The traces list kept true to the store."""

import pytest
from made_desk import change, make_desk
from made_traces import NOW_NS, FakeReader, trace_row
from pytestqt.qtbot import QtBot
from settling import settle

from app.models.query import parse
from app.models.span import Status
from ui.traces.feed import FIRST, TraceFeed
from ui.traces.model import TraceListModel


class Feeding:
    """A feed over a fake store, with the switch that says whether rows may move."""

    def __init__(self, n: int) -> None:
        self.is_open = True
        self.reader = FakeReader([trace_row(number) for number in range(1, n + 1)])
        self.model = TraceListModel()
        self.feed = TraceFeed(make_desk(self.reader), self.model, lambda: self.is_open)
        self.held: list[int] = []
        self.feed.held.connect(self.held.append)

    def arrive(self, *ids: int) -> None:
        self.reader.rows = [*(trace_row(number) for number in sorted(ids, reverse=True)), *self.reader.rows]
        self.feed.on_change(change(*ids))


def test_a_long_list_is_whole_at_once_and_its_rows_come_when_shown(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(5000)
        feeding.feed.reload()
        await settle(lambda: feeding.model.rowCount() == 5000)
        assert feeding.model.row(4000) is None
        await settle(lambda: feeding.model.row(4000) is not None)
        assert sum(method == "trace_rows" for method, _ in feeding.reader.asked) == 1

    run(journey())


def test_new_traces_join_at_the_top(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(3)
        feeding.feed.reload()
        await settle(lambda: feeding.model.rowCount() == 3)
        feeding.arrive(4, 5)
        await settle(lambda: feeding.model.rowCount() == 5)
        assert list(feeding.model.ids()) == [5, 4, 3, 2, 1]
        assert feeding.held == []

    run(journey())


def test_new_traces_wait_while_the_list_is_being_read(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(3)
        feeding.feed.reload()
        await settle(lambda: feeding.model.rowCount() == 3)
        feeding.is_open = False
        feeding.arrive(4, 5)
        await settle(lambda: feeding.held == [2])
        assert feeding.model.rowCount() == 3
        feeding.feed.let_in()
        assert feeding.model.rowCount() == 5
        assert feeding.held == [2, 0]

    run(journey())


def test_a_running_trace_turns_final_in_place(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(2)
        feeding.reader.rows[1] = trace_row(1, status=Status.RUNNING, duration_ns=None)
        feeding.feed.reload()
        await settle(lambda: feeding.model.rowCount() == 2)
        feeding.is_open = False
        feeding.reader.rows[1] = trace_row(1)
        feeding.feed.on_change(change(1))
        await settle(lambda: feeding.model.row(1).status == Status.OK)
        assert list(feeding.model.ids()) == [2, 1]

    run(journey())


def test_a_burst_of_changes_is_read_once(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(2)
        feeding.feed.reload()
        await settle(lambda: feeding.model.rowCount() == 2)
        before = len(feeding.reader.asked)
        for number in range(10, 60):
            feeding.arrive(number)
        await settle(lambda: feeding.model.rowCount() == 52)
        assert sum(method == "traces" for method, _ in feeding.reader.asked[before:]) <= 2

    run(journey())


def test_answers_to_an_older_filter_are_dropped(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(4)
        feeding.reader.answers["traces"] = lambda query, before, limit: (
            [trace_row(9)] if str(query) == "status:error" else feeding.reader.rows
        )
        feeding.feed.reload()
        feeding.feed.set_query(parse("status:error", NOW_NS))
        await settle(lambda: feeding.model.rowCount() == 1)
        assert feeding.model.id_at(0) == 9

    run(journey())


@pytest.mark.parametrize("n", [FIRST - 1, FIRST, FIRST + 1])
def test_the_first_screen_and_the_rest_fit_together(n: int, run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        feeding = Feeding(n)
        feeding.feed.reload()
        await settle(lambda: feeding.model.rowCount() == n)
        assert list(feeding.model.ids()) == list(range(n, 0, -1))

    run(journey())
