"""A conversation brought into the shape that stricter dialects want: who speaks when, and which result is whose."""

from collections.abc import Iterable, Sequence
from typing import Final

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
    results for one call the last counts, as the client corrected itself.
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
        shaped.append(message)
        found: dict[str | None, ToolResult] = {}
        stray: list[Part] = []
        while place < len(listed) and listed[place].role == "tool":
            for part in listed[place].parts:
                if isinstance(part, ToolResult) and any(call.id == part.id for call in calls):
                    found[part.id] = part
                else:
                    stray += part.parts if isinstance(part, ToolResult) else (part,)
            place += 1
        shaped.append(Message("tool", tuple(_result_for(call, found) for call in calls)))
        if stray:
            shaped.append(Message("user", tuple(stray)))
    return shaped


def identified(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation with an id on every call and result, for dialects that send none.

    The ids count up from the beginning, so that a longer history has the same ones. A result without an id belongs to
    the first unanswered call of its name, else to the first unanswered one.
    """
    open_calls: list[tuple[str, str]] = []
    shaped: list[Message] = []
    n_calls = 0
    for message in messages:
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolCall) and not part.is_server_side:
                part = part if part.id else msgspec.structs.replace(part, id=f"call_{n_calls:04d}")
                n_calls += 1
                open_calls.append((part.name, part.id or ""))
            elif isinstance(part, ToolResult) and not part.is_server_side:
                part = part if part.id else msgspec.structs.replace(part, id=_asked(part.name, open_calls))
                open_calls = [call for call in open_calls if call[1] != part.id]
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


def _asked(name: str | None, open_calls: list[tuple[str, str]]) -> str | None:
    return next((call_id for called, call_id in open_calls if called == name), open_calls[0][1] if open_calls else None)


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
