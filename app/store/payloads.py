"""Writes bodies: each as small as what is new in it.

A conversation sends its whole history again each turn. `Codec` remembers the newest request of each thread: where the
next one only adds messages to it, finding that out is two comparisons of bytes, and only the new messages are parsed,
hashed and compressed. Otherwise a body is cut (`split`), put together again and compared, and its pieces are looked up
by hash. What cannot be cut is kept whole. Nothing reaches the database before `flush`.
"""

import sqlite3
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import msgspec

from app.models.call import Edit
from app.same import Same
from app.store import rows
from app.store.bodies import Bodies
from app.store.compression import Packer
from app.store.recent import Recent
from app.store.references import encode_counts, encode_edit, encode_ids
from app.store.schema import BODY_EDIT, BODY_INLINE, BODY_QUOTE, BODY_SPLIT
from app.store.split import Listing, Split, assemble, elements_of, found_at, split
from app.store.strings import Strings

NS_A_DAY: Final = 86_400_000_000_000
_MESSAGE_LISTS: Final = frozenset({"messages", "input", "contents"})
_INSTRUCTIONS: Final = frozenset(
    {"system", "instructions", "systemInstruction", "system_instruction", "prompt", "input"}
)
_ANSWER_FIELDS: Final = frozenset({"tools", "instructions"})
"""What some answers repeat of their request; everything else in an answer is new."""
_REMEMBERED_ITEMS: Final = 30_000
_REMEMBERED_BYTES: Final = 6_000_000
_LASTS_A_THREAD: Final = 2
"""A thread may send its history in two ways in turn: streamed and not, with one set of tools and another."""
_MIN_QUOTE_BYTES: Final = 100
_CLOSERS: Final = b'"}]'


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored request."""

    body_id: int
    messages: tuple[int, ...] = ()
    """Item ids of its conversation elements, in order; empty for one that was kept whole."""
    instructions: tuple[int, ...] = ()
    """Item ids of what stands before the conversation in a field of its own."""


@dataclass(frozen=True, slots=True)
class _Last:
    """The newest body of a thread, cut: everything up to its longest list's last element, and everything behind."""

    day: int
    prefix: bytes
    tail: bytes
    template_id: int
    listing: Listing
    """The list, as it was when the body was cut; its `count` is out of date."""
    bounds: list[tuple[int, int]]
    """Of the list's elements, in `prefix`."""
    ids: list[int]
    """Of the pieces up to the list's last element."""
    ids_behind: list[int]
    counts: tuple[list[int], list[int]]
    """Lengths of the other lists, before and behind."""
    references: bytes
    """`ids`, encoded."""
    instructions: tuple[int, ...]


