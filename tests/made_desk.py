"""A desk for the tests of pages: real commands, theme and settings; reader, client and engine are stand-ins."""

from typing import Any, cast

from made_traces import FakeReader
from PySide6.QtCore import QObject, Signal

from app.models.change import Change
from ui.commands import Commands
from ui.desk import Desk
from ui.kit.feedback import Feedback
from ui.settings import Settings
from ui.theme import Theme


class FakeClient(QObject):
    """Says what it is told to say."""

    changed = Signal(object)
    status_changed = Signal(object)
    stream_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def get(self, path: str) -> object:
        """Answer the questions pages ask."""
        return {"first-key": {"key": "gs-test-0123456789abcdef", "reason": ""}}[path]

    async def demo(self) -> None:
        """Note that a demo run was asked for."""
        self.calls.append("demo")


class FakeEngine(QObject):
    """Runs on a fixed port."""

    state_changed = Signal(object)

    base_url = "http://127.0.0.1:4141"
    is_running = True


def make_desk(reader: FakeReader, theme: Theme | None = None) -> Desk:
    """Return a desk over a fake reader; needs a QApplication, and a running loop when pages ask."""
    feedback = Feedback()
    reader_like = cast(Any, reader)
    reader_like.feedback = feedback
    return Desk(
        reader=reader_like,
        client=cast(Any, FakeClient()),
        engine=cast(Any, FakeEngine()),
        commands=Commands(feedback),
        theme=theme or Theme("dark"),
        settings=Settings(None),
    )


def change(*traces: int, is_all: bool = False) -> Change:
    """A notice that these traces changed."""
    return Change(seq=1, traces=traces, is_all=is_all)
