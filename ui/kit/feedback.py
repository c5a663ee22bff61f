"""What a person is told: exceptions become words, words become toasts (UX O7), and no failed task is lost."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Literal

from PySide6.QtCore import QObject, Signal

from app.errors import AppError
from app.tasks import spawn

Tone = Literal["plain", "good", "warn", "error"]
KEPT: Final = 200
"""Toasts that the drawer remembers."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Toast:
    """One line for a person, with at most one thing to do about it."""

    text: str
    tone: Tone = "plain"
    details: str = ""
    """What "Copy details" copies; empty where there is nothing more to know."""
    action: str = ""
    """The button's words; empty for none."""
    on_action: Callable[[], object] | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether it stays until dismissed."""
        return self.tone == "error"


def words(error: BaseException) -> str:
    """Return one sentence a person can act on."""
    if isinstance(error, AppError):
        return f"{error.message} {error.hint}".strip()
    if isinstance(error, TimeoutError):
        return "That took too long and was given up."
    if isinstance(error, ConnectionError):
        return "The gateway cannot be reached."
    if isinstance(error, PermissionError) and error.filename:
        return f"No permission for {error.filename}."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}."
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else "no details"
    return f"Something went wrong inside Gatescope ({type(error).__name__}: {first_line[:160]})."


class Feedback(QObject):
    """Where everything that should reach a person's eyes goes. The window shows `toasted`; all are kept in `past`."""

    toasted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.past: deque[Toast] = deque(maxlen=KEPT)

    def say(self, toast: Toast) -> None:
        """Show a toast."""
        self.past.append(toast)
        self.toasted.emit(toast)

    def tell(self, text: str, tone: Tone = "plain") -> None:
        """Show one line with nothing to do about it."""
        self.say(Toast(text, tone))

    def failed(self, error: BaseException, doing: str = "") -> None:
        """Show an error; `doing` is what was tried, as in `Reading the trace`."""
        text = words(error)
        details = "\n".join(part for part in (doing, f"{type(error).__name__}: {error}") if part)
        self.say(Toast(f"{doing} failed: {text}" if doing else text, "error", details))

    def start(self, work: Coroutine[Any, Any, object], doing: str) -> Any:
        """Run a coroutine as a task; its failure is logged and shown. Returns the task, to cancel it."""
        task = spawn(work, doing)
        task.add_done_callback(lambda done: self._on_done(done, doing))
        return task

    def _on_done(self, task: Any, doing: str) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error, doing)
