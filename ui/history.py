"""Where one has been: back and forward over places, as a browser has it."""

from dataclasses import dataclass
from typing import Final

DEPTH: Final = 100


@dataclass(slots=True)
class Stop:
    """A page and how it stood."""

    page_id: str
    state: dict[str, object]


class History:
    """A list of stops and where in it one is."""

    def __init__(self) -> None:
        self._stops: list[Stop] = []
        self._at = -1

    @property
    def here(self) -> Stop | None:
        """The present stop; None before the first."""
        return self._stops[self._at] if self._stops else None

    @property
    def can_go_back(self) -> bool:
        """Whether there is a stop before this one."""
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether one came back from somewhere."""
        return self._at < len(self._stops) - 1

    def push(self, stop: Stop) -> None:
        """Go on to a new stop; what was ahead is forgotten. The same place in the same state is no new stop."""
        if self.here == stop:
            return
        del self._stops[self._at + 1 :]
        self._stops.append(stop)
        del self._stops[:-DEPTH]
        self._at = len(self._stops) - 1

    def keep(self, state: dict[str, object]) -> None:
        """Note how the present page stands now, before it is left."""
        if self._stops:
            self._stops[self._at].state = state

    def back(self) -> Stop | None:
        """Go back one stop and return it; None at the beginning."""
        return self._step(-1) if self.can_go_back else None

    def forward(self) -> Stop | None:
        """Go forward one stop and return it; None at the end."""
        return self._step(1) if self.can_go_forward else None

    def _step(self, by: int) -> Stop:
        self._at += by
        return self._stops[self._at]
