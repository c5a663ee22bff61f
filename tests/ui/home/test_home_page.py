"""Home, wired."""

from collections.abc import Iterator
from typing import Any

import pytest
from made_desk import change, make_desk
from made_traces import FakeReader, span_detail, trace_row
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot
from settling import settle

from app.models.span import Failure, Status
from app.models.trace import Totals
from ui.home.page import HomePage
from ui.home.recent import RecentModel


class Shown:
    """Home over a store that is still empty."""

    def __init__(self, qtbot: QtBot) -> None:
        self.reader = FakeReader()
        self.reader.answers["totals"] = Totals(0, 0, 0, 0, None, 0, 0)
        self.desk = make_desk(self.reader)
        self.went: list[tuple[str, Any]] = []
        self.desk.went.connect(lambda page, state: self.went.append((page, state)))
        self.page = HomePage(self.desk)
        qtbot.addWidget(self.page)
        self.page.resize(1200, 800)
        self.page.show()

    async def arrive(self, **fields: Any) -> None:
        self.reader.answers["span"] = lambda span_id: span_detail(span_id, **fields)
        self.reader.rows = [trace_row(7)]
        self.page.on_change(change(7))
        await settle(lambda: self.page._has_traces and self.page._first)
        await settle(lambda: self.page.overview.isVisible())


@pytest.fixture
def shown(run, fonts, qtbot: QtBot) -> Iterator[Shown]:  # type: ignore[no-untyped-def]
    async def make() -> Shown:
        made = Shown(qtbot)
        await settle(lambda: made.page._has_traces is False and made.page._key)
        return made

    yield run(make())


def test_the_real_address_and_key_stand_in_every_snippet(run, shown: Shown) -> None:  # type: ignore[no-untyped-def]
    text = shown.page.first_run.box.text()
    assert "http://127.0.0.1:4141/v1" in text and "gs-test-0123456789abcdef" in text


def test_a_good_first_request_opens_its_trace(run, shown: Shown) -> None:  # type: ignore[no-untyped-def]
    run(shown.arrive())
    assert shown.went == [("traces", {"trace": 7})]
    assert "sent POST /v1/messages" in shown.page.first_run._what.text()


def test_a_failed_first_request_says_why_and_offers_the_remedy(run, shown: Shown) -> None:  # type: ignore[no-untyped-def]
    refused = Failure("refused", "No key.", 401)
    run(shown.arrive(status=Status.ERROR, http_status=401, failure=refused))
    assert shown.went == []
    assert "No key." in shown.page.first_run._why.text()
    shown.page.first_run._act.click()
    assert QGuiApplication.clipboard().text() == "gs-test-0123456789abcdef"


def test_the_last_tab_is_kept(run, shown: Shown) -> None:  # type: ignore[no-untyped-def]
    shown.page.first_run.box._tabs.setCurrentIndex(5)
    assert shown.desk.settings.text("home.snippet") == "curl"
    assert shown.page.first_run.box.text().startswith("curl ")


def test_the_demo_button_runs_the_demo(run, shown: Shown) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        shown.page.first_run._demo.click()
        await settle(lambda: shown.desk.client.calls == ["demo"])  # type: ignore[attr-defined]

    run(journey())


def test_the_latest_traces_are_a_model_by_qts_own_rules(qtbot: QtBot) -> None:
    model = RecentModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_rows([trace_row(2), trace_row(1)])
    model.set_rows([trace_row(2), trace_row(1, status=Status.ERROR)])
    assert model.row(1).status == Status.ERROR
