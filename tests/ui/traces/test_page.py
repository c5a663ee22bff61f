"""The Traces page, wired."""

import sys
from collections.abc import Iterator

import pytest
from made_desk import change, make_desk
from made_traces import FakeReader, trace_row
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from settling import settle

from app.models.span import Status
from ui.desk import Desk
from ui.traces.columns import Column
from ui.traces.page import TracesPage


class Opened:
    """A page over a fake store."""

    def __init__(self, qtbot: QtBot, n: int = 40) -> None:
        self.reader = FakeReader([trace_row(number) for number in range(1, n + 1)])
        self.reader.answers |= {"text": '{"a": 1}', "events": [], "body": b'{"model": "m", "messages": []}'}
        self.desk: Desk = make_desk(self.reader)
        self.page = TracesPage(self.desk)
        qtbot.addWidget(self.page)
        qtbot.addWidget(self.page.top_widget())
        self.page.resize(1300, 700)
        self.page.show()
        self.n = n

    async def ready(self) -> "Opened":
        await settle(lambda: self.page.list.model.rowCount() == self.n)
        return self

    async def open(self, row: int = 0) -> "Opened":
        await self.ready()
        self.page.list.view.choose_row(row)
        self.page.open_chosen()
        await settle(lambda: self.page.trace is not None and self.page.trace.inspector.span is not None)
        return self


@pytest.fixture
def opened(run, fonts, qtbot: QtBot) -> Iterator[Opened]:  # type: ignore[no-untyped-def]
    async def make() -> Opened:
        return await Opened(qtbot).ready()

    yield run(make())


def test_a_trace_opens_on_its_last_call_and_escape_goes_back_to_its_row(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.open(3)).page
        assert page.is_trace_open and page.trail() == ["Traces", "0000…0025"]
        assert page.trace.inspector.span.id == 110
        page.leave()
        assert not page.is_trace_open
        assert page.list.chosen_id() == 37

    run(journey())


def test_the_tab_stays_when_another_span_is_chosen(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.open()).page
        opened.desk.commands.run("trace.tab_4")
        page.step(-1)
        await settle(lambda: page.trace.inspector.span.id == 109)
        assert page.trace.inspector.tab == 3

    run(journey())


def test_the_place_comes_back_exactly(run, opened: Opened, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.open(5)).page
        page.trace.tree.choose_span(2)
        page.trace.inspector.set_tab(1)
        await settle(lambda: page.trace.inspector.span.id == 102)
        page.list.filter.set_text("model:claude*")
        state = page.state()
        other = await Opened(qtbot).ready()
        other.page.restore(state)
        await settle(lambda: other.page.trace and other.page.trace.inspector.span)
        assert other.page.state() == state | {"chosen": None}

    run(journey())


