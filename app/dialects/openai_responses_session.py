"""Conversations that the server remembers: what one request adds to them, and a request with all of it written out.

Pure: who keeps the items, and for how long, is another's business. Items are JSON objects as the API's list endpoints
return them (https://platform.openai.com/docs/api-reference/responses/input-items).
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from app.dialects.openai_responses_ids import is_own_conversation, is_own_response, minted
from app.dialects.sse import read_events
from app.dialects.wire import UNREADABLE, decode_any, entries, fields, json_text, text_or_none

Item = dict[str, Any]

_STREAM_STARTS: Final = (b"data:", b"event:", b":")
_OWNER_CHARS: Final = 32
_SESSION_FIELDS: Final = ("previous_response_id", "conversation")
_SAID: Final = {"assistant": "output_text"}
_STATUS_KINDS: Final = ("message", "function_call", "function_call_output", "custom_tool_call")


class Named(msgspec.Struct, frozen=True, gc=False):
    """What a request says of the conversation it belongs to."""

    previous_id: str | None = None
    conversation_id: str | None = None
    is_stored: bool = True
    """Its response may be named later."""

    @property
    def is_kept_here(self) -> bool:
        """Whether it goes on from something that no provider has."""
        previous, conversation = self.previous_id, self.conversation_id
        return (previous is not None and is_own_response(previous)) or (
            conversation is not None and is_own_conversation(conversation)
        )


class _Top(msgspec.Struct, gc=False):
    previous_response_id: Any = None
    conversation: Any = None
    store: Any = None


_decode_top = msgspec.json.Decoder(_Top).decode


def named_in(request_body: bytes) -> Named:
    """Return what a request says of its conversation; nothing where it cannot be read."""
    try:
        top = _decode_top(request_body)
    except UNREADABLE:
        return Named()
    conversation = top.conversation.get("id") if isinstance(top.conversation, dict) else top.conversation
    return Named(text_or_none(top.previous_response_id), text_or_none(conversation), top.store is not False)


def input_items(request_body: bytes) -> list[Item]:
    """Return the items that a request's own `input` stands for, each with an id; references stay references.

    The same body gives the same ids. Empty where there is no input or it cannot be read.
    """
    return listed_items(_request(request_body).get("input"), sha256(request_body).hexdigest()[:_OWNER_CHARS])


def listed_items(given: object, owner: str) -> list[Item]:
    """Return items (or a text) as the list endpoints have them; those without an id get one of the owner's."""
    return [_listed(item, owner, place) for place, item in enumerate(_items(given))]


def output_items(response_body: bytes) -> list[Item]:
    """Return the items that an answer put out, from a whole body or a recorded stream."""
    return entries(fields(response_of(response_body)).get("output"))


def response_id_of(body: bytes) -> str | None:
    """Return the id of an answer, from a whole body or a stream, also one that was cut."""
    return text_or_none(fields(response_of(body)).get("id"))


def response_of(body: bytes) -> Item | None:
    """Return the response that a whole body is, or the last one that a stream told; None where there is none."""
    if not body[:64].lstrip().startswith(_STREAM_STARTS):
        found = fields(_value(body))
        return found if "output" in found or found.get("object") == "response" else None
    told = (fields(_value(event.data)).get("response") for event in reversed(read_events(body)))
    return next((response for response in told if isinstance(response, dict)), None)


def referenced_ids(request_body: bytes) -> list[str]:
    """Return the ids of earlier items that a request's input names instead of repeating them."""
    items = _items(_request(request_body).get("input"))
    return [item_id for item in items if _is_reference(item) and (item_id := text_or_none(item.get("id")))]


def continued(request_body: bytes, history: Sequence[Item], referenced: Mapping[str, Item] | None = None) -> bytes:
    """Return a request with the earlier items put before its own input, and without the ids that stood for them.

    The instructions of earlier requests are not inherited, as the API has it. An item that the input refers to is put
    in its place, or left out where the history has it already; one that nobody knows stays a reference. The same
    arguments give the same bytes.
    """
    request = _request(request_body)
    earlier = {item_id for item in history if (item_id := text_or_none(item.get("id")))}
    own = list(_resolved(_items(request.get("input")), earlier, referenced or {}))
    shaped = {name: value for name, value in request.items() if name not in _SESSION_FIELDS}
    shaped["input"] = [*history, *own]
    return json_text(shaped).encode()


def _resolved(items: Iterable[Item], earlier: set[str], referenced: Mapping[str, Item]) -> Iterable[Item]:
    for item in items:
        item_id = item.get("id")
        if not _is_reference(item) or not isinstance(item_id, str):
            yield item
        elif item_id not in earlier:
            yield referenced.get(item_id, item)


def _items(given: object) -> list[Item]:
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}] if given else []
    return [given] if isinstance(given, dict) else entries(given)


def _listed(item: Item, owner: str, place: int) -> Item:
    """Return an item as the list endpoint has it: with id and type, a message's text as a list of parts."""
    if _is_reference(item):
        return item
    kind = text_or_none(item.get("type")) or "message"
    listed: Item = {"id": text_or_none(item.get("id")) or minted(kind, owner, place), "type": kind}
    listed |= {name: value for name, value in item.items() if name not in ("id", "type")}
    if kind in _STATUS_KINDS and listed.get("status") is None:
        listed["status"] = "completed"
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        part: Item = {"type": _SAID.get(str(item.get("role")), "input_text"), "text": content}
        listed["content"] = [part if part["type"] == "input_text" else {**part, "annotations": []}]
    return listed


def _is_reference(item: Item) -> bool:
    """A reference needs no type: `{"id": "msg_1"}` is one."""
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and set(item) == {"id"})


def _request(body: bytes) -> Item:
    return fields(_value(body))


def _value(body: bytes) -> Any:
    try:
        return decode_any(body)
    except UNREADABLE:
        return None
