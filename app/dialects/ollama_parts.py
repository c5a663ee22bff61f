"""One message of an Ollama chat, sent or answered, both ways (https://docs.ollama.com/api/chat)."""

from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.wire import UNREADABLE, decode_any, entries, fields, json_text, text_or_none, word
from app.models.message import Extras, Media, Message, Part, Reasoning, Role, Text, ToolCall, ToolResult

NAME: Final = "ollama"
_ROLES: Final[dict[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_TURN: Final = frozenset(
    {"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"},
)
_CALL: Final = frozenset({"id", "function"})
_FUNCTION: Final = frozenset({"name", "arguments"})


def message_of(turn: dict[str, Any], role: Role | None = None) -> Message:
    """Return the message of a turn, under its own role or the one given."""
    role = role or _ROLES.get(str(turn.get("role")), "user")
    extras = left(turn, _TURN)
    content = text_or_none(turn.get("content"))
    images = tuple(image_of(image) for image in turn.get("images") or () if isinstance(image, str) and image)
    if role == "tool":
        parts: tuple[Part, ...] = ((Text(content),) if content else ()) + images
        result = ToolResult(word(turn.get("tool_call_id")), text_or_none(turn.get("tool_name")), parts)
        return Message("tool", (result,), extras=extras)
    listed: list[Part] = []
    if thought := text_or_none(turn.get("thinking")):
        listed.append(Reasoning(thought, origin=NAME))
    listed += images
    if content:
        listed.append(Text(content))
    if turn.get("tool_calls"):
        listed += [call_of(call) for call in entries(turn["tool_calls"])]
    return Message(role, tuple(listed), extras=extras)


def image_of(data: str) -> Media:
    """Return an image: base64 of which nothing else is said."""
    return Media("image", data=data)


def call_of(call: dict[str, Any]) -> ToolCall:
    """Return a tool call. Newer servers give it an id; its arguments are an object."""
    function = fields(call.get("function"))
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json_text(arguments)
    extras = left(call, _CALL)
    if (more := left(function, _FUNCTION)) is not None:
        extras = {**(extras or {}), "function": more}
    return ToolCall(word(call.get("id")), word(function.get("name")) or "", arguments, extras=extras)


def written_call(call: ToolCall, losses: Losses, *, is_own: bool) -> dict[str, object]:
    """Return a call as it goes back; arguments that are no object are wrapped in one, never lost."""
    function: dict[str, object] = {"name": call.name, "arguments": arguments_of(call, losses)}
    written: dict[str, object] = {"id": call.id} if call.id else {}
    extras = dict(call.extras or {}) if is_own else {}
    more = extras.pop("function", None)
    return {**written, "function": {**function, **(more if isinstance(more, dict) else {})}, **extras}


def arguments_of(call: ToolCall, losses: Losses) -> dict[str, object]:
    """Return a call's arguments as an object."""
    if not call.arguments.strip():
        return {}
    try:
        value = decode_any(call.arguments.encode("utf-8", "replace"))
    except UNREADABLE:
        value = None
    if isinstance(value, dict):
        return value
    losses.change("messages.tool_calls.arguments", "they are no JSON object and go as the text of one field")
    return {"_raw": call.arguments}


def with_images(turn: dict[str, object], images: list[str]) -> dict[str, object]:
    """Return a turn with the images that belong to it."""
    return {**turn, "images": images} if images else turn


def left(wire: dict[str, Any], known: frozenset[str]) -> Extras:
    """Return what has no word in the shared form, None where there is none of it."""
    if wire.keys() <= known:
        return None
    return {name: value for name, value in wire.items() if name not in known and value is not None} or None
