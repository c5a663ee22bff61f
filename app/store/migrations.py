"""The steps that bring a database file to the newest schema.

`PRAGMA user_version` says which schema a file has: 0 is a new file, step N leads from N to N + 1. Each step is one
transaction with its number, so a killed process leaves a whole schema behind. Only the process that holds the
writer's lock may call `migrate`.

sqlite-utils has `Migrations`, but its import takes 0.4 s of a first start that must be ready in 0.6 s, and its table
would say again what `user_version` says.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from app.errors import NewerDatabase
from app.store.connect import execute_script, open_writer, reading_schema, transaction
from app.store.schema import SCHEMA_1, SCHEMA_2

Step = Callable[[sqlite3.Connection], None]


def begin(conn: sqlite3.Connection) -> None:
    """Make the tables of schema 1."""
    execute_script(conn, SCHEMA_1)


def keep_responses(conn: sqlite3.Connection) -> None:
    """Make the tables for responses and conversations that clients may name."""
    execute_script(conn, SCHEMA_2)


STEPS: Final[tuple[Step, ...]] = (begin, keep_responses)
"""One short function a step; never edited once it has landed."""

SCHEMA: Final = len(STEPS)
"""The schema this program reads and writes."""


def migrate(path: Path) -> Path | None:
    """Bring the file at `path`, made if missing, to `SCHEMA`; return the copy made before an old one was changed.

    Raises SetupError where the file is of a newer schema; it is not touched then.
    """
    found = reading_schema(path, SCHEMA)
    if found == SCHEMA:
        return None
    refuse_newer(path, found)
    copy = _copied(path, found) if found else None
    with closing(open_writer(path)) as conn:
        for number in range(found, SCHEMA):
            with transaction(conn):
                STEPS[number](conn)
                conn.execute(f"PRAGMA user_version = {number + 1}")
    return copy


def refuse_newer(path: Path, found: int) -> None:
    """Raise SetupError if schema `found` is newer than ours."""
    if found > SCHEMA:
        raise NewerDatabase(
            f"{path} was written by a newer Gatescope (schema {found}, this one reads {SCHEMA}).",
            hint="Update Gatescope, or choose another data folder with --data. The file was not touched.",
        )


def _copied(path: Path, found: int) -> Path:
    copy = path.with_name(f"{path.name}.schema-{found}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
