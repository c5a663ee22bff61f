"""Tools of an OpenAI chat and which of them the model may call, read and written. Functions stand nested here."""

import re
from typing import Any, Final

from app.dialects.knobs import Knobs
from app.dialects.losses import Losses
from app.dialects.tool_names import ToolNames
from app.dialects.wire import entries, text_or_none, word
from app.models.chat import ChatRequest, Tool
from app.models.message import CacheMark, Extras
from app.models.settings import ToolChoice

NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")
NAME_CHARS: Final = 64
_NO_PARAMETERS: Final[dict[str, object]] = {"type": "object", "properties": {}}
_SEARCHES: Final = ("web_search", "google_search", "googleSearch")
_FREE_TEXT: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
LEGACY: Final = "legacy"
"""In the extras of a tool or a choice that stood in the fields `tools` and `tool_choice` replaced."""


def tools_of(request: dict[str, Any]) -> tuple[Tool, ...]:
    """Return a request's tools, those of the field `functions` among them."""
    legacy = [
        _tool({"type": "function", "function": function}, {LEGACY: True})
        for function in entries(request.get("functions"))
    ]
    return (*map(_tool, entries(request.get("tools"))), *legacy)


def choice_of(request: dict[str, Any]) -> ToolChoice | None:
    """Return the `tool_choice`, or the `function_call` that it replaced."""
    choice = request.get("tool_choice")
    mark: Extras = None
    if choice is None and (choice := request.get("function_call")) is not None:
        mark = {LEGACY: True}
    if choice in ("auto", "none", "required"):
        return ToolChoice(choice, extras=mark)
    if choice == "any":  # Mistral's word
        return ToolChoice("required", extras={"word": "any"})
    if not isinstance(choice, dict):
        return None
    if mark is not None:
        return ToolChoice("required", (str(choice.get("name", "")),), mark)
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, dict):
        names = tuple(filter(None, map(_name_in, entries(allowed.get("tools")))))
        return ToolChoice("required" if allowed.get("mode") == "required" else "auto", names, {"whole": choice})
    name = _name_in(choice)
    whole: Extras = None if choice.get("type") == "function" else {"whole": choice}
    return ToolChoice("required", (name,) if name else (), whole)


def tool_names(request: ChatRequest) -> ToolNames:
    """Return the names that a request's tools are sent under, those that only its history calls included."""
    named = [tool.name for tool in request.tools if tool.kind in ("function", "custom")]
    for message in request.messages:
        named += [call.name for call in message.tool_calls() if not call.is_server_side]
    return ToolNames(named, NAME, NAME_CHARS)


def own_tools(request: ChatRequest) -> dict[str, object]:
    """Return the fields of a request of this dialect as they stood."""
    tools = [_own_tool(tool) for tool in request.tools if not (tool.extras or {}).get(LEGACY)]
    functions = [_own_tool(tool)["function"] for tool in request.tools if (tool.extras or {}).get(LEGACY)]
    written: dict[str, object] = {}
    if tools:
        written["tools"] = tools
    if functions:
        written["functions"] = functions
    choice = request.tool_choice
    if choice is not None:
        extras = choice.extras or {}
        if extras.get(LEGACY):
            written["function_call"] = {"name": choice.names[0]} if choice.names else choice.mode
        else:
            written["tool_choice"] = extras.get("whole") or extras.get("word") or _choice(choice, str)
    return written


def written_tools(
    request: ChatRequest, names: ToolNames, losses: Losses, *, takes_choice: bool
) -> tuple[dict[str, object], frozenset[str]]:
    """Return the fields for an upstream of a request from another dialect, and the custom tools that are functions."""
    tools: list[dict[str, object]] = []
    custom: set[str] = set()
    for tool in request.tools:
        if tool.kind == "custom" and request.dialect != "openai_responses":
            custom.add(tool.name)
        if tool.kind in ("function", "custom"):
            tools.append(_sent_tool(tool, names, is_function=tool.kind == "function" or tool.name in custom))
        else:
            where = "web_search" if any(search in tool.kind for search in _SEARCHES) else tool.kind
            losses.drop(f"tools.{where}", "OpenAI's chat has no such tool")
        if tool.cache is not None:
            losses.drop("cache_control", "OpenAI takes no marks for caching: it caches by itself")
    if not tools:
        return {}, frozenset()
    written: dict[str, object] = {"tools": tools}
    choice = request.tool_choice
    if choice is not None and choice.mode != "auto" and not takes_choice:
        losses.drop("tool_choice", "the provider takes auto alone")
    elif choice is not None:
        written["tool_choice"] = _choice(choice, names.sent)
    return written, frozenset(custom)


