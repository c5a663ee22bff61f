"""What a page is given: the reader, the gateway's client and engine, commands, theme, settings, and ways to speak."""

from collections.abc import Coroutine, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from app.models.change import Change
from ui.client import Client
from ui.commands import Commands
from ui.engine import Engine
from ui.kit.feedback import Feedback
from ui.reader import ReaderClient
from ui.settings import Settings
from ui.theme import Theme


class Desk(QObject):
    """Passed to every page; owns nothing but the live switch."""

    went = Signal(str, object)
    """A page id of `ui.pages` and the state to restore there: the window goes."""
    changed = Signal(object)
    """A `Change`, only while live. Pages get it by `Page.on_change`."""
    live_changed = Signal(bool)

    def __init__(
        self,
        *,
        reader: ReaderClient,
        client: Client,
        engine: Engine,
        commands: Commands,
        theme: Theme,
        settings: Settings,
    ) -> None:
        super().__init__()
        self.reader = reader
        self.client = client
        self.engine = engine
        self.commands = commands
        self.theme = theme
        self.settings = settings
        self.feedback: Feedback = reader.feedback
        self._is_live = True
        self._has_missed = False
        client.changed.connect(self._on_change)

    @property
    def is_live(self) -> bool:
        """Whether pages follow what arrives."""
        return self._is_live

    @property
    def base_url(self) -> str:
        """Where clients point their SDK: `http://127.0.0.1:4141`, with the gateway's real port."""
        return self.engine.base_url

    def set_live(self, is_live: bool) -> None:
        """Follow what arrives, or hold still; what was missed is told in one notice when following again."""
        if is_live == self._is_live:
            return
        self._is_live = is_live
        self.live_changed.emit(is_live)
        if is_live and self._has_missed:
            self._has_missed = False
            self.changed.emit(Change(seq=0, is_all=True))

    def go(self, page_id: str, state: Mapping[str, object] | None = None) -> None:
        """Open a page: `home`, `traces`, `sessions`, `gateway`; `state` is what its `restore` takes."""
        self.went.emit(page_id, dict(state or {}))

    def start(self, work: Coroutine[Any, Any, object], doing: str) -> Any:
        """Run a coroutine as a task; `doing` names it for a person. A failure is shown as a toast, never lost."""
        return self.feedback.start(work, doing)

    def copy(self, text: str, what: str = "") -> None:
        """Put text on the clipboard and say so."""
        QGuiApplication.clipboard().setText(text)
        self.feedback.tell(f"Copied {what or 'to the clipboard'}.")

    def _on_change(self, change: Change) -> None:
        if self._is_live:
            self.changed.emit(change)
        else:
            self._has_missed = True
