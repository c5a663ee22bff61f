"""Responses and conversations that we keep for clients: found by their id, for the one they belong to.

A response's bytes are those of its call, so it is forgotten with it; a conversation is forgotten when nothing came into
it for as long as calls are kept.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.errors import StoreError
from app.models.stored_response import Conversation, ConversationPart, StoredResponse, StoredTurn
from app.store import rows
from app.store.bodies import Bodies
from app.store.payloads import Codec

MOST_TURNS: Final = 10_000
"""So far back a chain is followed."""
_TURN: Final = (
    "SELECT response.id, response.owner, response.previous, response.conversation, call.req, call.resp, call.ts_us"
    " FROM response JOIN call ON call.id = response.call"
)
_FORGOTTEN_A_SLICE: Final = 100


def row_of(stored: StoredResponse, call_id: int) -> rows.Row:
    """Return the row of a response whose call has this row id."""
    return (stored.id, call_id, stored.owner, stored.previous_id, stored.conversation_id)


def save(conn: sqlite3.Connection, found: Sequence[rows.Row]) -> None:
    """Write the rows of a batch."""
    rows.insert(conn, "INSERT OR REPLACE INTO response (id, call, owner, previous, conversation)", found)
    now = "(SELECT ts_us FROM call WHERE id = ?)"
    for _, call_id, _, _, conversation_id in found:
        if conversation_id is not None:
            conn.execute(
                f"UPDATE conversation SET used_us = max(used_us, {now}) WHERE id = ?",  # noqa: S608
                (call_id, conversation_id),
            )


def load_chain(conn: sqlite3.Connection, response_id: str, owner: str) -> list[StoredTurn]:
    """Return a response and all that it goes on from, the oldest first; empty where its owner has none of the id.

    Where an older one is gone the chain begins behind it.
    """
    bodies = Bodies(conn)
    turns: list[StoredTurn] = []
    wanted: str | None = response_id
    while wanted is not None and len(turns) < MOST_TURNS:
        row = conn.execute(f"{_TURN} WHERE response.id = ? AND response.owner = ?", (wanted, owner)).fetchone()
        if row is None:
            break
        turns.append(_turn(bodies, row))
        wanted = turns[-1].about.previous_id
    return turns[::-1]


def delete_response(conn: sqlite3.Connection, response_id: str, owner: str) -> bool:
    """Forget a response, not its call; False: its owner has none of the id."""
    gone = conn.execute("DELETE FROM response WHERE id = ? AND owner = ?", (response_id, owner))
    return gone.rowcount > 0


def create_conversation(conn: sqlite3.Connection, made: Conversation, items: Sequence[tuple[str, bytes]]) -> None:
    """Write a new conversation with its first items (id, JSON)."""
    created_us = made.created_s * 1_000_000
    conn.execute(
        "INSERT INTO conversation (id, owner, created_us, used_us, metadata) VALUES (?, ?, ?, ?, ?)",
        (made.id, made.owner, created_us, created_us, msgspec.json.encode(made.metadata).decode()),
    )
    add_items(conn, made.id, items, created_us * 1000)


def find_conversation(conn: sqlite3.Connection, conversation_id: str, owner: str) -> Conversation | None:
    """Return a conversation; None where its owner has none of the id."""
    row = conn.execute(
        "SELECT created_us, metadata FROM conversation WHERE id = ? AND owner = ?", (conversation_id, owner)
    ).fetchone()
    if row is None:
        return None
    return Conversation(conversation_id, owner, row[0] // 1_000_000, msgspec.json.decode(row[1]))


def describe_conversation(conn: sqlite3.Connection, conversation_id: str, metadata: dict[str, str]) -> None:
    """Replace a conversation's metadata."""
    text = msgspec.json.encode(metadata).decode()
    conn.execute("UPDATE conversation SET metadata = ? WHERE id = ?", (text, conversation_id))


