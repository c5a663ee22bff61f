"""Tools of OpenAI's responses and which of them the model may call, read and written. Functions stand flat here."""

import re
from collections.abc import Callable
from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.openai_responses_items import own_fields
from app.dialects.tool_names import ToolNames
from app.dialects.wire import entries, text_or_none, word
from app.models.chat import ChatRequest, Tool
from app.models.message import ToolCall
from app.models.settings import ToolChoice

Names = Callable[[str], str]
"""What a tool's name is sent as."""

NAME_PATTERN: Final = re.compile(r"[a-zA-Z0-9_-]+")
NAME_CHARS: Final = 64
"""https://platform.openai.com/docs/api-reference/responses/create: names of tools."""

_FUNCTION: Final = frozenset({"type", "name", "description", "parameters", "strict"})
_CUSTOM: Final = frozenset({"type", "name", "description", "format"})
_HOSTED: Final = frozenset({"type"})
_OWN_KINDS: Final = ("function", "custom")
_SEARCHES: Final = ("web_search", "google_search", "googleSearch")
_NO_PARAMETERS: Final[dict[str, object]] = {"type": "object", "properties": {}}


def tools_of(tools: object) -> tuple[Tool, ...]:
    """Return the tools of a request; what one that the provider owns is told stands in its extras."""
    return tuple(map(_tool, entries(tools)))


def choice_of(choice: object) -> ToolChoice | None:
    """Return a `tool_choice`; every form but a word and a plain function is kept whole in its extras."""
    if isinstance(choice, str):
        if choice in ("auto", "none", "required"):
            return ToolChoice(choice)  # type: ignore[arg-type]
        return None
    if not isinstance(choice, dict) or not choice:
        return None
    name = text_or_none(choice.get("name"))
    if choice.get("type") == "function" and name:
        return ToolChoice("required", (name,), own_fields(choice, frozenset({"type", "name"})))
    if isinstance(choice.get("tools"), list):
        names = (word(tool.get("name")) or word(tool.get("type")) for tool in entries(choice["tools"]))
        mode = "required" if choice.get("mode") == "required" else "auto"
        return ToolChoice(mode, tuple(filter(None, names)), choice)  # type: ignore[arg-type]
    named = name or word(choice.get("server_label")) or word(choice.get("type"))
    return ToolChoice("required", (named,) if named else (), choice)


def tool_names(request: ChatRequest) -> ToolNames:
    """Return the names that a request's tools are sent under, those that only its history calls included."""
    named = [tool.name for tool in request.tools if tool.kind in _OWN_KINDS]
    for message in request.messages:
        named += [call.name for call in message.parts if isinstance(call, ToolCall) and not call.is_server_side]
    return ToolNames(named, NAME_PATTERN, NAME_CHARS)


def written_tools(request: ChatRequest, names: Names, losses: Losses, *, is_own: bool) -> list[dict[str, object]]:
    """Return the tools as they are sent; those of another provider are left out, web searches become OpenAI's."""
    written: list[dict[str, object]] = []
    for tool in request.tools:
        if tool.kind == "function":
            written.append(_function(tool, names(tool.name), is_own=is_own))
        elif tool.kind == "custom":
            written.append(_custom(tool, names(tool.name), is_own=is_own))
        elif is_own:
            written.append({"type": tool.kind, **(tool.extras or {})})
        elif any(word in tool.kind for word in _SEARCHES):
            losses.change("tools.web_search", "OpenAI searches in its own way, with its own settings")
            written.append({"type": "web_search"})
        else:
            losses.drop(f"tools.{tool.kind}", "OpenAI has no such tool")
    return written


def written_choice(choice: ToolChoice, request: ChatRequest, names: Names, *, is_own: bool) -> object:
    """Return a choice as it is sent."""
    if is_own and choice.extras and "type" in choice.extras:
        return choice.extras
    kinds = {tool.name: tool.kind for tool in request.tools}
    named = [_named(name, kinds.get(name, "function"), names) for name in choice.names]
    if not named or choice.mode == "none":
        return choice.mode
    if len(named) == 1 and choice.mode == "required":
        return {**named[0], **((choice.extras or {}) if is_own else {})}
    return {"type": "allowed_tools", "mode": choice.mode, "tools": named}


def _tool(tool: dict[str, Any]) -> Tool:
    kind = word(tool.get("type")) or "function"
    if kind == "function":
        name, strict = word(tool.get("name")) or kind, tool.get("strict")
        return Tool(
            name,
            _described(tool),
            tool.get("parameters"),
            strict=strict if isinstance(strict, bool) else None,
            extras=own_fields(tool, _FUNCTION),
        )
    if kind == "custom":
        extras = own_fields(tool, _CUSTOM)
        return Tool(word(tool.get("name")) or kind, _described(tool), tool.get("format"), kind, extras=extras)
    name = word(tool.get("name")) or word(tool.get("server_label")) or kind
    return Tool(name, _described(tool), None, kind, extras=own_fields(tool, _HOSTED))


def _described(tool: dict[str, Any]) -> str | None:
    description = tool.get("description")
    return description if isinstance(description, str) else None


def _function(tool: Tool, name: str, *, is_own: bool) -> dict[str, object]:
    """Where nothing is said, the responses API is strict, all others are not."""
    written: dict[str, object] = {"type": "function", "name": name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.schema is not None:
        written["parameters"] = tool.schema
    elif not is_own:
        written["parameters"] = _NO_PARAMETERS
    if tool.strict is not None:
        written["strict"] = tool.strict
    elif not is_own:
        written["strict"] = False
    return {**written, **(tool.extras or {})} if is_own else written


def _custom(tool: Tool, name: str, *, is_own: bool) -> dict[str, object]:
    written: dict[str, object] = {"type": "custom", "name": name}
    if tool.description is not None:
        written["description"] = tool.description
    if isinstance(tool.schema, dict):
        written["format"] = _format(tool.schema)
    return {**written, **(tool.extras or {})} if is_own else written


def _format(form: dict[str, Any]) -> dict[str, Any]:
    """Return a custom tool's format; OpenAI's chat nests the grammar that stands flat here."""
    grammar = form.get("grammar")
    return {"type": "grammar", **grammar} if isinstance(grammar, dict) else form


def _named(name: str, kind: str, names: Names) -> dict[str, object]:
    return {"type": kind, "name": names(name)} if kind in _OWN_KINDS else {"type": kind}
