"""The Sessions page."""

from typing import Any

from made_desk import change, make_desk
from made_traces import NOW_NS, FakeReader
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot
from settling import settle

from app.models.trace import SessionRow
from ui.sessions.model import PAGE, Column, SessionModel
from ui.sessions.page import SessionsPage


def session(number: int, **fields: Any) -> SessionRow:
    values: dict[str, Any] = {
        "session": f"s-{number:012x}", "is_stated": False, "first_ns": NOW_NS, "last_ns": NOW_NS, "n_traces": 2,
        "n_calls": 5, "n_errors": 0, "input_tokens": 100, "output_tokens": 20, "cost_nusd": None,
        "first_preview": "Hello", "last_preview": "Thanks",
    }  # fmt: skip
    return SessionRow(**(values | fields))


def test_it_is_a_model_by_qts_own_rules(qtbot: QtBot) -> None:
    model = SessionModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_rows([session(2), session(1)], has_more=False)
    model.add_rows([session(0)], has_more=False)
    assert model.data(model.index(0, Column.TOKENS)) == "100 → 20"
    assert model.data(model.index(0, Column.COST)) == "–"


def test_pages_are_read_as_the_end_comes_into_view_and_a_session_opens_as_a_filter(run, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        all_rows = [session(number) for number in range(PAGE + 20, 0, -1)]
        reader = FakeReader()

        def page_of(before: str | None, limit: int) -> list[SessionRow]:
            start = 0 if before is None else [row.session for row in all_rows].index(before) + 1
            return all_rows[start : start + limit]

        reader.answers["sessions"] = page_of
        desk = make_desk(reader)
        went: list[tuple[str, object]] = []
        desk.went.connect(lambda page, state: went.append((page, state)))
        page = SessionsPage(desk)
        qtbot.addWidget(page)
        page.resize(1200, 600)
        page.show()
        await settle(lambda: page.model.rowCount() >= PAGE)
        page.view.scrollToBottom()
        await settle(lambda: page.model.rowCount() == PAGE + 20)
        page.view.choose_row(3)
        page.on_change(change(1))
        await settle(lambda: reader.asked[-1] == ("sessions", (None, PAGE + 20)))
        desk.commands.run("sessions.open")
        assert went == [("traces", {"filter": f"session:{all_rows[3].session}"})]

    run(journey())
