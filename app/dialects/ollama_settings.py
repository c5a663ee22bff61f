"""A request's knobs and tools as Ollama takes them (https://docs.ollama.com/modelfile, parameters)."""

from typing import Final

from app.dialects.details import tell_settings
from app.dialects.losses import Losses
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.settings import OutputFormat, Settings, Thinking
from app.models.target import Target

_LEVELS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def written_settings(request: ChatRequest, target: Target, losses: Losses, options: object) -> dict[str, object]:
    """Return the fields of the body; `options` are those of its own dialect that have no word of ours.

    Raises InputError where more than one answer is wanted.
    """
    settings = request.settings
    if settings.n is not None and settings.n > 1:
        raise InputError(f"Ollama gives one answer a call, not {settings.n}.", hint="Send n calls.")
    tell_settings(settings, losses, "Ollama")
    written: dict[str, object] = {}
    told = {**(options if isinstance(options, dict) else {}), **_options(settings, target, losses)}
    if told or options is not None:
        written["options"] = told
    if settings.output is not None and (form := _format(settings.output)) is not None:
        written["format"] = form
    if settings.thinking is not None and (think := _think(settings.thinking, target, losses)) is not None:
        written["think"] = think
    if settings.logprobs is not None:
        written["logprobs"] = settings.logprobs
    if settings.top_logprobs is not None:
        written["top_logprobs"] = settings.top_logprobs
    return written


def chosen_tools(request: ChatRequest, losses: Losses) -> tuple[Tool, ...]:
    """Return the tools that are offered. Ollama has no choice of tools: what may not be called is not sent."""
    offered = []
    for tool in request.tools:
        if tool.kind in ("function", "custom"):
            offered.append(tool)
        else:
            losses.drop(f"tools.{tool.kind}", "a tool that another provider runs")
        if tool.strict:
            losses.drop("tools.strict", "Ollama does not hold models to a tool's schema")
    if any(tool.kind == "custom" for tool in offered):
        losses.change("tools.custom", "Ollama has functions only: the free text is their one argument")
    choice = request.tool_choice
    if choice is None or not offered:
        return tuple(offered)
    if choice.mode == "none":
        losses.change("tool_choice", "Ollama has none: the tools are not sent")
        return ()
    if choice.mode == "required":
        losses.drop("tool_choice", "Ollama cannot make a model call a tool")
    if choice.names:
        losses.change("tool_choice.names", "Ollama cannot name a tool: only those that may be called are sent")
        return tuple(tool for tool in offered if tool.name in choice.names)
    return tuple(offered)


def _options(settings: Settings, target: Target, losses: Losses) -> dict[str, object]:
    options: dict[str, object] = {
        "num_predict": settings.max_tokens,
        "seed": settings.seed,
        "stop": list(settings.stop) or None,
    }
    sampling: dict[str, object] = {
        "temperature": settings.temperature,
        "top_k": settings.top_k,
        "top_p": settings.top_p,
        "presence_penalty": settings.presence_penalty,
        "frequency_penalty": settings.frequency_penalty,
    }
    if target.traits.takes_sampling:
        options |= sampling
    elif any(value is not None for value in sampling.values()):
        losses.drop("temperature", f"{target.model} takes no sampling settings")
    return {name: value for name, value in options.items() if value is not None}


def _format(output: OutputFormat) -> object:
    if output.kind == "text":
        return None
    return "json" if output.kind == "json" else output.schema


def _think(thinking: Thinking, target: Target, losses: Losses) -> bool | str | None:
    """Return `think`: whether, or how hard (https://docs.ollama.com/capabilities/thinking)."""
    if target.traits.thinking == "none":
        if thinking.is_on:
            losses.drop("reasoning_effort", f"{target.model} does not think")
        return None
    if not thinking.is_on:
        return False
    if thinking.budget_tokens is not None:
        losses.change("thinking.budget_tokens", "Ollama knows no budget of tokens: thinking is on")
    if thinking.effort is None:
        return True
    level = _LEVELS.get(thinking.effort, "high")
    if level != thinking.effort:
        losses.change("reasoning_effort", f"Ollama knows low, medium and high: {level} it is")
    return level
