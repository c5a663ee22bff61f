"""Whether a data folder can be written to, and what to do where it cannot."""

import errno
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from app.errors import AppError, DiskFull, SetupError, StoreError
from app.paths import Paths
from app.store.connect import reading_schema
from app.store.migrations import SCHEMA, refuse_newer

_ENVIRONMENT: Final = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB,
}  # fmt: skip
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PROBE_BYTES: Final = 1_000_000
_READ_WHOLE_BYTES: Final = 32_000_000


def check(data_dir: Path) -> Path | None:
    """Make sure that `data_dir` can be used, making it if missing. The caller holds its lock.

    Returns None, or the new name of a corrupt database that was set aside with its log: a new one will be begun.
    Raises SetupError for a folder that cannot be written, a full disk, or a database of a newer version, which is not
    touched.
    """
    database = Paths(data_dir).database
    _probe(data_dir)
    try:
        refuse_newer(database, reading_schema(database, SCHEMA))
        is_damaged = _is_damaged(database)
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise as_store_error(error, data_dir) from error
        is_damaged = True
    return _set_aside(database) if is_damaged else None


def look(data_dir: Path) -> int:
    """Return the schema of the folder's database, 0 without one, and touch nothing.

    Raises NewerDatabase, or StoreError where the file cannot be read.
    """
    database = Paths(data_dir).database
    try:
        found = reading_schema(database, SCHEMA)
    except sqlite3.DatabaseError as error:
        raise as_store_error(error, data_dir) from error
    refuse_newer(database, found)
    return found


def note_damage(error: BaseException, data_dir: Path) -> None:
    """Have the next `check` read the whole database, if `error` says that it is corrupt."""
    if _code(error) in _DAMAGED:
        with suppress(OSError):
            _mark_of(Paths(data_dir).database).touch()


def is_environment(error: BaseException) -> bool:
    """Whether it is the disk's or the file's fault, so that the same writing may succeed later."""
    return isinstance(error, OSError) or _code(error) in _ENVIRONMENT


def as_store_error(error: BaseException, where: Path) -> AppError:
    """Return what to tell a person about an error of the disk or of SQLite."""
    code = _code(error)
    number = error.errno if isinstance(error, OSError) else None
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"The disk of {where} is full.", hint="Make room, or choose another folder with --data.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM) or number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SetupError(f"{where} cannot be written to.", hint="Make it writable, or choose another with --data.")
    if code in _DAMAGED:
        return StoreError(f"The database in {where} is damaged: {error}.", hint="Restart to set it aside.")
    if isinstance(error, OSError):
        return SetupError(f"{where} cannot be used: {error.strerror or error}.", hint="Choose another with --data.")
    return StoreError(f"The database in {where} cannot be used: {error}.")


def _probe(data_dir: Path) -> None:
    """Write something, truly: permissions, quotas and full disks all show here."""
    path = data_dir / f".probe-{os.getpid()}"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(bytes(_PROBE_BYTES))
        finally:
            path.unlink(missing_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SetupError(f"{data_dir} is not a folder.", hint="Choose another with --data.") from error
    except OSError as error:
        raise as_store_error(error, data_dir) from error


def _is_damaged(database: Path) -> bool:
    """Whether the file is corrupt, as far as a look of a few milliseconds tells; a suspected one is read whole."""
    if not database.exists() or not database.stat().st_size:
        return False
    mark = _mark_of(database)
    with closing(sqlite3.connect(database)) as conn:
        if mark.exists() or database.stat().st_size <= _READ_WHOLE_BYTES:
            said: str = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
            mark.unlink(missing_ok=True)
            return said != "ok"
        tables = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            conn.execute(f'SELECT * FROM "{table}" LIMIT 1').fetchall()  # noqa: S608
        return False


def _mark_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.suspect")


def _set_aside(database: Path) -> Path:
    name = f"{database.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}"
    taken = sum(one.name.startswith(name) for one in database.parent.iterdir())
    aside = database.with_name(f"{name}-{taken}" if taken else name)
    for suffix in ("-wal", "-shm", ""):
        source = database.with_name(database.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
    return aside


def _code(error: BaseException) -> int | None:
    """SQLite's primary error code."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