class Codec:
    """Puts bodies into one database. For the writer's thread, inside its transactions."""

    def __init__(self, conn: sqlite3.Connection, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._conn = conn
        self._clock_ns = clock_ns
        self.strings = Strings(conn)
        self.pack = Packer(conn).pack
        self._bodies = Bodies(conn)
        self.unpack = self._bodies.unpack
        self._known: Recent[bytes, tuple[int, int]] = Recent(_REMEMBERED_ITEMS)
        self._threads: Recent[Hashable, tuple[_Last, ...]] = Recent(_REMEMBERED_BYTES)
        self._same: Same[tuple[int, int, bytes, Kept]] = Same()
        self._day = 0
        self._next_item = self._next_body = 0
        self._new_items: list[rows.Row] = []
        self._new_bodies: list[tuple[int, int, int, int, bytes]] = []
        self._touched: list[int] = []
        self._dropped: list[int] = []
        self._new_whole: dict[int, bytes] = {}
        self._entered: list[tuple[int, bytes]] = []

    def begin(self, newest_ns: int = 0) -> None:
        """Begin a batch. Its items count as used today, or on the day of `newest_ns` where a clock stepped back."""
        self._day = max(self._clock_ns(), newest_ns) // NS_A_DAY
        last = dict(
            self._conn.execute("SELECT name, seq FROM sqlite_sequence WHERE name IN ('item', 'body')").fetchall()
        )
        self._next_item, self._next_body = last.get("item", 0) + 1, last.get("body", 0) + 1

    def flush(self) -> None:
        """Write what was put since `begin`."""
        rows.insert(self._conn, "INSERT INTO item (id, hash, enc, len, epoch, data)", self._new_items)
        rows.insert(self._conn, "INSERT INTO body (id, form, tpl, len, data)", self._new_bodies)
        rows.where_in(self._conn, "UPDATE item SET epoch = ? WHERE id IN", (self._day,), self._touched)
        rows.where_in(self._conn, "DELETE FROM body WHERE id IN", (), self._dropped)
        self._drop_new()

    def forget(self) -> None:
        """Drop what is remembered: after a transaction that was rolled back, or a purge of items."""
        self._known.clear()
        self._threads.clear()
        self._same.clear()
        self.strings.forget()
        self._drop_new()

    def get(self, body_id: int) -> bytes:
        """Return a body that was flushed."""
        return self._bodies.get(body_id)

    def replace(self, before_id: int, body: bytes) -> int:
        """Return the id of `body`, which takes the place of a body that nothing else points at."""
        before = self._new_whole.get(before_id)
        if before is None:
            before = self._bodies.get(before_id)
        if before == body:
            return before_id
        self._dropped.append(before_id)
        return self.put_text(body)

    def put(self, body: bytes) -> int:
        """Keep a body whole and return its id."""
        packed_with, data = self.pack(body)
        body_id = self._add_body(BODY_INLINE, packed_with, len(body), data)
        self._new_whole[body_id] = body
        return body_id

    def put_text(self, body: bytes) -> int:
        """Keep a text; one that the request put last quotes as a JSON string costs only where it stands."""
        if len(body) >= _MIN_QUOTE_BYTES:
            try:
                needle = msgspec.json.encode(body.decode())[1:-1]
            except UnicodeDecodeError:
                return self.put(body)
            for item_id, piece in self._entered:
                start = found_at(piece, needle)
                if start >= 0:
                    place = encode_edit(Edit(start, start + len(needle), b""))
                    body_id = self._add_body(BODY_QUOTE, item_id, len(body), place)
                    self._new_whole[body_id] = body
                    return body_id
        return self.put(body)

    def put_answer(self, body: bytes) -> int:
        """Keep an answer: what it repeats of its request is kept once."""
        cut = split(body, _ANSWER_FIELDS) if body[:1] == b"{" else None
        return self.put(body) if cut is None else self._put_cut(body, cut, None, None).body_id

    def put_request(self, body: bytes, thread: Hashable = None) -> Kept:
        """Keep a request. `thread` names the conversation it belongs to, for a good guess at what it repeats."""
        self._entered = []
        again = self._put_again(body)
        if again is not None:
            return again
        kept = self._put_other(body, thread)
        if kept.messages:
            _, _, template_id, _, data = self._new_bodies[-1]
            self._same.put(body, (self._day, template_id, data, kept))
        return kept

    def _put_again(self, body: bytes) -> Kept | None:
        """Keep a body that was kept before, by the same references; None where it was not, or not today."""
        known = self._same.get(body)
        if known is None or known[0] != self._day:
            return None
        _, template_id, data, kept = known
        return replace(kept, body_id=self._add_body(BODY_SPLIT, template_id, len(body), data))

    def _put_other(self, body: bytes, thread: Hashable) -> Kept:
        lasts = self._threads.get(thread) or ()
        for last in lasts:
            kept = self._put_extended(body, last, thread)
            if kept is not None:
                return kept
        cut = split(body)
        if cut is None:
            return Kept(self.put(body))
        return self._put_cut(body, cut, thread, lasts[0] if lasts else None)

    def put_edit(self, base_id: int, base: bytes, edit: Edit) -> int:
        """Keep a body that is `base` but for one edit."""
        size_bytes = len(base) - (edit.end - edit.start) + len(edit.text)
        return self._add_body(BODY_EDIT, base_id, size_bytes, encode_edit(edit))

    def _put_extended(self, body: bytes, last: _Last, thread: Hashable) -> Kept | None:
        """Keep a body that is `last` with more elements in its list; None where it is not."""
        end = len(body) - len(last.tail)
        if last.day != self._day or end < len(last.prefix):
            return None
        if not (body.startswith(last.prefix) and body.endswith(last.tail)):
            return None
        elements = elements_of(body[len(last.prefix) : end], last.listing.separator)
        if elements is None or (elements and elements[-1][-1] not in _CLOSERS):
            return None
        added = [self._item(element) for element in elements]
        bounds = last.bounds.copy()
        at = len(last.prefix)
        for element in elements:
            at += len(last.listing.separator)
            bounds.append((at, at + len(element)))
            at += len(element)
        now = _Last(
            day=last.day,
            prefix=body[:end] if added else last.prefix,
            tail=last.tail,
            template_id=last.template_id,
            listing=last.listing,
            bounds=bounds,
            ids=last.ids + added,
            ids_behind=last.ids_behind,
            counts=last.counts,
            references=last.references + encode_ids(added, last.ids[-1]),
            instructions=last.instructions,
        )
        return self._keep(body, now, thread, last)

    def _put_cut(self, body: bytes, cut: Split, thread: Hashable, last: _Last | None) -> Kept:
        pieces = [body[start:end] for start, end in cut.bounds]
        counts = [listing.count for listing in cut.listings]
        if assemble(cut.template, counts, pieces) != body:
            return Kept(self.put(body))
        template_id = self._item(cut.template)
        listing = _conversation(cut)
        if listing is None or pieces[listing.end - 1][-1] not in _CLOSERS:
            ids = [self._item(piece) for piece in pieces]
            data = encode_counts(counts) + encode_ids(ids, 0)
            return Kept(self._add_body(BODY_SPLIT, template_id, len(body), data), (), _instructions(cut, ids))
        ids = self._ids(pieces, cut, listing, last)
        end = cut.bounds[listing.end - 1][1]
        now = _Last(
            day=self._day,
            prefix=body[:end],
            tail=body[end:],
            template_id=template_id,
            listing=listing,
            bounds=cut.bounds[listing.first : listing.end],
            ids=ids[: listing.end],
            ids_behind=ids[listing.end :],
            counts=(counts[: (which := cut.listings.index(listing))], counts[which + 1 :]),
            references=encode_ids(ids[: listing.end], 0),
            instructions=_instructions(cut, ids),
        )
        return self._keep(body, now, thread, None)

    def _keep(self, body: bytes, now: _Last, thread: Hashable, instead_of: _Last | None) -> Kept:
        if thread is not None:
            others = [last for last in self._threads.get(thread) or () if last is not instead_of]
            lasts = (now, *others[: _LASTS_A_THREAD - 1])
            self._threads.put(thread, lasts, sum(len(last.prefix) + 100 * len(last.ids) for last in lasts))
        messages = now.ids[now.listing.first :]
        counts = [*now.counts[0], len(messages), *now.counts[1]]
        data = encode_counts(counts) + now.references + encode_ids(now.ids_behind, now.ids[-1])
        body_id = self._add_body(BODY_SPLIT, now.template_id, len(body), data)
        is_conversation = now.listing.key in _MESSAGE_LISTS
        return Kept(body_id, tuple(messages) if is_conversation else (), now.instructions)

    def _ids(self, pieces: list[bytes], cut: Split, listing: Listing, last: _Last | None) -> list[int]:
        """The item ids of `pieces`; those that stand in the list where they stood in `last` need no hash."""
        ids = []
        old = last.bounds if last is not None and last.day == self._day else []
        for index, piece in enumerate(pieces):
            place = index - listing.first
            if last is not None and 0 <= place < len(old) and index < listing.end:
                start, end = old[place]
                if end - start == len(piece) and last.prefix.startswith(piece, start):
                    ids.append(last.ids[last.listing.first + place])
                    continue
            ids.append(self._item(piece))
        return ids

    def _item(self, piece: bytes) -> int:
        """The id of a piece, kept now if it never was."""
        item_id = self._known_item(piece)
        self._entered.append((item_id, piece))
        return item_id

    def _known_item(self, piece: bytes) -> int:
        digest = sha256(piece).digest()[:16]
        known = self._known.get(digest)
        if known is None:
            row = self._conn.execute("SELECT id, epoch FROM item WHERE hash = ?", (digest,)).fetchone()
            if row is None:
                return self._add_item(digest, piece)
            known = (int(row[0]), int(row[1]))
        item_id, day = known
        if day < self._day:
            self._touched.append(item_id)
        self._known.put(digest, (item_id, max(day, self._day)))
        return item_id

    def _add_item(self, digest: bytes, piece: bytes) -> int:
        item_id = self._next_item
        self._next_item += 1
        packed_with, data = self.pack(piece)
        self._new_items.append((item_id, digest, packed_with, len(piece), self._day, data))
        self._known.put(digest, (item_id, self._day))
        return item_id

    def _add_body(self, form: int, tpl: int, size_bytes: int, data: bytes) -> int:
        body_id = self._next_body
        self._next_body += 1
        self._new_bodies.append((body_id, form, tpl, size_bytes, data))
        return body_id

    def _drop_new(self) -> None:
        self._new_whole, self._entered = {}, []
        self._new_items, self._new_bodies, self._touched, self._dropped = [], [], [], []


def _conversation(cut: Split) -> Listing | None:
    """The list that grows from turn to turn: the messages, else the longest."""
    for listing in cut.listings:
        if listing.key in _MESSAGE_LISTS:
            return listing
    return max(cut.listings, key=lambda one: cut.bounds[one.end - 1][1] - cut.bounds[one.first][0], default=None)


def _instructions(cut: Split, ids: list[int]) -> tuple[int, ...]:
    """The items that stand before the conversation in fields of their own."""
    found = [ids[index] for key, index in cut.singles.items() if key in _INSTRUCTIONS]
    for listing in cut.listings:
        if listing.key in _INSTRUCTIONS - _MESSAGE_LISTS:
            found += ids[listing.first : listing.end]
    return tuple(found)
