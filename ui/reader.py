"""The desktop's way to the store: questions go to a child process, answers are awaited, the GUI thread never waits.

    rows = await desk.reader.ask("traces", query, None, 200)

Any method of `app.store.reader.Reader` can be asked. Cancel the task and the question is taken back. The child is
started on the first question and again when it dies; a question it died on is asked once more, then given up.
"""

import asyncio
import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app import errors
from ui import child
from ui.frames import FrameReader, pack
from ui.kit.feedback import Feedback

MAX_OPEN: Final = 64
"""Questions the child has at once; more wait here, where taking them back is free."""
BACK_OFF_MS: Final = (0, 200, 1000, 3000)
"""Before each new start after a death; the last one repeats."""
_log = logging.getLogger(__name__)


class ReaderBug(Exception):
    """A question met a bug in the reader; the text is its traceback."""


@dataclass(slots=True)
class _Question:
    body: bytes
    answer: "asyncio.Future[Any]"
    deaths: int = 0


class ReaderClient(QObject):
    """Asks; GUI thread only."""

    restarted = Signal()
    """The child died and runs again: what was read still stands, what was asked is asked again."""

    def __init__(self, data_dir: Path, feedback: Feedback, prepare: Callable[[QProcess], None] | None = None) -> None:
        """`prepare` sets the child's program; by default our own `ui.reader_child` on `data_dir`."""
        super().__init__()
        self.feedback = feedback
        self._prepare = prepare or (lambda process: child.prepare(process, "ui.reader_child", [str(data_dir)]))
        self._process: QProcess | None = None
        self._frames = FrameReader()
        self._open: dict[int, _Question] = {}
        self._next = 1
        self._n_deaths = 0
        self._is_closed = False
        self._room = asyncio.Semaphore(MAX_OPEN)
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._revive)

    async def ask(self, method: str, *arguments: object, **named: object) -> Any:
        """Return what `Reader.method(*arguments, **named)` returns in the child.

        Raises what it raised (an AppError), ReaderBug for a bug, StoreError where the child cannot be kept alive.
        """
        body = pickle.dumps((method, arguments, named), protocol=5)
        async with self._room:
            if self._is_closed:  # the desktop is leaving: whoever asked leaves with it
                raise asyncio.CancelledError
            number, self._next = self._next, self._next + 1
            question = _Question(body, asyncio.get_running_loop().create_future())
            self._open[number] = question
            self._send(number, body)
            try:
                return await question.answer
            finally:
                if self._open.pop(number, None) is not None:
                    self._send(number, b"")

    def close(self) -> None:
        """Let the child go; open questions are taken back, and so is whatever is asked from now on."""
        self._is_closed = True
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect()
            process.errorOccurred.disconnect()
            process.readyReadStandardOutput.disconnect()
            process.closeWriteChannel()
            if not process.waitForFinished(200):
                process.kill()
                process.waitForFinished(1000)
        for question in self._open.values():
            question.answer.cancel()
        self._open.clear()

    def _send(self, number: int, body: bytes) -> None:
        if self._process is not None:
            self._process.write(pack(number, body))
        elif body and not self._is_closed and not self._pause.isActive():
            self._start()

    def _start(self) -> None:
        """Start the child and ask it all that is open."""
        process = QProcess(self)
        self._prepare(process)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.readyReadStandardOutput.connect(self._on_answers)
        process.readyReadStandardError.connect(self._on_noise)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._frames = FrameReader()
        self._process = process
        process.start()
        for number, question in self._open.items():
            process.write(pack(number, question.body))

    def _on_answers(self) -> None:
        if self._process is None:
            return
        piece = self._process.readAllStandardOutput().data()
        for number, body in self._frames.feed(piece):
            self._n_deaths = 0
            question = self._open.pop(number, None)
            if question is not None and not question.answer.done():
                _settle(question.answer, *pickle.loads(body))

    def _on_noise(self) -> None:
        if self._process is not None:
            _log.warning("reader: %s", self._process.readAllStandardError().data().decode(errors="replace").rstrip())

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._on_finished()

    def _on_finished(self) -> None:
        process, self._process = self._process, None
        if process is None or self._is_closed:
            return
        process.deleteLater()
        self._n_deaths += 1
        _log.warning("the reader ended with %s; %d open questions", process.exitCode(), len(self._open))
        for number, question in list(self._open.items()):
            question.deaths += 1
            if question.deaths > 1:
                del self._open[number]
                fault = errors.StoreError("The reader stopped while answering.", hint="Try again.")
                if not question.answer.done():
                    question.answer.set_exception(fault)
        self._pause.start(BACK_OFF_MS[min(self._n_deaths, len(BACK_OFF_MS)) - 1])

    def _revive(self) -> None:
        if self._process is None and self._open and not self._is_closed:
            self._start()
            self.restarted.emit()


def _settle(answer: "asyncio.Future[Any]", outcome: str, value: Any) -> None:
    if outcome == "value":
        answer.set_result(value)
    elif outcome == "error":
        name, message, hint = value
        answer.set_exception(_revived(name, message, hint))
    else:
        _log.error("reader: %s", value)
        answer.set_exception(ReaderBug(value.strip().splitlines()[-1]))


def _revived(name: str, message: str, hint: str) -> errors.AppError:
    """Return the child's error as one of ours; those with more parts than words come back as their parent."""
    kind = getattr(errors, name, errors.AppError)
    if kind in (errors.Refused, errors.UpstreamError):
        kind = errors.AppError
    error: errors.AppError = kind(message, hint=hint)
    return error
