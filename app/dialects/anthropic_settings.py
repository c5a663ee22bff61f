"""What a request to Anthropic sets beside its conversation, read into the shared form.

https://platform.claude.com/docs/en/api/messages/create
"""

from typing import Any, Final

from app.dialects.anthropic_parts import mark_of, rest_of
from app.dialects.knobs import Knobs
from app.dialects.wire import count, fields, text_or_none, word
from app.models.chat import Tool
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice

TAKEN: Final = ("model", "messages", "system", "tools", "tool_choice", "stream")
"""Fields that are no settings."""

TIERS: Final = {"auto": "auto", "standard_only": "default"}
"""Anthropic's words for tiers → OpenAI's."""

_MODES: Final[dict[str, Any]] = {"auto": "auto", "any": "required", "tool": "required", "none": "none"}
_SHOWN: Final = {"summarized": True, "omitted": False}


def settings_of(request: dict[str, Any]) -> tuple[Settings, dict[str, object]]:
    """Return a request's settings, and its fields that no setting has a word for."""
    knobs = Knobs(rest_of(request, TAKEN) or {})
    told: dict[str, object] = {}
    output = _output(knobs, told)
    thinking = _thinking(knobs, told)
    settings = Settings(
        max_tokens=knobs.whole("max_tokens"),
        temperature=knobs.number("temperature"),
        top_p=knobs.number("top_p"),
        top_k=knobs.whole("top_k"),
        stop=knobs.texts("stop_sequences"),
        parallel_tool_calls=_parallel(request.get("tool_choice")),
        thinking=thinking,
        output=output,
        user=_user(knobs),
        service_tier=_tier(knobs),
        extras=told or None,
    )
    return settings, knobs.left()


def tool_of(tool: dict[str, Any]) -> Tool:
    """Return a tool: the client's own, or one that Anthropic runs or trained its models on."""
    kind = word(tool.get("type")) or "custom"
    mark, marked = mark_of(tool)
    name = word(tool.get("name"))
    if kind != "custom":
        rest = rest_of(tool, ("type", *(("name",) if name else ()), *marked))
        return Tool(name or kind, kind=kind, cache=mark, extras=rest)
    strict = tool.get("strict")
    is_plain = isinstance(strict, bool)
    taken = ("type", "name", "description", "input_schema", *(("strict",) if is_plain else ()), *marked)
    description = tool.get("description")
    return Tool(
        name or kind,
        description if isinstance(description, str) else None,
        tool.get("input_schema"),
        strict=strict if is_plain else None,
        cache=mark,
        extras=rest_of(tool, taken) if len(tool) > 3 else None,
    )


def tool_choice_of(choice: object) -> ToolChoice | None:
    """Return a `tool_choice`; `disable_parallel_tool_use` is a setting."""
    if not isinstance(choice, dict) or not choice:
        return None
    kind = choice.get("type")
    mode = _MODES.get(kind) if isinstance(kind, str) else None
    if mode is None:
        return ToolChoice("auto", extras=choice)
    name = text_or_none(choice.get("name"))
    taken = ("type", "name", *(("disable_parallel_tool_use",) if _parallel(choice) is not None else ()))
    return ToolChoice(mode, (name,) if name else (), rest_of(choice, taken))


def _parallel(choice: object) -> bool | None:
    disabled = fields(choice).get("disable_parallel_tool_use")
    return not disabled if isinstance(disabled, bool) else None


def _output(knobs: Knobs, told: dict[str, object]) -> OutputFormat | None:
    """The beta had the format in a field of its own."""
    config = dict(fields(knobs.take("output_config")))
    wanted = config.pop("format", None)
    if config:
        knobs.put("output_config", config)
    if wanted is None:
        wanted = knobs.take("output_format")
        if wanted is not None:
            told["output_format"] = True
    said = fields(wanted)
    if said.get("type") == "json_schema":
        return OutputFormat("schema", said.get("schema"), extras=rest_of(said, ("type", "schema")))
    if wanted is not None:
        told["output"] = wanted
    return None


def _thinking(knobs: Knobs, told: dict[str, object]) -> Thinking | None:
    """An effort alone says how hard to work, not whether to think."""
    config = dict(fields(knobs.take("output_config")))
    effort = text_or_none(config.get("effort"))
    if effort is not None:
        del config["effort"]
    if config:
        knobs.put("output_config", config)
    said = knobs.take("thinking")
    how = fields(said)
    kind = how.get("type")
    if kind not in ("enabled", "adaptive", "disabled"):
        if said is not None:
            knobs.put("thinking", said)
        if effort is None:
            return None
        told["effort_alone"] = True
        return Thinking(effort=effort)
    budget, display = count(how.get("budget_tokens")), how.get("display")
    shows = _SHOWN.get(display) if isinstance(display, str) else None
    is_usual = kind == "disabled" or (kind == "enabled") == (budget is not None)
    read = (("type", is_usual), ("budget_tokens", budget is not None), ("display", shows is not None))
    rest = rest_of(how, tuple(name for name, is_read in read if is_read))
    return Thinking(kind != "disabled", effort, budget, shows, rest)


def _user(knobs: Knobs) -> str | None:
    metadata = knobs.take("metadata")
    user = text_or_none(fields(metadata).get("user_id"))
    rest = rest_of(fields(metadata), ("user_id",) if user else ())
    if rest or (metadata is not None and not isinstance(metadata, dict)):
        knobs.put("metadata", rest or metadata)
    return user


def _tier(knobs: Knobs) -> str | None:
    tier = knobs.take("service_tier")
    known = TIERS.get(tier) if isinstance(tier, str) else None
    if tier is not None and known is None:
        knobs.put("service_tier", tier)
    return known
