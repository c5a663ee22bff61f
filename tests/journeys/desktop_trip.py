"""The real desktop over a folder of its own: window, reader child and gateway child, composed as `ui.main` does it.

def test_a_call_shows(qapp, tmp_path):
    async def journey(trip: Trip) -> None:
        await asyncio.to_thread(call, trip.url, await trip.new_key())
        [row] = await trip.rows(1)
        assert trip.cells(row)[Column.TOKENS] == "12 → 7"

    travel(qapp, tmp_path, journey)
"""

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import qasync
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from waiting import until

from app.models.span import Kind, Status
from app.models.trace import SpanDetail, TraceRow
from ui import format
from ui.desktop import Choices, Desktop
from ui.engine import GatewayState
from ui.home.page import HomePage
from ui.kit.cards import Card
from ui.status_bar import StatusBar
from ui.traces.attributes_tab import AttributesTab
from ui.traces.columns import Column, cell_text
from ui.traces.messages_tab import MessagesTab
from ui.traces.page import TracesPage
from ui.traces.trace_view import TraceView

Journey = Callable[["Trip"], Coroutine[Any, Any, object]]
PROVIDER_KEY = "sk-of-the-provider"
START_S = 15.0
STAY_S = 55.0


class Trip:
    """The desktop as a person sees it: what pages, lists and labels read."""

    def __init__(self, desktop: Desktop, data: Path) -> None:
        self.desktop = desktop
        self.data = data
        self.desk = desktop.desk

    @property
    def url(self) -> str:
        """The base URL that the window shows."""
        return self.desk.base_url

    @property
    def status(self) -> StatusBar:
        """The line at the window's foot."""
        return self.desktop.window.status

    @property
    def home(self) -> HomePage:
        """The page Home, brought to the front."""
        self.desktop.window.go("home")
        page = self.desktop.window.page
        assert isinstance(page, HomePage)
        return page

    @property
    def traces(self) -> TracesPage:
        """The page Traces, brought to the front."""
        if not isinstance(self.desktop.window.page, TracesPage):
            self.desktop.window.go("traces")
        page = self.desktop.window.page
        assert isinstance(page, TracesPage)
        return page

    @property
    def view(self) -> TraceView:
        """The trace that is open."""
        view = self.traces.trace
        assert view is not None
        return view

    async def running(self) -> None:
        """Wait until the gateway takes calls and its live stream stands."""
        client, engine = self.desktop.client, self.desktop.engine
        await until(lambda: engine.state is GatewayState.FAILED or (engine.is_running and client.is_streaming), START_S)
        assert engine.is_running, engine.problem

    async def new_key(self, name: str = "journey") -> str:
        """Make a virtual key, as the Gateway page does."""
        return (await self.desktop.client.create_key(name)).key

    async def rows(self, count: int, n_calls: int | None = None) -> list[TraceRow]:
        """Back to the list, nothing chosen: wait until it shows so many traces, and none runs; newest first.

        The line over the list must count `n_calls`, one a trace where it is not given.
        """
        page = self.traces
        page.close_trace()
        page.list.let_in()
        model, counts = page.list.model, page.list.quick.count
        said = f"{format.count(count, 'trace')} · {format.count(n_calls or count, 'call')}"

        def shown() -> list[TraceRow | None]:
            return [model.known(row_id) for row_id in model.ids()]

        def is_so() -> bool:
            rows = shown()
            return (
                counts.text() == said
                and len(rows) == count
                and all(row is not None and row.status != Status.RUNNING for row in rows)
            )

        try:
            await until(is_so)
        except AssertionError:
            raise AssertionError(f"{said} wanted, finished; the list says {counts.text()}: {shown()}") from None
        stored = {row.id: row for row in await self.desk.reader.ask("trace_rows", list(model.ids()))}
        await until(lambda: all(row is not None and row == stored[row.id] for row in shown()))
        return [row for row in shown() if row is not None]

    def cells(self, row: TraceRow) -> dict[Column, str]:
        """Return what the cells of a row in the list read."""
        model = self.traces.list.model
        place = model.place_of(row.id)
        assert place >= 0, "the row is not in the list"
        read = {column: model.data(model.index(place, column)) for column in Column}
        assert read == {column: cell_text(row, column, model.now_ns) for column in Column}
        return read

    async def open(self, trace_id: int, span_id: int | None = None) -> TraceView:
        """Open a trace in the list's place; return its view once tree and inspector are filled."""
        page = self.traces
        page.open_trace(trace_id, span_id)
        view = self.view
        await until(lambda: view.row is not None and view.row.id == trace_id and view._task.done())
        await self._inspected()
        return view

    async def choose(self, place: int) -> SpanDetail:
        """Choose a span of the open trace by its place in the tree; return what the inspector shows."""
        view = self.view
        assert view.model.tree is not None
        wanted = int(view.model.tree.id[place])
        view.tree.choose_span(place)
        await until(lambda: view.inspector.span is not None and view.inspector.span.id == wanted)
        return await self._inspected()

    def tree(self) -> list[str]:
        """Return the open trace's tree as lines: `llm gpt-4o` indented by depth, failed ones marked with `!`."""
        model, tree = self.view.model, self.view.model.tree
        assert tree is not None
        marks = {Status.ERROR: "!", Status.RUNNING: "…", Status.ABORTED: "×", Status.INTERRUPTED: "?"}
        return [
            f"{'  ' * int(tree.depth[n])}{Kind(int(tree.kind[n])).name.lower()} {model.name(n)}"
            f"{marks.get(Status(int(tree.status[n])), '')}"
            for n in range(len(tree.id))
        ]

    def kinds(self) -> list[str]:
        """Return the kinds of the open trace's spans, indented by depth."""
        tree = self.view.model.tree
        assert tree is not None
        return [
            "  " * int(depth) + Kind(int(kind)).name.lower() for depth, kind in zip(tree.depth, tree.kind, strict=True)
        ]

    def cards(self) -> list[Card]:
        """Return the cards of the Messages tab."""
        tab = self.view.inspector.tabs()[0]
        assert isinstance(tab, MessagesTab)
        return list(tab.view.cards)

    def answer(self) -> list[Card]:
        """Return the cards of the answer."""
        return [card for card in self.cards() if card.is_answer]

    def why(self) -> str:
        """Return the reason that stands over the inspector's tabs; empty where the call went well."""
        label = self.view.inspector._failure
        return label.text() if label.isVisibleTo(self.view) else ""

    async def attributes(self, group: str = "") -> dict[str, str]:
        """Return what the Attributes tab says of the chosen span, by name; only of one group where it is given."""
        inspector = self.view.inspector
        [(number, tab)] = [(n, t) for n, t in enumerate(inspector.tabs()) if isinstance(t, AttributesTab)]
        inspector.set_tab(number)
        await self._inspected()
        facts = {fact.name: fact.value for fact in tab.model._facts if group in ("", fact.group)}
        inspector.set_tab(0)
        await self._inspected()
        return facts

    async def trace_of(self, request_id: str) -> int:
        """Return the trace that holds a request, by the id that the client was given."""
        found: list[int] = []

        async def look() -> bool:
            row_id = await self.desk.reader.ask("find", request_id)
            found[:] = [row_id] if row_id is not None else []
            return bool(found)

        for _ in range(400):
            if await look():
                return found[0]
            await asyncio.sleep(0.02)
        raise AssertionError(f"{request_id} was never stored")

    async def _inspected(self) -> SpanDetail:
        inspector = self.view.inspector
        await until(lambda: inspector.span is not None and inspector._task is not None and inspector._task.done())
        assert inspector.span is not None
        return inspector.span


