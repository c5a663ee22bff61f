"""Conversations of the Responses API that we keep ourselves, so that any model can go on with them.

https://platform.openai.com/docs/api-reference/conversations
"""

import os
import re
import time
from typing import Any, Final

import msgspec

from app.dialects.openai_responses_ids import conversation_id, is_own_conversation
from app.dialects.openai_responses_session import Item, input_items, listed_items, output_items
from app.dialects.wire import UNREADABLE, decode_any, fields, text_or_none
from app.errors import InputError, Refused
from app.models.stored_response import Conversation, ConversationPart
from app.store import responses as store
from gateway.responses.listing import page
from gateway.responses.turns import Turns

_PATH: Final = re.compile(r"/v1/conversations(?:/([^/?]+)(?:/(items)(?:/([^/?]+))?)?)?")
_UNIQUE_BYTES: Final = 16


def path_parts(path: str) -> tuple[str | None, bool, str | None] | None:
    """Return the conversation, whether its items are meant, and the item that a path names; None: it is no such."""
    match = _PATH.fullmatch(path.partition("?")[0])
    return (match.group(1), match.group(2) is not None, match.group(3)) if match else None


def is_ours(name: str | None) -> bool:
    """Whether we answer for a conversation: one that is to be made, or that we made."""
    return name is None or is_own_conversation(name)


async def history_of(turns: Turns, name: str, owner: str) -> list[Item] | None:
    """Return all items of a conversation, the oldest first; None where its owner has none of the name."""
    if not turns.has_store or await turns.ask(lambda conn: store.find_conversation(conn, name, owner)) is None:
        return None
    parts, gone = await turns.ask(lambda conn: store.conversation_parts(conn, name))
    return [item for part in parts for item in _items(part) if item.get("id") not in gone]


async def answer(turns: Turns, method: str, path: str, body: bytes, owner: str) -> Item:
    """Return what a request about conversations is answered. Raises InputError or Refused."""
    parts = path_parts(path)
    assert parts is not None
    name, is_items, item_id = parts
    if not turns.has_store:
        raise Refused("Conversations cannot be kept without a store.", rule="path")
    if name is None:
        if method != "POST":
            raise Refused(f"/v1/conversations takes POST, not {method}.", rule="method")
        return await _create(turns, _object(body), owner)
    found = await turns.ask(lambda conn: store.find_conversation(conn, name, owner))
    if found is None:
        raise Refused(f"Conversation with id {name!r} not found.", rule="path")
    if is_items:
        return await _answer_items(turns, method, path, body, found, item_id)
    if method == "DELETE":
        await turns.ask(lambda conn: store.delete_conversation(conn, name))
        return {"id": name, "object": "conversation.deleted", "deleted": True}
    if method == "POST":
        metadata = _metadata(_object(body))
        await turns.ask(lambda conn: store.describe_conversation(conn, name, metadata))
        found = msgspec.structs.replace(found, metadata=metadata)
    elif method != "GET":
        raise Refused(f"A conversation takes GET, POST or DELETE, not {method}.", rule="method")
    return _told(found)


async def _create(turns: Turns, asked: Item, owner: str) -> Item:
    unique = os.urandom(_UNIQUE_BYTES).hex()
    made = Conversation(conversation_id(unique), owner, int(time.time()), _metadata(asked))
    items = _stored(listed_items(asked.get("items"), unique))
    await turns.ask(lambda conn: store.create_conversation(conn, made, items))
    return _told(made)


async def _answer_items(
    turns: Turns, method: str, path: str, body: bytes, found: Conversation, item_id: str | None
) -> Item:
    if method == "POST" and item_id is None:
        added = listed_items(_object(body).get("items"), os.urandom(_UNIQUE_BYTES).hex())
        now_ns = time.time_ns()
        await turns.ask(lambda conn: store.add_items(conn, found.id, _stored(added), now_ns))
        return page(added, "order=asc&limit=100")
    items = await history_of(turns, found.id, found.owner) or []
    if item_id is None and method == "GET":
        return page(items, path.partition("?")[2])
    item = next((each for each in items if each.get("id") == item_id), None)
    if item_id is None or method not in ("GET", "DELETE"):
        raise Refused(f"{path.partition('?')[0]} does not take {method}.", rule="method")
    if item is None:
        raise Refused(f"Item with id {item_id!r} not found in conversation {found.id!r}.", rule="path")
    if method == "GET":
        return item
    await turns.ask(lambda conn: store.delete_item(conn, found.id, item_id))
    return _told(found)


def _items(part: ConversationPart) -> list[Item]:
    if part.turn is not None:
        return [*input_items(part.turn.request), *output_items(part.turn.response)]
    return [fields(decode_any(part.item))]


def _stored(items: list[Item]) -> list[tuple[str, bytes]]:
    return [(str(item.get("id")), msgspec.json.encode(item)) for item in items]


def _told(found: Conversation) -> Item:
    return {"id": found.id, "object": "conversation", "created_at": found.created_s, "metadata": found.metadata}


def _object(body: bytes) -> Item:
    try:
        given: Any = decode_any(body) if body.strip() else {}
    except UNREADABLE as error:
        raise InputError(f"The body is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InputError("The body is JSON, but not an object.")
    return given


def _metadata(asked: Item) -> dict[str, str]:
    return {name: text for name, value in fields(asked.get("metadata")).items() if (text := text_or_none(value))}