def test_nonsense_in_a_kept_state_means_the_default(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        page.restore({"filter": 7, "trace": "x", "tab": None, "more": []})
        assert not page.is_trace_open

    run(journey())


def test_the_place_read_holds_while_new_traces_arrive(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        page.list.view.choose_row(2)
        opened.reader.rows.insert(0, trace_row(99))
        page.on_change(change(99))
        await settle(lambda: "1 new" in page.list._pill.text() and page.list._pill.isVisible())
        assert page.list.view.currentIndex().row() == 2
        opened.desk.commands.run("traces.let_in")
        assert page.list.model.id_at(0) == 99 and not page.list._pill.isVisible()

    run(journey())


def test_an_empty_list_says_which_filter_hides_everything(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        opened.reader.answers["traces"] = lambda query, before, limit: [] if query else opened.reader.rows
        page.list.filter.set_text("status:error")
        await settle(lambda: page.list.model.rowCount() == 0)
        assert page.list._stack.currentWidget() is page.list._empty
        assert "status:error" in page.list._empty._text.text()
        page.list.filter.drop_last()
        await settle(lambda: page.list.model.rowCount() == 40)
        assert page.list._stack.currentWidget() is page.list.view

    run(journey())


def test_a_cell_filters_and_excludes_by_its_value(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        view = page.list.view
        view.setCurrentIndex(page.list.model.index(0, Column.MODEL))
        opened.desk.commands.run("traces.by_cell")
        assert page.list.filter.text() == "model:claude-sonnet-4.5"
        opened.desk.commands.run("traces.not_cell")
        assert page.list.filter.text() == "-model:claude-sonnet-4.5"

    run(journey())


def test_the_cell_menu_offers_what_works(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        menu: QMenu = page.list.cell_menu(trace_row(), Column.STATUS)
        words = [action.text().partition("\t")[0] for action in menu.actions() if action.text()]
        assert words[:3] == ["Filter by status:ok", "Exclude", "Open"]
        assert "Copy row as JSON" in words and "Copy last call as curl" in words
        menu.deleteLater()

    run(journey())


def test_a_call_is_copied_as_curl(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.open()).page
        QGuiApplication.clipboard().clear()
        page.copy_as("curl")
        await settle(lambda: QGuiApplication.clipboard().text())
        text = QGuiApplication.clipboard().text()
        assert text.startswith("curl http://127.0.0.1:4141/v1/messages")
        assert "$GATESCOPE_API_KEY" in text and "9f2a" not in text

    run(journey())


def test_peeking_follows_the_chosen_row(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        page.list.view.choose_row(1)
        opened.desk.commands.run("traces.peek")
        assert page.list.peek.trace_id == 39
        page.step(1)
        assert page.list.peek.trace_id == 38
        page.leave()
        assert not page.list.is_peeking() and page.list.chosen_id() == 38
        page.leave()
        assert page.list.chosen_id() is None

    run(journey())


def test_a_running_trace_grows_where_it_stands(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.open()).page
        page.trace.tree.choose_span(2)
        await settle(lambda: page.trace.inspector.span.id == 102)
        asked = len(opened.reader.asked)
        page.on_change(change(40))
        await settle(lambda: ("tree", (40,)) in opened.reader.asked[asked:])
        await settle(lambda: ("conversation", (102,)) in opened.reader.asked[asked:])
        await settle(lambda: any(method == "count" for method, _ in opened.reader.asked[asked:]))
        assert page.trace.inspector.span.id == 102

    run(journey())


def test_keys_step_open_and_leave(run, opened: Opened, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    async def journey() -> None:
        page = (await opened.ready()).page
        page.activateWindow()
        page.list.view.setFocus()
        await settle(lambda: page.list.view.hasFocus())
        for key in (Qt.Key.Key_J, Qt.Key.Key_J, Qt.Key.Key_K):
            qtbot.keyClick(page.list.view, key)
        assert page.list.chosen_id() == 40
        qtbot.keyClick(page.list.view, Qt.Key.Key_Return)
        await settle(lambda: page.is_trace_open)
        qtbot.keyClick(page.trace.tree, Qt.Key.Key_Escape)
        assert not page.is_trace_open

    run(journey())


def test_columns_come_back_as_they_were_left(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    view = opened.page.list.view
    view.horizontalHeader().moveSection(view.horizontalHeader().visualIndex(Column.COST), 1)
    view.horizontalHeader().resizeSection(Column.NAME, 333)
    view._show_column(Column.KEY, False)
    kept = opened.desk.settings.table("traces.columns")
    view._reset_columns()
    view.restore_columns(kept)
    header = view.horizontalHeader()
    assert header.visualIndex(Column.COST) == 1 and header.sectionSize(Column.NAME) == 333
    assert header.isSectionHidden(Column.KEY)


def test_numpy_waits_for_the_first_trace() -> None:
    import subprocess

    code = "import sys; import ui.traces.page, ui.home.page; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failing_reader_says_so_in_the_page(run, opened: Opened) -> None:  # type: ignore[no-untyped-def]
    from app.errors import StoreError

    async def journey() -> None:
        def gone(*_: object) -> None:
            raise StoreError("That trace is gone.")

        page = (await opened.ready()).page
        opened.reader.answers["tree"] = gone
        page.open_trace(40)
        await settle(lambda: page.trace._note.text() == "That trace is gone.")

    run(journey())


def test_status_words_cover_every_status() -> None:
    from ui.traces.columns import STATUS_WORDS

    assert set(STATUS_WORDS) == set(Status)
