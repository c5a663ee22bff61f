"""The main window: rail, top bar, the page in front, status bar. It wires them, and keeps where one has been."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.errors import AppError
from app.models.change import Change
from ui.desk import Desk
from ui.history import History, Stop
from ui.kit.page import Page
from ui.kit.toasts import ToastStack
from ui.pages import PLACES, Place
from ui.rail import Rail
from ui.status_bar import StatusBar
from ui.top_bar import TopBar
from ui.window_commands import window_commands

if TYPE_CHECKING:
    from ui.palette import Palette
    from ui.shortcut_sheet import ShortcutSheet

SMALLEST_PX: Final = (900, 600)
FIRST_PX: Final = (1440, 900)
TOTALS_EVERY_MS: Final = 1000


class Window(QMainWindow):
    """One window over one desk."""

    painted = Signal()
    """Once, right after the first paint: what is slow to load begins here."""
    closing = Signal()
    """The close button; the window stays until it is told to hide or to go."""
    quit_wanted = Signal()

    def __init__(self, desk: Desk, places: tuple[Place, ...] = PLACES) -> None:
        super().__init__()
        self.setWindowTitle("Gatescope")
        self.setWindowIcon(desk.theme.icon("gatescope", "accent", 64))
        self.setMinimumSize(*SMALLEST_PX)
        self._desk = desk
        self._places = {place.id: place for place in places}
        self._pages: dict[str, Page] = {}
        self._stale: set[str] = set()
        self._history = History()
        self._front: str = ""
        self._is_painted = False
        self._is_allowed_to_close = False
        self._states = desk.settings.table("page.states")
        desk.commands.add_all(window_commands(self, desk, places), self)
        self.rail = Rail(places, desk.theme)
        commands = desk.commands
        self.top = TopBar(desk.theme, commands.action("go.back"), commands.action("go.forward"))
        self.status = StatusBar(desk.theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._lay_out()
        self._sheets: tuple[Palette, ShortcutSheet] | None = None
        self.toasts = ToastStack(self, desk.feedback, desk.theme)
        self._totals_timer = QTimer(self, singleShot=True, interval=TOTALS_EVERY_MS)
        self._totals_timer.timeout.connect(lambda: desk.start(self._read_totals(), "Reading the totals"))
        self._wire()
        self._restore_frame()

    @property
    def page(self) -> Page | None:
        """The page in front."""
        return self._pages.get(self._front)

    def context(self) -> str:
        """Return the title of the page in front, which is the context of its commands."""
        page = self.page
        return page.title if page is not None else ""

    def open_first(self) -> None:
        """Show the page of last time, or Home."""
        last = self._desk.settings.text("page.front", "home")
        self.go(last if last in self._places else next(iter(self._places)))

    def go(self, page_id: str, state: Mapping[str, object] | None = None) -> None:
        """Open a page; with no state as it was left."""
        if page_id not in self._places:
            return
        self._keep_present()
        page = self._make(page_id)
        if state:
            page.restore(dict(state))
        self._bring(page_id)
        self._note_stop()

    def back(self) -> None:
        """Go back to where one was."""
        self._travel(self._history.back)

    def forward(self) -> None:
        """Go forward again."""
        self._travel(self._history.forward)

    def toggle_rail(self) -> None:
        """Fold the rail to icons, or unfold it."""
        self.rail.set_narrow(not self.rail.is_narrow)
        self._desk.settings.set("rail.is_narrow", self.rail.is_narrow)

    def open_palette(self) -> None:
        """Open the command palette."""
        self.sheets()[0].open_with()

    def open_shortcuts(self) -> None:
        """Open the list of what the keys do here."""
        self.sheets()[1].open_for(self.context())

    def sheets(self) -> "tuple[Palette, ShortcutSheet]":
        """Return the palette and the shortcut sheet; made when first asked for, after the first paint."""
        if self._sheets is None:
            from ui.palette import Palette
            from ui.shortcut_sheet import ShortcutSheet

            desk = self._desk
            self._sheets = Palette(desk, self, self.context), ShortcutSheet(desk.commands, desk.theme, self)
        return self._sheets

    def show_up(self) -> None:
        """Come to the front from wherever it is: hidden, minimised, behind."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def keep(self) -> None:
        """Note everything that should come back at the next start."""
        self._keep_present()
        settings = self._desk.settings
        settings.set("window.geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        settings.set("page.front", self._front)
        settings.set("page.states", self._states)

    def go_away(self) -> None:
        """Close for good."""
        self._is_allowed_to_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask what closing should mean, unless that is settled."""
        if self._is_allowed_to_close:
            event.accept()
            return
        event.ignore()
        self.keep()
        self.closing.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Back and forward by the mouse's side buttons."""
        if event.button() == Qt.MouseButton.BackButton:
            self.back()
        elif event.button() == Qt.MouseButton.ForwardButton:
            self.forward()
        else:
            super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say when the first frame is done."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self, self.painted.emit)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(self._stack, 1)
        central = QWidget(self)
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        self.setCentralWidget(central)

    def _wire(self) -> None:
        desk, status = self._desk, self.status
        self.rail.chosen.connect(self.go)
        desk.went.connect(self.go)
        self.top.search_wanted.connect(self.open_palette)
        self.top.live_toggled.connect(desk.set_live)
        desk.live_changed.connect(self.top.show_live)
        desk.changed.connect(self._on_change)
        desk.client.status_changed.connect(status.show_status)
        desk.engine.state_changed.connect(self._on_gateway)
        status.copy_wanted.connect(lambda: desk.commands.run("gateway.copy_url"))
        status.restart_wanted.connect(lambda: desk.commands.run("gateway.restart"))
        status.log_wanted.connect(lambda: self.go("gateway", {"log": True}))
        status.help_wanted.connect(self.open_shortcuts)
        self._on_gateway()

    def _on_gateway(self) -> None:
        engine = self._desk.engine
        self.status.show_gateway(engine.state, engine.base_url.removeprefix("http://"), engine.problem)
        self._totals_timer.start()

    def _on_change(self, change: Change) -> None:
        self._stale.update(page_id for page_id in self._pages if page_id != self._front)
        if (page := self.page) is not None:
            page.on_change(change)
        if not self._totals_timer.isActive():
            self._totals_timer.start()

    async def _read_totals(self) -> None:
        try:
            self.status.show_totals(await self._desk.reader.ask("totals"))
        except AppError:
            self.status.show_totals(None)

    def _make(self, page_id: str) -> Page:
        if page_id not in self._pages:
            page = self._places[page_id].make(self._desk)
            self._pages[page_id] = page
            self._stack.addWidget(page)
            page.moved.connect(lambda: self._on_moved(page_id))
            page.renamed.connect(self._show_trail)
            kept = self._states.get(page_id)
            if isinstance(kept, dict) and kept:
                page.restore(kept)
        return self._pages[page_id]

    def _bring(self, page_id: str) -> None:
        page = self._pages[page_id]
        self._front = page_id
        self._stack.setCurrentWidget(page)
        self.rail.show_page(page_id)
        self.top.show_widget(page.top_widget())
        self._show_trail()
        if page_id in self._stale:
            self._stale.discard(page_id)
            page.on_change(Change(seq=0, is_all=True))
        page.on_shown()

    def _on_moved(self, page_id: str) -> None:
        if page_id == self._front:
            self._note_stop()
            self._show_trail()
            self._keep_present()
            self._desk.settings.set("page.states", dict(self._states))
            self._desk.settings.set("page.front", self._front)

    def _keep_present(self) -> None:
        if (page := self.page) is not None:
            state = page.state()
            self._states[self._front] = state
            self._history.keep(state)

    def _note_stop(self) -> None:
        self._history.push(Stop(self._front, self._pages[self._front].state()))
        self._show_arrows()

    def _travel(self, step: Callable[[], Stop | None]) -> None:
        self._keep_present()
        if (stop := step()) is not None:
            self._make(stop.page_id).restore(dict(stop.state))
            self._bring(stop.page_id)
        self._show_arrows()

    def _show_arrows(self) -> None:
        self._desk.commands.action("go.back").setEnabled(self._history.can_go_back)
        self._desk.commands.action("go.forward").setEnabled(self._history.can_go_forward)

    def _show_trail(self) -> None:
        if (page := self.page) is not None:
            self.top.show_trail(page.trail())
            self.setWindowTitle(f"{' / '.join(page.trail())} - Gatescope")

    def _restore_frame(self) -> None:
        settings = self._desk.settings
        self.rail.set_narrow(settings.flag("rail.is_narrow"))
        kept = settings.text("window.geometry")
        if not kept or not self.restoreGeometry(QByteArray.fromBase64(kept.encode())):
            self.resize(*FIRST_PX)
        self._show_arrows()
