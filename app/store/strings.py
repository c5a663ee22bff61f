"""Names, models, providers and sessions as small integers."""

import sqlite3
from typing import Final

from app.store.recent import Recent

_REMEMBERED: Final = 10_000


class Strings:
    """Interns text in table `str`. For the writer's thread."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._known: Recent[str, int] = Recent(_REMEMBERED)

    def id_of(self, text: str) -> int:
        """Return the row id of `text`, new or old."""
        known = self._known.get(text)
        if known is None:
            row = self._conn.execute("INSERT OR IGNORE INTO str (s) VALUES (?) RETURNING id", (text,)).fetchone()
            if row is None:
                row = self._conn.execute("SELECT id FROM str WHERE s = ?", (text,)).fetchone()
            known = int(row[0])
            self._known.put(text, known)
        return known

    def id_or_none(self, text: str | None) -> int | None:
        """Return the row id of `text`, None for None."""
        return None if text is None else self.id_of(text)

    def forget(self) -> None:
        """Drop what is remembered: after a transaction that was rolled back, or a clean-up of `str`."""
        self._known.clear()
