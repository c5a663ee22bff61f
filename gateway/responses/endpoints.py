"""The stage that answers for responses and conversations which we keep: get, list, cancel, delete.

Those that a provider keeps are the provider's to answer for. https://platform.openai.com/docs/api-reference/responses
"""

from typing import Final
from urllib.parse import parse_qs

import msgspec

from app.dialects.openai_responses_ids import is_own_response
from app.dialects.openai_responses_session import Item, response_of
from app.errors import InputError, Refused
from app.models.stored_response import StoredTurn
from gateway.exchange import Exchange, Reply
from gateway.governance.auth import owner_of
from gateway.responses import conversations
from gateway.responses.listing import page
from gateway.responses.sessions import Sessions, items_of
from gateway.responses.turns import Turns
from gateway.routes.table import operation_of

_JSON: Final = ((b"content-type", b"application/json"),)
_EVENTS: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache"))


class KeptResponses:
    """Answers what is asked of our own ids. Event loop only."""

    def __init__(self, turns: Turns, sessions: Sessions) -> None:
        self._turns = turns
        self._sessions = sessions

    async def admit(self, exchange: Exchange) -> None:
        """Answer where the path names something of ours. Raises Refused where its owner has none of the id."""
        route, caller = exchange.route, exchange.caller
        if route.provider is not None or caller is None or route.family != "openai":
            return
        owner = owner_of(exchange.request, caller)
        method, path = exchange.request.method, exchange.path
        if route.response_id is not None and is_own_response(route.response_id):
            exchange.reply = await self._about(method, path, route.response_id, owner)
        elif operation_of(path.partition("?")[0]) == "conversation":
            parts = conversations.path_parts(path)
            if parts is None or not conversations.is_ours(parts[0]) or (parts[0] is None and caller.kind == "own"):
                return
            told = await conversations.answer(self._turns, method, path, exchange.body, owner)
            exchange.reply = Reply(200, _JSON, msgspec.json.encode(told))

    async def _about(self, method: str, path: str, response_id: str, owner: str) -> Reply:
        bare, _, query = path.partition("?")
        turns = await self._turns.chain(response_id, owner)
        if self._sessions.is_running(response_id, owner):
            return self._about_running(method, bare, response_id)
        if not turns:
            raise Refused(f"Response with id {response_id!r} not found.", rule="path")
        if bare.endswith("/cancel"):
            raise InputError("Cannot cancel a response that has ended.")
        if method == "DELETE":
            await self._turns.delete(response_id, owner)
            return _json({"id": response_id, "object": "response", "deleted": True})
        if method != "GET":
            raise Refused(f"{bare} does not take {method}.", rule="method")
        if bare.endswith("/input_items"):
            whole = [item for turn in turns for item in items_of(turn)]
            said = len(response_of(turns[-1].response)["output"])  # type: ignore[index]
            return _json(page(whole[: len(whole) - said], query))
        return _told(turns[-1], query)

    def _about_running(self, method: str, path: str, response_id: str) -> Reply:
        if method == "POST" and path.endswith("/cancel"):
            self._sessions.cancel(response_id)
            return _json(_unfinished(response_id, "cancelled"))
        return _json(_unfinished(response_id, "in_progress"))


def _told(turn: StoredTurn, query: str) -> Reply:
    """Return a response as it was, or its stream, from the event that is asked for."""
    asked = parse_qs(query)
    if asked.get("stream", [""])[-1] != "true":
        return _json(response_of(turn.response) or {})
    if not turn.response.lstrip().startswith((b"data:", b"event:")):
        raise InputError("This response was not made as a stream.", hint="Ask for it without stream=true.")
    after = asked.get("starting_after", ["-1"])[-1]
    if not after.lstrip("-").isdecimal():
        raise InputError(f"starting_after must be a number, not {after!r}.")
    events = turn.response.split(b"\n\n")
    kept = [event for event in events if _number(event) is None or (_number(event) or 0) > int(after)]
    return Reply(200, _EVENTS, b"\n\n".join(kept))


def _number(event: bytes) -> int | None:
    _, found, data = event.partition(b"data:")
    try:
        number = msgspec.json.decode(data).get("sequence_number") if found else None
    except (msgspec.DecodeError, AttributeError):
        return None
    return number if isinstance(number, int) else None


def _unfinished(response_id: str, status: str) -> Item:
    return {"id": response_id, "object": "response", "status": status, "output": [], "error": None}


def _json(value: Item) -> Reply:
    return Reply(200, _JSON, msgspec.json.encode(value))
