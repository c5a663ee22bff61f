"""Which pages there are, in the order of the rail. A page's code is imported when it is first shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ui.desk import Desk
from ui.kit.page import Page


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail."""

    id: str
    title: str
    icon: str
    make: Callable[[Desk], Page]
    group: int = 0
    """Entries of another group stand apart."""
    letter: str = ""
    """`g` and then this letter goes there."""


def _home(desk: Desk) -> Page:
    from ui.home.page import HomePage

    return HomePage(desk)


def _traces(desk: Desk) -> Page:
    from ui.traces.page import TracesPage

    return TracesPage(desk)


def _sessions(desk: Desk) -> Page:
    from ui.sessions.page import SessionsPage

    return SessionsPage(desk)


def _gateway(desk: Desk) -> Page:
    from ui.gateway.page import GatewayPage

    return GatewayPage(desk)


PLACES: Final = (
    Place("home", "Home", "house", _home, letter="h"),
    Place("traces", "Traces", "list-tree", _traces, letter="t"),
    Place("sessions", "Sessions", "messages-square", _sessions, letter="s"),
    Place("gateway", "Gateway", "router", _gateway, group=1, letter="w"),
)
