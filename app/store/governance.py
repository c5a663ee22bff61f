"""Virtual keys: made, listed, revoked. The text of a key is returned once and never kept."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from app.errors import InputError
from app.models.governance import VirtualKey
from app.secrets import key_hint, key_sha256, new_virtual_key

_COLUMNS: Final = "id, name, sha256, hint, created_us, revoked_us, last_used_us"
_LIST: Final = f"SELECT {_COLUMNS} FROM vkey ORDER BY id"  # noqa: S608
_FIND: Final = f"SELECT {_COLUMNS} FROM vkey WHERE id = ?"  # noqa: S608


def create_key(conn: sqlite3.Connection, name: str, now_ns: int) -> tuple[VirtualKey, str]:
    """Return a new key and its text."""
    text = new_virtual_key()
    key_id = conn.execute(
        "INSERT INTO vkey (name, sha256, hint, created_us) VALUES (?, ?, ?, ?)",
        (name, key_sha256(text), key_hint(text), now_ns // 1000),
    ).lastrowid
    return _key(conn.execute(_FIND, (key_id,)).fetchone()), text


def list_keys(conn: sqlite3.Connection) -> list[VirtualKey]:
    """Return all keys, oldest first, revoked ones too."""
    return [_key(row) for row in conn.execute(_LIST).fetchall()]


def revoke_key(conn: sqlite3.Connection, key_id: int, now_ns: int) -> VirtualKey:
    """Revoke a key for ever and return it. One that is revoked already keeps its time.

    Raises InputError where there is none.
    """
    conn.execute("UPDATE vkey SET revoked_us = coalesce(revoked_us, ?) WHERE id = ?", (now_ns // 1000, key_id))
    row = conn.execute(_FIND, (key_id,)).fetchone()
    if row is None:
        raise InputError(f"There is no key with the id {key_id}.", hint="`gatescope key list` shows them.")
    return _key(row)


def touch_keys(conn: sqlite3.Connection, last_used_ns: Mapping[int, int]) -> None:
    """Note when keys (by id) were last used."""
    conn.executemany(
        "UPDATE vkey SET last_used_us = max(coalesce(last_used_us, 0), ?) WHERE id = ?",
        [(used_ns // 1000, key_id) for key_id, used_ns in last_used_ns.items()],
    )


def _key(row: tuple[int, str, bytes, str, int, int | None, int | None]) -> VirtualKey:
    key_id, name, sha256, hint, created_us, revoked_us, last_used_us = row
    return VirtualKey(
        id=key_id,
        name=name,
        sha256=sha256,
        hint=hint,
        created_ns=created_us * 1000,
        revoked_ns=None if revoked_us is None else revoked_us * 1000,
        last_used_ns=None if last_used_us is None else last_used_us * 1000,
    )
