"""A reading connection for each thread that asks, to whatever file is the database now."""

import sqlite3
import threading
from pathlib import Path

from app.errors import StoreError
from app.store.bodies import Bodies
from app.store.connect import open_reader
from app.store.migrations import SCHEMA

FileId = tuple[int, int]
"""Device and inode: another file may take the database's place."""


class Opened:
    """A connection and what belongs to it. For one thread at a time."""

    def __init__(self, conn: sqlite3.Connection, file: FileId) -> None:
        self.conn = conn
        self.file = file
        self.bodies = Bodies(conn)


class Connections:
    """The reading connections of one database. Any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[Opened] = []
        self._watch: Opened | None = None

    def own(self) -> Opened:
        """Return the calling thread's connection.

        Raises StoreError where the database is missing or of another schema.
        """
        found: Opened | None = getattr(self._local, "opened", None)
        file = self._file()
        if found is None or found.file != file:
            with self._lock:
                found = self._local.opened = self._connected(file)
        return found

    def data_version(self) -> int:
        """Return a number that is another one after every commit. Raises StoreError."""
        with self._lock:
            file = self._file()
            if self._watch is None or self._watch.file != file:
                self._watch = self._connected(file)
            return int(self._watch.conn.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close all of them; nobody may be reading."""
        with self._lock:
            while self._open:
                self._open.pop().conn.close()
            self._local = threading.local()
            self._watch = None

    def _file(self) -> FileId:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            hint = "Start the gateway: it makes one."
            raise StoreError(f"There is no database at {self._path}.", hint=hint) from None
        return stat.st_dev, stat.st_ino

    def _connected(self, file: FileId) -> Opened:
        conn = open_reader(self._path)
        try:
            self._check(int(conn.execute("PRAGMA user_version").fetchone()[0]))
        except (StoreError, sqlite3.Error):
            conn.close()
            raise
        opened = Opened(conn, file)
        self._open.append(opened)
        return opened

    def _check(self, schema: int) -> None:
        if schema == 0:
            raise StoreError(f"{self._path} has no tables yet.", hint="Start the gateway: it makes them.")
        if schema != SCHEMA:
            age, remedy = ("a newer", "Update Gatescope.")
            if schema < SCHEMA:
                age, remedy = ("an older", "Start the gateway: it brings the file up to date.")
            told = f"{self._path} is of {age} version (schema {schema}, this one reads {SCHEMA})."
            raise StoreError(told, hint=remedy)
