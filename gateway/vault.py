"""Proofs of thoughts for clients whose dialect has no place for them: kept by the calls they led to, in memory.

A provider wants the proof back with the results of the calls; a client of OpenAI's chat has sent back calls and nothing
else. After a restart the thought is left out, as it is with any gateway that keeps none.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.models.chat import Reply
from app.models.message import Message, Part, Reasoning, ToolCall
from gateway.exchange import Exchange
from gateway.governance.auth import owner_of

_CLIENTS: Final = ("openai_chat",)
"""Dialects whose SDKs do not send a proof back."""
_MOST_CALLS: Final = 8192
_MOST_CHARS: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Kept:
    """What stood before one call, and its own proof."""

    thoughts: tuple[Reasoning, ...]
    signature: str | None
    origin: str
    size: int


class Vault:
    """Any thread may read, the event loop writes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._size = 0

    def note(self, exchange: Exchange, reply: Reply) -> None:
        """Keep the proofs of an answer that the client is about to have."""
        caller = exchange.caller
        if exchange.route.dialect not in _CLIENTS or caller is None:
            return
        owner, origin = owner_of(exchange.request, caller), reply.dialect or exchange.upstream_dialect
        for choice in reply.choices:
            calls = _calls(choice.message.parts)
            thoughts = tuple(
                msgspec.structs.replace(part, origin=part.origin or origin)
                for part in choice.message.parts
                if isinstance(part, Reasoning) and part.signature
            )
            for place, call in enumerate(calls):
                before = thoughts if place == 0 else ()
                if call.id and (before or call.signature):
                    self._keep((owner, call.id), before, call, origin)

    def restored(self, exchange: Exchange, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return a conversation with the proofs that its client could not send."""
        caller = exchange.caller
        if exchange.route.dialect not in _CLIENTS or caller is None or not self._kept:
            return tuple(messages)
        owner = owner_of(exchange.request, caller)
        return tuple(self._message(message, owner) for message in messages)

    def _message(self, message: Message, owner: str) -> Message:
        calls = _calls(message.parts)
        if message.role != "assistant" or not calls or _has_proof(message.parts):
            return message
        kept = {call.id: found for call in calls if (found := self._kept.get((owner, call.id or ""))) is not None}
        if not kept:
            return message
        thoughts = [thought for found in kept.values() for thought in found.thoughts]
        parts: list[Part] = [*thoughts]
        for part in message.parts:
            if isinstance(part, ToolCall) and (found := kept.get(part.id)) is not None and found.signature:
                part = msgspec.structs.replace(part, signature=found.signature, origin=found.origin)
            if not (thoughts and isinstance(part, Reasoning)):
                parts.append(part)
        return msgspec.structs.replace(message, parts=tuple(parts))

    def _keep(self, key: tuple[str, str], thoughts: tuple[Reasoning, ...], call: ToolCall, origin: str) -> None:
        size = len(call.signature or "") + sum(len(each.text) + len(each.signature or "") for each in thoughts)
        self._drop(key)
        self._kept[key] = _Kept(thoughts, call.signature, call.origin or origin, size)
        self._size += size
        while len(self._kept) > _MOST_CALLS or self._size > _MOST_CHARS:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size


def _calls(parts: Iterable[Part]) -> list[ToolCall]:
    return [part for part in parts if isinstance(part, ToolCall) and not part.is_server_side]


def _has_proof(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, Reasoning | ToolCall) and part.signature for part in parts)
