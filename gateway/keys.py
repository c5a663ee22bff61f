"""Virtual keys as the running gateway keeps them: in the store, and in the table that requests are checked against."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from app.errors import InputError
from app.models.governance import VirtualKey
from app.secrets import KEY_PREFIX, key_hint, keyring_problem, read_keyring, write_keyring
from app.store.governance import create_key, list_keys, revoke_key, touch_keys
from app.store.writer import Writer
from gateway.governance.auth import KeyTable

FIRST_NAME: Final = "default"
_MOST_NAME_CHARS: Final = 100
_log = logging.getLogger(__name__)


class Keys:
    """Makes, lists and revokes keys. Event loop only."""

    def __init__(self, writer: Writer, table: KeyTable, on_change: Callable[[], None], data: Path) -> None:
        self._writer = writer
        self._table = table
        self._on_change = on_change
        self._first: str | None = None
        self._keyring_name = f"first-key-{hashlib.sha256(str(data.absolute()).encode()).hexdigest()[:12]}"

    async def load(self) -> None:
        """Fill the table, and make the first key where there has never been one."""
        keys = await asyncio.wrap_future(self._writer.run(list_keys))
        self._table.replace(keys)
        if not keys:
            _, self._first = await self.create(FIRST_NAME)

    async def listed(self) -> list[VirtualKey]:
        """Return every key, revoked ones too, with its last use."""
        await self.note_uses()
        return await asyncio.wrap_future(self._writer.run(list_keys))

    async def create(self, name: str) -> tuple[VirtualKey, str]:
        """Return a new key and its text, which is nowhere else. Raises InputError for a name that is none."""
        name = clean_name(name)
        made = await asyncio.wrap_future(self._writer.run(lambda conn: create_key(conn, name, time.time_ns())))
        await self._refresh()
        return made

    async def revoke(self, key_id: int) -> VirtualKey:
        """Close a key to every later call. Raises InputError where there is none of this id."""
        key = await asyncio.wrap_future(self._writer.run(lambda conn: revoke_key(conn, key_id, time.time_ns())))
        await self._refresh()
        return key

    async def note_uses(self) -> None:
        """Write down when keys were last used."""
        uses = self._table.take_uses()
        if uses:
            await asyncio.wrap_future(self._writer.run(lambda conn: touch_keys(conn, uses)))

    async def keep_first(self) -> None:
        """Put the first key into the keyring, so that the next run can show it; without one it stays in memory."""
        if self._first is not None and not await asyncio.to_thread(write_keyring, self._keyring_name, self._first):
            _log.info("The first key is kept in memory only: %s", await asyncio.to_thread(keyring_problem))

    async def first(self) -> tuple[str | None, str]:
        """Return the text of the first key and "", or None and why it cannot be shown."""
        text = self._first or await asyncio.to_thread(read_keyring, self._keyring_name)
        if text is None:
            why = await asyncio.to_thread(keyring_problem) or "The keyring does not have it."
            return None, f"The first key's text is not known any more. {why}"
        key = self._table.find(text)
        if key is None or not key.is_live:
            return None, "The first key was revoked."
        self._first = text
        return text, ""

    async def _refresh(self) -> None:
        self._table.replace(await asyncio.wrap_future(self._writer.run(list_keys)))
        self._on_change()


def clean_name(name: str) -> str:
    """Return a key's name without space around it. Raises InputError for one that nobody could read."""
    name = name.strip()
    if not name or len(name) > _MOST_NAME_CHARS or not name.isprintable():
        raise InputError("A key's name is one line of 1 to 100 characters.", hint="Name it after who will use it.")
    return name


def as_json(key: VirtualKey) -> dict[str, Any]:
    """Return what may be told of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "created_ns": key.created_ns,
        "revoked_ns": key.revoked_ns,
        "last_used_ns": key.last_used_ns,
    }


def find_key(keys: list[dict[str, Any]], word: str) -> dict[str, Any]:
    """Return the key that a person means: by id, hint, name or its whole text. Raises InputError."""
    hint = key_hint(word) if word.startswith(KEY_PREFIX) else word
    found = [key for key in keys if word == str(key["id"]) or key["hint"] == hint]
    found = found or [key for key in keys if key["name"] == word and key["revoked_ns"] is None]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(key["id"]) for key in found)
        raise InputError("Several keys are called that.", hint=f"Say which by its id: {ids}.")
    raise InputError("There is no such key.", hint="`gatescope key list` shows them all.")