def _choice(choice: ToolChoice, sent: Any) -> object:
    if not choice.names or choice.mode == "none":
        return choice.mode
    named = [{"type": "function", "function": {"name": sent(name)}} for name in choice.names]
    if len(named) == 1 and choice.mode == "required":
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _tool(tool: dict[str, Any], mark: Extras = None) -> Tool:
    kind = word(tool.get("type")) or "function"
    field = "custom" if kind == "custom" else "function"
    inner = tool.get(field)
    if not isinstance(inner, dict):
        name = word(tool.get("name")) or word(tool.get("server_label")) or kind
        extras = {key: value for key, value in tool.items() if key != "type"}
        return Tool(name, text_or_none(tool.get("description")), None, kind, extras=extras or None)
    outer, knobs = Knobs(tool), Knobs(inner)
    outer.take("type")
    outer.take(field)
    cache = outer.take("cache_control")
    extras = {**outer.left(), **(mark or {})}
    name, description = word(knobs.take("name")) or "", knobs.take("description")
    schema, strict = knobs.take("format" if kind == "custom" else "parameters"), knobs.flag("strict")
    if more := knobs.left():
        extras[field] = more
    return Tool(
        name,
        description if isinstance(description, str) else None,
        schema,
        kind,
        strict,
        mark_of(cache),
        extras or None,
    )


def mark_of(value: object) -> CacheMark | None:
    """Return the mark for caching that some providers' clients write into a part."""
    return CacheMark(text_or_none(value.get("ttl"))) if isinstance(value, dict) else None


def written_mark(mark: CacheMark) -> dict[str, str]:
    """Return a mark as it stands on the wire."""
    return {"type": "ephemeral"} if mark.ttl is None else {"type": "ephemeral", "ttl": mark.ttl}


def _own_tool(tool: Tool) -> dict[str, object]:
    extras = {key: value for key, value in (tool.extras or {}).items() if key != LEGACY}
    if tool.kind not in ("function", "custom"):
        return {"type": tool.kind, **extras}
    field = "custom" if tool.kind == "custom" else "function"
    inner: dict[str, object] = {"name": tool.name}
    if tool.description is not None:
        inner["description"] = tool.description
    if tool.schema is not None:
        inner["format" if tool.kind == "custom" else "parameters"] = tool.schema
    if tool.strict is not None:
        inner["strict"] = tool.strict
    more = extras.pop(field, None)
    if isinstance(more, dict):
        inner |= more
    written = {"type": tool.kind, field: inner, **extras}
    if tool.cache is not None:
        written["cache_control"] = written_mark(tool.cache)
    return written


def _sent_tool(tool: Tool, names: ToolNames, *, is_function: bool) -> dict[str, object]:
    inner: dict[str, object] = {"name": names.sent(tool.name)}
    if tool.description is not None:
        inner["description"] = tool.description
    if not is_function:
        if isinstance(tool.schema, dict):
            inner["format"] = _nested(tool.schema)
        return {"type": "custom", "custom": inner}
    inner["parameters"] = _FREE_TEXT if tool.kind == "custom" else tool.schema or _NO_PARAMETERS
    if tool.strict is not None:
        inner["strict"] = tool.strict
    return {"type": "function", "function": inner}


def _nested(form: dict[str, Any]) -> dict[str, Any]:
    """Return a custom tool's format; the grammar that the responses have flat is nested here."""
    if form.get("type") != "grammar" or "grammar" in form:
        return form
    return {"type": "grammar", "grammar": {key: value for key, value in form.items() if key != "type"}}


def _name_in(entry: dict[str, Any]) -> str:
    for field in ("function", "custom"):
        inner = entry.get(field)
        if isinstance(inner, dict):
            return str(inner.get("name", ""))
    return word(entry.get("name")) or ""