def travel(
    application: QApplication,
    folder: Path,
    journey: Journey,
    *,
    config: str = "",
    env: dict[str, str] | None = None,
    may_say: tuple[str, ...] = (),
) -> None:
    """Open the desktop, go on the journey, quit, and see that nothing is left of it.

    `may_say` begins the error toasts that belong to the journey; any other fails it.
    """
    data = folder / "data"
    data.mkdir(exist_ok=True)
    written = folder / "gatescope.yaml"
    written.write_text(config, encoding="utf-8")
    with ExitStack() as undo:
        undo.enter_context(patch.dict(os.environ, {"TRIP_KEY": PROVIDER_KEY, **(env or {})}))
        loop = qasync.QEventLoop(application)
        threads = ThreadPoolExecutor(12)
        loop.set_default_executor(threads)
        asyncio.set_event_loop(loop)
        undo.callback(asyncio.set_event_loop, None)
        undo.callback(gc.enable)
        gc.disable()
        with loop:
            try:
                loop.run_until_complete(_travel(application, data, written, journey, may_say))
            finally:
                loop.run_until_complete(_stop_all())
                gc.collect()


async def _travel(
    application: QApplication, data: Path, config: Path, journey: Journey, may_say: tuple[str, ...]
) -> None:
    desktop = Desktop(application, Choices(data, config, 0))
    life = asyncio.ensure_future(desktop.run())
    trip = Trip(desktop, data)
    try:
        await trip.running()
        await asyncio.wait_for(journey(trip), STAY_S)
    finally:
        pid = desktop.engine.pid
        said = [toast.text for toast in desktop.feedback.past if toast.tone == "error"]
        desktop.quit()
        await asyncio.wait_for(life, 20)
        desktop._collector.stop()
        desktop.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not [text for text in said if not text.startswith(may_say or ("\0",))]
    assert pid is not None and not is_alive(pid), "the gateway outlived the desktop"
    assert not (data / "gateway.json").exists()


async def _stop_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
