"""The desktop put together: one window, its reader, its gateway, tray and ear for second starts."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMessageBox
from shiboken6 import isValid

from ui.client import Client
from ui.commands import Commands
from ui.desk import Desk
from ui.engine import Engine
from ui.garbage import Collector
from ui.instance import Instance
from ui.kit.feedback import Feedback
from ui.reader import ReaderClient
from ui.settings import Settings
from ui.style import dress
from ui.theme import Theme, load_fonts
from ui.window import Window

if TYPE_CHECKING:
    from ui.tray import Tray

SAY_PAINTED: Final = "GATESCOPE_SAY_PAINTED"
"""Set for the benchmark: one line on stdout when the first frame is out."""
SETTINGS_NAME: Final = "desktop.json"
SHEETS_AFTER_MS: Final = 1500
"""The palette is made ready in a quiet moment, so that its first opening is as quick as any."""
_log = logging.getLogger("ui")


@dataclass(frozen=True, slots=True)
class Choices:
    """What was said on the command line."""

    data: Path
    config: Path | None
    port: int
    is_safe: bool = False
    """Start without what was kept of last time."""


class Desktop(QObject):
    """Everything the desktop consists of. `run` until the person quits."""

    def __init__(self, application: QApplication, choices: Choices) -> None:
        super().__init__()
        self._application = application
        application.setApplicationName("Gatescope")
        application.setQuitOnLastWindowClosed(False)
        load_fonts()
        settings = self.settings = Settings(None if choices.is_safe else choices.data / SETTINGS_NAME)
        scheme, density = settings.text("theme.scheme", "system"), settings.text("theme.density", "normal")
        theme = Theme(scheme, density, settings.number("theme.size_pt", 10.0))
        dress(application, theme)
        self.feedback = Feedback()
        self.reader = ReaderClient(choices.data, self.feedback)
        self.client = Client(self.reader)
        self.engine = Engine(choices.data, self.client, wanted_port=choices.port, config=choices.config)
        self.desk = Desk(
            reader=self.reader,
            client=self.client,
            engine=self.engine,
            commands=Commands(self.feedback),
            theme=theme,
            settings=settings,
        )
        self.window = Window(self.desk)
        self.window.painted.connect(self._on_painted)
        self.window.closing.connect(self._on_closing)
        self.window.quit_wanted.connect(self.quit)
        self._tray: Tray | None = None
        self._instance = Instance(choices.data)
        self._instance.called.connect(lambda _words: self.window.show_up())
        self._over: asyncio.Event = asyncio.Event()
        self._question: QMessageBox | None = None

    async def run(self) -> None:
        """Show the window and stay until Quit; then everything is drained and put away."""
        self.window.show()
        await self._over.wait()
        self._instance.close()
        if self._tray is not None:
            self._tray.hide()
        await self.engine.leave()
        await self.client.close()
        self.reader.close()
        self.settings.save()
        self.window.go_away()

    def quit(self) -> None:
        """Keep what should come back, and begin to leave."""
        self.window.keep()
        self.window.hide()
        self._over.set()

    def _on_painted(self) -> None:
        """The window is up: now what is slow."""
        if os.environ.get(SAY_PAINTED):
            print('{"painted": true}', flush=True)
        self._collector = Collector(self)
        self._instance.listen()
        self.desk.start(self.engine.start(), "Starting the gateway")
        self.window.open_first()
        self.client.poll()
        QTimer.singleShot(SHEETS_AFTER_MS, self.window, self.window.sheets)
        self._put_in_tray()

    def _put_in_tray(self) -> None:
        from ui.tray import Tray

        if Tray.is_there():
            self._tray = Tray(self.engine, self.desk.theme)
            self._tray.open_wanted.connect(self.window.show_up)
            self._tray.copy_wanted.connect(lambda: self.desk.copy(self.desk.base_url, "the base URL"))
            self._tray.quit_wanted.connect(self.quit)

    def _on_closing(self) -> None:
        """Closing the window quits, unless the person chose the tray and there is one (UX O6)."""
        if self._tray is None:
            self.quit()
        elif self.settings.has("close.keeps_gateway"):
            self._close(self.settings.flag("close.keeps_gateway"))
        else:
            self._ask_what_closing_means()

    def _ask_what_closing_means(self) -> None:
        question = self._question = QMessageBox(self.window)
        question.setWindowTitle("Close the window")
        question.setText("Keep the gateway running in the tray?")
        question.setInformativeText(
            "Your clients keep working, and calls are still recorded. Quit from the tray's menu."
        )
        keep = question.addButton("Keep running", QMessageBox.ButtonRole.AcceptRole)
        leave = question.addButton("Quit", QMessageBox.ButtonRole.DestructiveRole)
        question.addButton(QMessageBox.StandardButton.Cancel)
        question.setDefaultButton(keep)

        def on_answer() -> None:
            clicked = question.clickedButton()
            if clicked in (keep, leave):
                self.settings.set("close.keeps_gateway", clicked is keep)
                self._close(clicked is keep)

        question.finished.connect(on_answer)
        question.open()

    def _close(self, keeps_gateway: bool) -> None:
        if keeps_gateway:
            self.window.hide()
        else:
            self.quit()


def hook_exceptions(feedback: Feedback) -> Callable[[type[BaseException], BaseException, TracebackType | None], Any]:
    """Return an excepthook that logs a bug and shows it, for whatever flies out of a Qt slot."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        _log.critical("a bug: %s", error, exc_info=(kind, error, trace))
        if isValid(feedback):  # at the very end of the program there is nobody to tell
            feedback.failed(error)

    return hook


def log_qt_messages() -> None:
    """Send what Qt itself says to our log."""
    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
        QtMsgType.QtCriticalMsg: logging.ERROR,
        QtMsgType.QtFatalMsg: logging.CRITICAL,
    }
    qt_log = logging.getLogger("qt")
    qInstallMessageHandler(lambda kind, _context, text: qt_log.log(levels.get(kind, logging.WARNING), "%s", text))