def delete_conversation(conn: sqlite3.Connection, conversation_id: str) -> None:
    """Forget a conversation and the items that were put into it; its responses stay."""
    _drop(conn, [conversation_id])


def add_items(conn: sqlite3.Connection, conversation_id: str, items: Sequence[tuple[str, bytes]], now_ns: int) -> None:
    """Put items (id, JSON) behind all that a conversation has."""
    codec = Codec(conn)
    codec.begin(now_ns)
    listed = [
        (conversation_id, item_id, now_ns // 1000, place, codec.put(body))
        for place, (item_id, body) in enumerate(items)
    ]
    codec.flush()
    rows.insert(conn, "INSERT OR REPLACE INTO conversation_item (conversation, id, ts_us, place, body)", listed)
    conn.execute("UPDATE conversation SET used_us = max(used_us, ?) WHERE id = ?", (now_ns // 1000, conversation_id))


def delete_item(conn: sqlite3.Connection, conversation_id: str, item_id: str) -> None:
    """Take an item out of a conversation, whoever put it there."""
    bodies = _bodies_of(conn, "conversation = ? AND id = ?", (conversation_id, item_id))
    rows.where_in(conn, "DELETE FROM body WHERE id IN", (), bodies)
    conn.execute(
        "INSERT OR REPLACE INTO conversation_item (conversation, id, ts_us, place, body) VALUES (?, ?, 0, 0, NULL)",
        (conversation_id, item_id),
    )


def conversation_parts(conn: sqlite3.Connection, conversation_id: str) -> tuple[list[ConversationPart], set[str]]:
    """Return what came into a conversation, in order, and the ids of the items that were taken out."""
    bodies = Bodies(conn)
    found: list[tuple[int, int, ConversationPart]] = []
    gone: set[str] = set()
    for item_id, ts_us, place, body_id in conn.execute(
        "SELECT id, ts_us, place, body FROM conversation_item WHERE conversation = ?", (conversation_id,)
    ).fetchall():
        if body_id is None:
            gone.add(item_id)
        else:
            found.append((ts_us, place, ConversationPart(bodies.get(body_id))))
    for row in conn.execute(f"{_TURN} WHERE response.conversation = ?", (conversation_id,)).fetchall():
        found.append((row[6], 0, ConversationPart(turn=_turn(bodies, row))))
    found.sort(key=lambda part: part[:2])
    return [part for _, _, part in found], gone


def forget_conversations(conn: sqlite3.Connection, before_us: int) -> bool:
    """Forget a slice of the conversations that nothing came into since `before_us`; False: there is none."""
    found = conn.execute(
        "SELECT id FROM conversation WHERE used_us < ? LIMIT ?", (before_us, _FORGOTTEN_A_SLICE)
    ).fetchall()
    _drop(conn, [row[0] for row in found])
    return bool(found)


def _drop(conn: sqlite3.Connection, conversation_ids: Sequence[str]) -> None:
    for conversation_id in conversation_ids:
        bodies = _bodies_of(conn, "conversation = ?", (conversation_id,))
        rows.where_in(conn, "DELETE FROM body WHERE id IN", (), bodies)
        conn.execute("DELETE FROM conversation_item WHERE conversation = ?", (conversation_id,))
        conn.execute("DELETE FROM conversation WHERE id = ?", (conversation_id,))


def _bodies_of(conn: sqlite3.Connection, condition: str, values: rows.Row) -> list[int]:
    statement = f"SELECT body FROM conversation_item WHERE body IS NOT NULL AND {condition}"  # noqa: S608
    return [row[0] for row in conn.execute(statement, values).fetchall()]


def _turn(bodies: Bodies, row: tuple[Any, ...]) -> StoredTurn:
    response_id, owner, previous_id, conversation_id, request, response, _ = row
    if request is None or response is None:
        raise StoreError(f"The response {response_id} was not kept whole.")
    about = StoredResponse(response_id, owner, previous_id, conversation_id)
    return StoredTurn(about, bodies.get(request), bodies.get(response))
