"""The commands that work everywhere: moving about, the look, the gateway."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PySide6.QtCore import SignalInstance

from ui.commands import Command
from ui.desk import Desk
from ui.engine import Engine
from ui.pages import Place
from ui.theme import SCHEMES, Theme

_SCHEME_WORDS = {"system": "as the system", "dark": "dark", "light": "light", "contrast": "high contrast"}
_DENSITIES = ("compact", "normal", "relaxed")


class Frame(Protocol):
    """What these commands ask of a window."""

    quit_wanted: SignalInstance
    back: Callable[[], None]
    forward: Callable[[], None]
    toggle_rail: Callable[[], None]
    open_palette: Callable[[], None]
    open_shortcuts: Callable[[], None]
    close: Callable[[], bool]
    go: Callable[[str], None]


def window_commands(frame: Frame, desk: Desk, places: tuple[Place, ...]) -> list[Command]:
    """Return them all, for a window to register."""
    moves = [
        Command("go.back", "Back", frame.back, ("Alt+Left",), icon="arrow-left"),
        Command("go.forward", "Forward", frame.forward, ("Alt+Right",), icon="arrow-right"),
        Command("palette.open", "Command palette", frame.open_palette, ("Ctrl+K",), icon="command", is_listed=False),
        Command("shortcuts.open", "Keyboard shortcuts", frame.open_shortcuts, ("?",), icon="keyboard"),
        Command("rail.toggle", "Fold or unfold the rail", frame.toggle_rail, ("Ctrl+B",), icon="panel-left"),
        Command("live.toggle", "Live on or off", lambda: desk.set_live(not desk.is_live), ("L",), icon="radio"),
        Command("window.close", "Close the window", frame.close, ("Ctrl+W",), icon="x"),
        Command("app.quit", "Quit Gatescope", frame.quit_wanted.emit, ("Ctrl+Q",), icon="power"),
    ]
    return moves + _page_commands(frame, places) + _look_commands(desk) + _gateway_commands(desk)


def _page_commands(frame: Frame, places: tuple[Place, ...]) -> list[Command]:
    commands = []
    for number, place in enumerate(places, 1):
        keys = [f"Ctrl+{number}"] + ([f"G, {place.letter.upper()}"] if place.letter else [])
        go = partial(frame.go, place.id)
        commands.append(Command(f"go.{place.id}", f"Go to {place.title}", go, tuple(keys), is_listed=False))
    return commands


def _look_commands(desk: Desk) -> list[Command]:
    theme = desk.theme

    def keep(choose: Callable[[], None]) -> None:
        choose()
        desk.settings.set("theme.scheme", theme.scheme)
        desk.settings.set("theme.density", theme.density)
        desk.settings.set("theme.size_pt", theme.size_pt)

    def sized(change: Callable[[Theme], float]) -> Callable[[], None]:
        return lambda: keep(lambda: theme.set_size_pt(change(theme)))

    schemes = []
    for scheme in SCHEMES:
        choose = partial(keep, partial(theme.set_scheme, scheme))
        schemes.append(Command(f"theme.{scheme}", f"Theme: {_SCHEME_WORDS[scheme]}", choose, icon="contrast"))
    densities = [
        Command(f"rows.{name}", f"Rows: {name}", partial(keep, partial(theme.set_density, name)), icon="list")
        for name in _DENSITIES
    ]
    sizes = [
        Command("text.larger", "Larger text", sized(lambda t: t.size_pt + 1), ("Ctrl+=", "Ctrl++"), icon="plus"),
        Command("text.smaller", "Smaller text", sized(lambda t: t.size_pt - 1), ("Ctrl+-",), icon="chevron-down"),
        Command("text.normal", "Text of normal size", sized(lambda _: 10.0), ("Ctrl+0",), icon="circle-dot"),
    ]
    return schemes + densities + sizes


def _gateway_commands(desk: Desk) -> list[Command]:
    engine: Engine = desk.engine
    return [
        Command("gateway.copy_url", "Copy base URL", lambda: desk.copy(desk.base_url, "the base URL"), icon="copy"),
        Command("gateway.start", "Start the gateway", engine.start, icon="play"),
        Command("gateway.stop", "Stop the gateway", engine.stop, icon="square"),
        Command("gateway.restart", "Restart the gateway", engine.restart, icon="rotate-cw"),
    ]
