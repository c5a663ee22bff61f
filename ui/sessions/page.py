"""The Sessions page: conversations, latest first; each opens as its traces."""

from typing import ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedLayout, QWidget

from app.errors import StoreError
from app.models.change import Change
from app.models.query import term
from app.models.trace import SessionRow
from ui.commands import Command
from ui.desk import Desk
from ui.kit.empty_state import EmptyState
from ui.kit.page import Page
from ui.sessions.model import PAGE, SessionModel
from ui.sessions.view import SessionView

COALESCE_MS = 250


class SessionsPage(Page):
    """Wires the list."""

    title: ClassVar[str] = "Sessions"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.model = SessionModel(self)
        self.view = SessionView(desk.theme, self.model, self)
        self._empty = EmptyState(desk.theme, self)
        self._empty.say(
            "messages-square",
            "No sessions yet",
            "Calls that continue one another's conversation, or that state the same session id, gather here.",
            [("Show me how to connect", lambda: desk.go("home"))],
        )
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._empty)
        self._timer = QTimer(self, singleShot=True, interval=COALESCE_MS)
        self._timer.timeout.connect(self._read_again)
        self.model.more_wanted.connect(self._read_more)
        self.view.opened.connect(self.open_session)
        desk.commands.add_all(self._commands(), self)
        self.setFocusProxy(self.view)
        self._read_again()

    def on_change(self, change: Change) -> None:
        """Read again soon."""
        if (change.is_all or change.traces) and not self._timer.isActive():
            self._timer.start()

    def open_session(self, session: str) -> None:
        """Show the session's traces."""
        self.desk.go("traces", {"filter": term("session", session)})

    def _commands(self) -> list[Command]:
        step = self.view.step
        return [
            Command("sessions.next", "Next row", lambda: step(1), ("J",), self.title, is_listed=False),
            Command("sessions.previous", "Previous row", lambda: step(-1), ("K",), self.title, is_listed=False),
            Command("sessions.open", "Open the chosen session", self._open_chosen, (), self.title, "arrow-up-right"),
            Command("sessions.copy", "Copy the session id", self._copy_chosen, ("Ctrl+Shift+I",), self.title, "copy"),
        ]

    def _open_chosen(self) -> None:
        if (chosen := self.view.chosen()) is not None:
            self.open_session(chosen)

    def _copy_chosen(self) -> None:
        if (chosen := self.view.chosen()) is not None:
            self.desk.copy(chosen, "the session id")

    def _read_again(self) -> None:
        self.desk.start(self._read(max(PAGE, self.model.rowCount())), "Reading the sessions")

    async def _read(self, limit: int) -> None:
        try:
            rows: list[SessionRow] = await self.desk.reader.ask("sessions", None, limit)
        except StoreError:
            rows = []  # no database yet: the gateway is about to make it
        self.model.set_rows(rows, has_more=len(rows) == limit)
        self._stack.setCurrentWidget(self.view if rows else self._empty)

    def _read_more(self) -> None:
        self.desk.start(self._bring_more(), "Reading the sessions")

    async def _bring_more(self) -> None:
        rows: list[SessionRow] = await self.desk.reader.ask("sessions", self.model.last(), PAGE)
        self.model.add_rows(rows, has_more=len(rows) == PAGE)
