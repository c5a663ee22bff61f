"""What the desktop remembers between runs: one small JSON file in the data folder.

Written whole, in place of the old one, a moment after the last change; a broken file is set aside, never an error.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer

SAVE_AFTER_MS: Final = 400
_log = logging.getLogger(__name__)


class Settings(QObject):
    """Values by dotted name: `theme.scheme`, `window.geometry`, `page.traces`. JSON values only."""

    def __init__(self, path: Path | None) -> None:
        """Read `path`; None keeps nothing (`--safe`)."""
        super().__init__()
        self._path = path
        self._values: dict[str, object] = _read(path) if path is not None else {}
        self._timer = QTimer(self, singleShot=True, interval=SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save)

    def text(self, name: str, default: str = "") -> str:
        """Return a text value; `default` where it is missing or of another kind."""
        value = self._values.get(name)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float) -> float:
        """Return a number; `default` where it is missing or of another kind."""
        value = self._values.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else default

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes or no; `default` where it is missing or of another kind."""
        value = self._values.get(name)
        return value if isinstance(value, bool) else default

    def table(self, name: str) -> dict[str, object]:
        """Return a copy of a table, empty where it is missing or of another kind."""
        value = self._values.get(name)
        return dict(value) if isinstance(value, dict) else {}

    def items(self, name: str) -> list[object]:
        """Return a copy of a list, empty where it is missing or of another kind."""
        value = self._values.get(name)
        return list(value) if isinstance(value, list) else []

    def has(self, name: str) -> bool:
        """Return whether a value was ever set."""
        return name in self._values

    def set(self, name: str, value: str | float | bool | Mapping[str, object] | list[object] | None) -> None:
        """Keep a value; None forgets it. The file follows within half a second."""
        if self._values.get(name) == value and (value is not None or name not in self._values):
            return
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        if self._path is not None:
            self._timer.start()

    def save(self) -> None:
        """Write now."""
        self._timer.stop()
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(self._values, indent=1, sort_keys=True), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            _log.warning("the desktop's settings could not be kept: %s", error)


def _read(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s is set aside, it cannot be read: %s", path.name, error)
        try:
            path.replace(path.with_suffix(".broken"))
        except OSError:
            pass
        return {}
    return value if isinstance(value, dict) else {}
