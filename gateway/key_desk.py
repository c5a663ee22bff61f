"""Keys from the command line: asked of the gateway that runs on the folder, else made in the store itself."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from app.errors import StoreError
from app.paths import Paths
from app.store.connect import open_writer, transaction
from app.store.governance import create_key, list_keys, revoke_key
from app.store.health import check
from app.store.migrations import migrate
from gateway.control import RunningGateway, find_running
from gateway.exits import Exit, StartError
from gateway.folder import FolderLock, prepare_folder
from gateway.keys import as_json, clean_name, find_key

_PATIENCE_S: Final = 5.0
"""So long a gateway may take from its lock to its `gateway.json`."""

Row = dict[str, Any]
"""A key as `gateway.keys.as_json` tells it."""


class KeyDesk(Protocol):
    """Who does it."""

    def create(self, name: str) -> tuple[Row, str]:
        """Return a new key and its text."""

    def listed(self) -> list[Row]:
        """Return every key."""

    def revoke(self, word: str) -> Row:
        """Close the key that `word` names and return it. Raises InputError."""


@contextmanager
def key_desk(paths: Paths) -> Iterator[KeyDesk]:
    """The desk of a data folder. Raises StartError or StoreError where the folder cannot be had."""
    deadline_s = time.monotonic() + _PATIENCE_S
    lock = FolderLock(paths)
    while True:
        running = find_running(paths)
        if running is not None:
            yield _AskedDesk(running)
            return
        prepare_folder(paths)
        try:
            lock.take()
            break
        except StartError as error:
            if error.exit_code is not Exit.HELD or time.monotonic() > deadline_s:
                raise
        time.sleep(0.05)
    try:
        yield _OwnDesk(paths.database)
    finally:
        lock.release()


class _AskedDesk:
    """Over the control API."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._gateway = gateway

    def create(self, name: str) -> tuple[Row, str]:
        """Return a new key and its text."""
        made: Row = self._gateway.post("keys", {"name": clean_name(name)})
        return made, str(made["key"])

    def listed(self) -> list[Row]:
        """Return every key."""
        keys: list[Row] = self._gateway.get("keys")["keys"]
        return keys

    def revoke(self, word: str) -> Row:
        """Close the key that `word` names and return it."""
        revoked: Row = self._gateway.post(f"keys/{find_key(self.listed(), word)['id']}/revoke")
        return revoked


class _OwnDesk:
    """In the store, whose lock we hold."""

    def __init__(self, database: Path) -> None:
        aside = check(database.parent)
        if aside is not None:
            raise StoreError(f"The database was damaged and is now {aside}.", hint="Say it again to begin a new one.")
        migrate(database)
        self._database = database

    def create(self, name: str) -> tuple[Row, str]:
        """Return a new key and its text."""
        with closing(open_writer(self._database)) as conn, transaction(conn):
            key, text = create_key(conn, clean_name(name), time.time_ns())
        return as_json(key), text

    def listed(self) -> list[Row]:
        """Return every key."""
        with closing(open_writer(self._database)) as conn:
            return [as_json(key) for key in list_keys(conn)]

    def revoke(self, word: str) -> Row:
        """Close the key that `word` names and return it."""
        key_id = find_key(self.listed(), word)["id"]
        with closing(open_writer(self._database)) as conn, transaction(conn):
            return as_json(revoke_key(conn, key_id, time.time_ns()))
