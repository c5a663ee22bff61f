"""What OpenAI's three request forms have in common: tools, the fields beside the conversation, the ids they state."""

from typing import Any, Final

import msgspec

from app.dialects.dialect import Stated
from app.dialects.wire import UNREADABLE, decode, entries, fields, json_text, text_or_none, word
from app.models.chat import Tool

SESSION_KEYS: Final = ("session_id", "thread_id", "conversation_id", "sessionId", "threadId", "conversationId")


class _Ids(msgspec.Struct, gc=False):
    previous_response_id: Any = None
    conversation: Any = None
    prompt_cache_key: Any = None
    user: Any = None
    safety_identifier: Any = None
    session_id: Any = None
    metadata: Any = None


_decoder: Final = msgspec.json.Decoder(_Ids)


def stated(body: bytes) -> Stated:
    """Return the ids that a request to any OpenAI API states."""
    try:
        ids = decode(_decoder, body)
    except UNREADABLE:
        return Stated()
    conversation = ids.conversation if isinstance(ids.conversation, str) else fields(ids.conversation).get("id")
    return Stated(
        previous_response_id=text_or_none(ids.previous_response_id),
        conversation=text_or_none(conversation),
        prompt_cache_key=text_or_none(ids.prompt_cache_key),
        user=text_or_none(ids.user) or text_or_none(ids.safety_identifier),
        session=text_or_none(ids.session_id) or session_in(ids.metadata),
    )


def session_in(metadata: object) -> str | None:
    """Return the session that free metadata names under one of the usual keys."""
    named = fields(metadata)
    return next((found for key in SESSION_KEYS if (found := text_or_none(named.get(key)))), None)


def tools_of(tools: object) -> tuple[Tool, ...]:
    """Return the tools of a request: functions nested (chat) or flat (responses), and those the provider owns."""
    return tuple(_tool(tool) for tool in entries(tools))


def params_of(request: dict[str, Any], taken: frozenset[str]) -> dict[str, object]:
    """Return every field of a request that is not `taken`."""
    return {name: value for name, value in request.items() if name not in taken and value is not None}


def _tool(tool: dict[str, Any]) -> Tool:
    kind = word(tool.get("type")) or "function"
    inner = tool.get("function") or tool.get("custom")
    said = inner if isinstance(inner, dict) else tool
    schema = said.get("parameters") if kind == "function" else said.get("format")
    name = word(said.get("name")) or word(tool.get("server_label")) or kind
    if kind not in ("function", "custom") and schema is None:
        schema = {key: value for key, value in tool.items() if key != "type"} or None
    return Tool(name, text_or_none(said.get("description")), schema, kind)


def keyed(name: str, value: bytes) -> bytes:
    """Return an element that stands in a field of its own, with its key."""
    return json_text(name).encode() + b":" + value
