"""Reads bodies back, byte for byte."""

import sqlite3
from typing import Final

import msgspec

from app.errors import StoreError
from app.models.call import Edit
from app.store.compression import Unpacker
from app.store.references import decode_edit, decode_references
from app.store.schema import BODY_EDIT, BODY_INLINE, BODY_QUOTE, BODY_SPLIT
from app.store.split import assemble

_ITEMS_A_QUERY: Final = 500


class Bodies:
    """The bodies and items of one connection. For one thread."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self.unpack = Unpacker(conn).unpack

    def get(self, body_id: int) -> bytes:
        """Return a body as it was put. Raises StoreError where it is not there or not whole."""
        row = self._conn.execute("SELECT form, tpl, len, data FROM body WHERE id = ?", (body_id,)).fetchone()
        if row is None:
            raise StoreError(f"Body {body_id} is not in the store.", hint="Retention may have removed its call.")
        form, tpl, size_bytes, data = row
        if form == BODY_INLINE:
            body = self.unpack(tpl, data, size_bytes)
        elif form == BODY_SPLIT:
            body = self._assembled(tpl, data)
        elif form == BODY_EDIT:
            edit = decode_edit(data)
            plain = self.get(tpl)
            body = plain[: edit.start] + edit.text + plain[edit.end :]
        elif form == BODY_QUOTE:
            body = self._quoted(tpl, decode_edit(data))
        else:
            raise StoreError(f"Body {body_id} has the unknown form {form}.")
        if len(body) != size_bytes:
            raise StoreError(f"Body {body_id} has {len(body)} bytes instead of {size_bytes}.")
        return body

    def items(self, item_ids: list[int]) -> dict[int, bytes]:
        """Return the pieces with these ids; those that are not there are left out."""
        found: dict[int, bytes] = {}
        wanted = list(dict.fromkeys(item_ids))
        for at in range(0, len(wanted), _ITEMS_A_QUERY):
            some = wanted[at : at + _ITEMS_A_QUERY]
            marks = ",".join("?" * len(some))
            rows = self._conn.execute(f"SELECT id, enc, len, data FROM item WHERE id IN ({marks})", some)  # noqa: S608
            for item_id, packed_with, size_bytes, data in rows.fetchall():
                found[item_id] = self.unpack(packed_with, data, size_bytes)
        return found

    def pieces(self, body_id: int) -> list[int]:
        """Return the item ids of a split body's pieces in order; empty for any other."""
        row = self._conn.execute("SELECT form, tpl, data FROM body WHERE id = ?", (body_id,)).fetchone()
        if row is None or row[0] != BODY_SPLIT:
            return []
        template = self.items([row[1]]).get(row[1], b"")
        return decode_references(template, row[2])[1]

    def _quoted(self, item_id: int, place: Edit) -> bytes:
        piece = self._item(item_id)
        text: str = msgspec.json.decode(b'"' + piece[place.start : place.end] + b'"')
        return text.encode()

    def _item(self, item_id: int) -> bytes:
        piece = self.items([item_id]).get(item_id)
        if piece is None:
            raise StoreError(f"Item {item_id} is not in the store.")
        return piece

    def _assembled(self, template_id: int, data: bytes) -> bytes:
        template = self._item(template_id)
        counts, ids = decode_references(template, data)
        found = self.items(ids)
        missing = [item_id for item_id in ids if item_id not in found]
        if missing:
            raise StoreError(f"Item {missing[0]} is not in the store.")
        return assemble(template, counts, [found[item_id] for item_id in ids])
