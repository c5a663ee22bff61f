"""Connections to `traces.db`: one that writes, any number that read."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

_WRITER_PRAGMAS: Final = (
    "PRAGMA page_size = 8192",  # this and the next only take hold before the first table
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -16384",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = OFF",
    "PRAGMA busy_timeout = 5000",
)
_READER_PRAGMAS: Final = (
    "PRAGMA query_only = 1",
    "PRAGMA mmap_size = 1073741824",
    "PRAGMA cache_size = -32768",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA busy_timeout = 5000",
)


def open_writer(path: Path) -> sqlite3.Connection:
    """Return the read-write connection, the file made if missing. Transactions are the caller's: autocommit is on.

    It may be made in one thread and used in another, but by one thread at a time. There is one writer a data folder:
    the process that holds its lock.
    """
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    try:
        for pragma in _WRITER_PRAGMAS:
            conn.execute(pragma)
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write. One thread at a time may use it.

    Raises sqlite3.OperationalError if no file is there. Read in short blocks and fetch everything: an open cursor keeps
    the writer from trimming its log.
    """
    conn = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        cached_statements=512,
        check_same_thread=False,
    )
    try:
        for pragma in _READER_PRAGMAS:
            conn.execute(pragma)
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def reading_schema(path: Path, newest: int = sys.maxsize) -> int:
    """Return the schema number of the file at `path`: 0 where there is no file or an empty one.

    A number above `newest` is read off the header: SQLite, which may write a log's index, does not open such a file.
    Not for a process that has the file open: closing a file lets go of all locks its process holds on it (POSIX, see
    https://www.sqlite.org/howtocorrupt.html#posix_close_bug), and another process then removes the log in use.
    Raises sqlite3.DatabaseError where the file is no database.
    """
    if not path.exists() or not path.stat().st_size:
        return 0
    with path.open("rb") as file:
        header = file.read(64)
    in_header = int.from_bytes(header[60:64], "big")
    if header.startswith(b"SQLite format 3") and in_header > newest:
        return in_header
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as conn:
        return int(conn.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or take all of it back."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    finally:
        if conn.in_transaction:
            conn.execute("ROLLBACK")


def checkpoint(conn: sqlite3.Connection) -> None:
    """Empty the log into the database; as much of it as no reader still needs, without waiting for one."""
    conn.execute("PRAGMA busy_timeout = 0")
    try:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        conn.execute("PRAGMA busy_timeout = 5000")


def execute_script(conn: sqlite3.Connection, script: str) -> None:
    """Run the statements of `script` one by one inside the open transaction (`executescript` would commit it)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            conn.execute(statement)
            statement = ""
