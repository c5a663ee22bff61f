"""A conversation brought into the shape that stricter dialects want: who speaks when, and which result is whose."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from app.models.message import Message, Part, Text, ToolCall, ToolResult

NO_RESULT: Final = "(no result was recorded for this call)"


def leading_system(messages: Sequence[Message]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Return the system and developer messages a conversation begins with, and all that follows."""
    for place, message in enumerate(messages):
        if message.role not in ("system", "developer"):
            return tuple(messages[:place]), tuple(messages[place:])
    return tuple(messages), ()


def alternating(messages: Iterable[Message]) -> list[Message]:
    """Return turns of `user` and `assistant` by turns: neighbours of one side are one message.

    Tool results belong to the user's side and stand first in it. System messages in the middle must have been dealt
    with before.
    """
    turns: list[tuple[str, list[Part]]] = []
    for message in messages:
        side = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1][0] == side:
            turns[-1][1].extend(message.parts)
        else:
            turns.append((side, list(message.parts)))
    return [
        Message("assistant", tuple(parts))
        if side == "assistant"
        else Message("user", tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResult))))
        for side, parts in turns
    ]


def with_results(messages: Iterable[Message]) -> list[Message]:
    """Return the conversation with exactly one result for every call, right after the turn that asked.

    A call without a result gets a placeholder; a result whose call is nowhere before it becomes a user's text; of two
    results for one call the last counts, as the client corrected itself. What stood between a call and its result
    follows after it. Calls of one turn must have ids of their own (`identified`).
    """
    listed = list(messages)
    shaped: list[Message] = []
    place = 0
    while place < len(listed):
        message = listed[place]
        calls = [call for call in message.tool_calls() if not call.is_server_side]
        place += 1
        if message.role != "assistant" or not calls:
            shaped.append(message if message.role != "tool" else _as_text(message))
            continue
        end = next((at for at in range(place, len(listed)) if listed[at].role == "assistant"), len(listed))
        found, others = _results_in(listed[place:end], {call.id for call in calls})
        shaped += [message, Message("tool", tuple(_result_for(call, found) for call in calls)), *others]
        place = end
    return shaped


def identified(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation with an id on every call and result, and no id on two calls.

    New ids count up from the beginning, so that a longer history has the same ones. A result belongs to the first
    unanswered call of its id, in the newest turn that has one; without an id, to the first unanswered call of its name,
    else to the first unanswered one.
    """
    ids = _Ids()
    shaped: list[Message] = []
    for turn, message in enumerate(messages):
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolCall) and not part.is_server_side:
                given = ids.of_call(part, turn)
                part = part if part.id == given else msgspec.structs.replace(part, id=given)
            elif isinstance(part, ToolResult) and not part.is_server_side:
                answered = ids.of_result(part)
                part = part if part.id == answered else msgspec.structs.replace(part, id=answered)
            parts.append(part)
        shaped.append(msgspec.structs.replace(message, parts=tuple(parts)))
    return shaped


def call_names(messages: Iterable[Message]) -> dict[str, str]:
    """Return call id → the name of the tool it called, for dialects whose results name their tool."""
    return {
        part.id: part.name
        for message in messages
        for part in message.parts
        if isinstance(part, ToolCall) and part.id is not None
    }


class _OpenCall(NamedTuple):
    """A call that no result was met for."""

    turn: int
    name: str
    id: str | None
    given: str


class _Ids:
    """The ids of one conversation's calls."""

    def __init__(self) -> None:
        self._n_calls = 0
        self._times: dict[str, int] = {}
        """Id → how often a call wanted it."""
        self._newest: dict[str, str] = {}
        """Id → what the newest call that had it was given."""
        self._open: list[_OpenCall] = []

    def of_call(self, call: ToolCall, turn: int) -> str:
        """Return the id of the next call."""
        given = self._free(call.id or f"call_{self._n_calls:04d}")
        self._n_calls += 1
        if call.id:
            self._newest[call.id] = given
        self._open.append(_OpenCall(turn, call.name, call.id, given))
        return given

    def of_result(self, result: ToolResult) -> str | None:
        """Return the id of the call that a result answers; its own where that call is nowhere."""
        if result.id:
            asked = [call for call in self._open if call.id == result.id]
            if not asked:
                return self._newest.get(result.id, result.id)
            found = max(asked, key=lambda call: call.turn)
        elif self._open:
            found = next((call for call in self._open if call.name == result.name), self._open[0])
        else:
            return None
        self._open.remove(found)
        return found.given

    def _free(self, wanted: str) -> str:
        times = self._times.get(wanted, 0) + 1
        self._times[wanted] = times
        return wanted if times == 1 else self._free(f"{wanted}_{times}")


def _results_in(
    messages: Sequence[Message], ids: set[str | None]
) -> tuple[dict[str | None, ToolResult], list[Message]]:
    """Return the results for calls of these ids, and everything else that was said."""
    found: dict[str | None, ToolResult] = {}
    others: list[Message] = []
    for message in messages:
        if message.role != "tool":
            others.append(message)
            continue
        stray: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult) and part.id in ids:
                found[part.id] = part
            else:
                stray += part.parts if isinstance(part, ToolResult) else (part,)
        if stray:
            others.append(Message("user", tuple(stray)))
    return found, others


def _result_for(call: ToolCall, found: dict[str | None, ToolResult]) -> ToolResult:
    result = found.get(call.id)
    if result is None:
        return ToolResult(call.id, call.name, (Text(NO_RESULT),), is_error=True)
    return result


def _as_text(message: Message) -> Message:
    parts: list[Part] = []
    for part in message.parts:
        parts += part.parts if isinstance(part, ToolResult) else (part,)
    return Message("user", tuple(parts))
