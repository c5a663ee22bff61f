"""How Gemini is told to think: the second generation by a budget of tokens, the third by a level.

https://ai.google.dev/gemini-api/docs/thinking
"""

import re
from typing import Final, Literal

from app.dialects.gemini_parts import OWN
from app.dialects.losses import Losses
from app.models.settings import Thinking
from app.models.target import Target

_GENERATION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_LEVELS: Final = ("minimal", "low", "medium", "high")
_ORDER: Final = ("minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS: Final = {"minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 32768}
_MOST: Final = {"pro": 32768, "flash": 24576}
_LEAST_OF_PRO: Final = 128
_LEAST_OF_LITE: Final = 512
_LOW_TOKENS: Final = 2048
_MEDIUM_TOKENS: Final = 12288


def is_third_or_later(target: Target) -> bool:
    """Whether the model is a Gemini 3 or newer: these take media in results, and schemas beside tools."""
    return target.traits.needs_signatures or _generation(target.model) >= (3, 0)


def thinking_config(thinking: Thinking, target: Target, losses: Losses, dialect: str) -> dict[str, object] | None:
    """Return `thinkingConfig` for what a client of `dialect` asked, None where the model is not told."""
    if dialect == OWN:
        return _own(thinking)
    if thinking.effort == "none":
        thinking = Thinking(is_on=False)
    style = _style(target)
    if style == "none":
        if thinking.is_on:
            losses.drop("thinking", "the model does not think")
        return None
    config = _by_level(thinking, target, losses) if style == "level" else _by_budget(thinking, target, losses)
    if thinking.is_on and thinking.shows is not False:
        config["includeThoughts"] = True
    return config


def _own(thinking: Thinking) -> dict[str, object]:
    config: dict[str, object] = {}
    if not thinking.is_on:
        config["thinkingBudget"] = 0
    elif thinking.budget_tokens is not None:
        config["thinkingBudget"] = thinking.budget_tokens
    if thinking.effort is not None:
        config["thinkingLevel"] = thinking.effort.upper()
    if thinking.shows is not None:
        config["includeThoughts"] = thinking.shows
    return {**config, **(thinking.extras or {})}


def _style(target: Target) -> Literal["none", "level", "budget"]:
    told = target.traits.thinking
    if told == "none":
        return "none"
    if told in ("level", "effort", "adaptive"):
        return "level"
    if told == "budget":
        return "budget"
    generation = _generation(target.model)
    if generation >= (3, 0):
        return "level"
    return "none" if generation < (2, 5) and generation > (0, 0) else "budget"


def _generation(model: str) -> tuple[int, int]:
    found = _GENERATION.search(model)
    return (int(found.group(1)), int(found.group(2) or 0)) if found else (0, 0)


def _by_level(thinking: Thinking, target: Target, losses: Losses) -> dict[str, object]:
    known = tuple(level for level in target.traits.efforts if level in _ORDER) or _LEVELS
    if not thinking.is_on:
        losses.change("thinking", "the model cannot be kept from thinking: it is asked to think least")
        return {"thinkingLevel": known[0].upper()}
    wanted = thinking.effort or _level_of(thinking.budget_tokens)
    if wanted is None:
        return {}
    level = _nearest(wanted, known)
    if level != thinking.effort:
        losses.change("thinking", f"the model knows levels only: {level}")
    return {"thinkingLevel": level.upper()}


def _by_budget(thinking: Thinking, target: Target, losses: Losses) -> dict[str, object]:
    is_lite = "lite" in target.model
    is_pro = "pro" in target.model
    least = _LEAST_OF_PRO if is_pro else _LEAST_OF_LITE if is_lite else 1
    if not thinking.is_on:
        if is_pro:
            losses.change("thinking", "the model cannot be kept from thinking: it is asked to think least")
            return {"thinkingBudget": least}
        return {"thinkingBudget": 0}
    wanted = thinking.budget_tokens
    if wanted is None and thinking.effort is not None:
        wanted = _BUDGETS.get(thinking.effort)
        if wanted is None:
            losses.drop("thinking", f"Gemini knows no effort {thinking.effort}")
    if wanted is None:
        return {"thinkingBudget": -1}
    budget = max(least, min(wanted, _MOST["pro" if is_pro else "flash"]))
    if thinking.budget_tokens is not None and budget != wanted:
        losses.change("thinking", f"the model's budget is at most {_MOST['pro' if is_pro else 'flash']} tokens")
    return {"thinkingBudget": budget}


def _level_of(budget_tokens: int | None) -> str | None:
    if budget_tokens is None:
        return None
    if budget_tokens <= _LOW_TOKENS:
        return "low"
    return "medium" if budget_tokens <= _MEDIUM_TOKENS else "high"


def _nearest(wanted: str, known: tuple[str, ...]) -> str:
    """Return the level of those known that is nearest, of two the greater; one we have no place for is the greatest."""
    if wanted in known or wanted not in _ORDER:
        return wanted if wanted in known else known[-1]
    place = _ORDER.index(wanted)
    return min(known, key=lambda level: (abs(_ORDER.index(level) - place), -_ORDER.index(level)))
