"""What the desktop's tests share: a qasync loop on pytest-qt's application, and a desk with nothing behind it."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from ui.client import Client
from ui.commands import Commands
from ui.desk import Desk
from ui.engine import Engine
from ui.kit.feedback import Feedback
from ui.reader import ReaderClient
from ui.settings import Settings
from ui.theme import Theme, load_fonts

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(autouse=True, scope="module")
def _garbage_is_collected_here() -> Iterator[None]:
    """As `ui.garbage` does: no worker thread, of this module's tests or a later one's, may collect a widget."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture
def run(qapp: QApplication) -> Iterator[Run]:
    """Runs a coroutine to its end on a loop that is Qt's too; fails after ten seconds."""
    loop = qasync.QEventLoop(qapp)
    loop.set_default_executor(ThreadPoolExecutor(2))
    asyncio.set_event_loop(loop)

    def until_done(work: Coroutine[Any, Any, Any]) -> Any:
        return loop.run_until_complete(asyncio.wait_for(work, 10))

    with loop:
        yield until_done
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    asyncio.set_event_loop(None)


@pytest.fixture
def fonts(qapp: QApplication) -> None:
    """The bundled fonts, once."""
    load_fonts()


@pytest.fixture
def desk(run: Run, tmp_path: Path) -> Iterator[Desk]:
    """A desk on an empty folder whose gateway is never started."""
    feedback = Feedback()
    reader = ReaderClient(tmp_path, feedback)
    client = Client(reader)
    made = Desk(
        reader=reader,
        client=client,
        engine=Engine(tmp_path, client, wanted_port=0),
        commands=Commands(feedback),
        theme=Theme("dark"),
        settings=Settings(tmp_path / "desktop.json"),
    )
    yield made
    run(client.close())
    reader.close()
