"""The stage that writes out a conversation which a request of the Responses API only names.

A provider that keeps responses itself is asked as it came; every other gets the whole conversation. What came of it is
remembered before the client has the last byte, so that its next request may name it.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from app.dialects.openai_responses_ids import response_of_item
from app.dialects.openai_responses_session import (
    Item,
    Named,
    continued,
    input_items,
    named_in,
    output_items,
    referenced_ids,
)
from app.errors import InputError
from app.models.span import Failure
from app.models.stored_response import StoredResponse, StoredTurn
from gateway.exchange import Exchange
from gateway.governance.auth import owner_of
from gateway.responses.conversations import history_of
from gateway.responses.turns import Turns
from gateway.routing.planner import response_id_in

_OPERATIONS: Final = ("chat", "count_tokens")
_GIVE_ALL: Final = "Send the whole conversation as input, or ask the provider that keeps it."


@dataclass(frozen=True, slots=True)
class _Running:
    """A response that is being made."""

    owner: str
    exchange: Exchange
    task: "asyncio.Task[Any]"


class Sessions:
    """Knows what a request goes on from, and remembers what it led to. Event loop only."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._running: dict[str, _Running] = {}

    async def admit(self, exchange: Exchange) -> None:
        """Set the exchange's whole request where it is translated. Raises InputError for what is not kept here."""
        route, plan = exchange.route, exchange.plan
        if route.dialect != "openai_responses" or route.operation not in _OPERATIONS:
            return
        if plan is None or not plan.dialect or exchange.caller is None:
            return
        owner = owner_of(exchange.request, exchange.caller)
        if route.operation == "chat" and (task := asyncio.current_task()) is not None:
            self._running[_response_id(exchange)] = _Running(owner, exchange, task)
        named = named_in(exchange.body)
        history = await self._history(named, owner)
        known = {item_id: item for item in history if isinstance(item_id := item.get("id"), str)}
        referenced = await self._referenced(exchange.body, known, owner)
        if named.previous_id or named.conversation_id or referenced:
            exchange.continued = continued(exchange.body, history, referenced)

    async def settle(self, exchange: Exchange) -> None:
        """Forget that a response is being made."""
        if self._running:
            self._running.pop(_response_id(exchange), None)

    def note(self, exchange: Exchange) -> None:
        """Remember the response that a call made, right before its client has it whole."""
        route, caller = exchange.route, exchange.caller
        if route.dialect != "openai_responses" or route.operation != "chat" or caller is None:
            return
        if exchange.failure is not None or exchange.answer.status != 200 or exchange.stored is not None:
            return
        named = named_in(exchange.body)
        response_id = response_id_in(exchange.pieces) if named.is_stored and exchange.pieces else None
        if response_id is None:
            return
        owner = owner_of(exchange.request, caller)
        exchange.stored = StoredResponse(response_id, owner, named.previous_id, named.conversation_id)
        self._turns.note(StoredTurn(exchange.stored, exchange.body, b"".join(exchange.pieces)))

    def is_running(self, response_id: str, owner: str) -> bool:
        """Whether a response of this owner is being made."""
        running = self._running.get(response_id)
        return running is not None and running.owner == owner

    def cancel(self, response_id: str) -> None:
        """Stop making a response; its client's answer is cut."""
        running = self._running.pop(response_id)
        running.exchange.failure = Failure("aborted", "The client cancelled the response.")
        running.task.cancel()

    async def _history(self, named: Named, owner: str) -> list[Item]:
        if named.previous_id is not None and named.conversation_id is not None:
            raise InputError("A request names either previous_response_id or conversation, not both.")
        if named.previous_id is not None:
            turns = await self._turns.chain(named.previous_id, owner)
            if not turns or turns[0].about.previous_id is not None:
                raise _gone(named.previous_id, turns)
            conversation = next((turn.about.conversation_id for turn in turns if turn.about.conversation_id), None)
            if conversation is None:
                return [item for turn in turns for item in items_of(turn)]
            return await self._until(conversation, turns, owner)
        if named.conversation_id is not None:
            history = await history_of(self._turns, named.conversation_id, owner)
            if history is None:
                raise InputError(f"There is no conversation {named.conversation_id!r} here.", hint=_GIVE_ALL)
            return history
        return []

    async def _until(self, conversation: str, turns: list[StoredTurn], owner: str) -> list[Item]:
        """Return what a conversation held when it had come to the first of these turns, then all that they said."""
        own = [item for turn in turns for item in items_of(turn)]
        before = await history_of(self._turns, conversation, owner) or []
        first = own[0].get("id") if own else None
        place = next((at for at, item in enumerate(before) if item.get("id") == first), 0)
        return before[:place] + own

    async def _referenced(self, body: bytes, known: dict[str, Item], owner: str) -> dict[str, Item]:
        """Return the items that a request refers to and its history has not."""
        found: dict[str, Item] = {}
        for item_id in referenced_ids(body):
            if item_id in known or item_id in found:
                found.setdefault(item_id, known.get(item_id, {}))
                continue
            response_id = response_of_item(item_id)
            turns = await self._turns.chain(response_id, owner) if response_id is not None else []
            items = output_items(turns[-1].response) if turns else []
            found |= {name: item for item in items if isinstance(name := item.get("id"), str)}
            if item_id not in found:
                raise InputError(f"The item {item_id!r} that the input refers to is not kept here.", hint=_GIVE_ALL)
        return found


def items_of(turn: StoredTurn) -> list[Item]:
    """Return what one turn put into its conversation."""
    return [*input_items(turn.request), *output_items(turn.response)]


def _response_id(exchange: Exchange) -> str:
    return f"resp_{exchange.request_id.removeprefix('req_')}"


def _gone(response_id: str, turns: list[StoredTurn]) -> InputError:
    if turns:
        older = turns[0].about.previous_id
        return InputError(f"Response {response_id!r} goes on from {older!r}, which is not kept here.", hint=_GIVE_ALL)
    return InputError(
        f"Previous response with id {response_id!r} not found: it was deleted, is another key's, or was not stored.",
        hint=_GIVE_ALL,
    )
