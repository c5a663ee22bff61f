"""How Claude is told to think: by a budget of tokens, or adaptively with an effort.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking and …/adaptive-thinking, …/effort
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.dialects.anthropic_parts import OWN
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.models.message import Message, Reasoning
from app.models.settings import Thinking
from app.models.target import Traits

LEAST_BUDGET_TOKENS: Final = 1024
_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
_EFFORTS: Final = ("minimal", "low", "medium", "high", "xhigh", "max")
_CLAUDES: Final = _EFFORTS[1:]


@dataclass(frozen=True, slots=True)
class Thought:
    """What a request says of thinking."""

    thinking: dict[str, Any] | None = None
    """The field `thinking`."""
    effort: str | None = None
    """`output_config.effort`."""

    @property
    def is_on(self) -> bool:
        """Whether Claude will think."""
        return self.thinking is not None and self.thinking["type"] != "disabled"


def own_thought(thinking: Thinking | None, told: dict[str, object]) -> Thought:
    """Return the fields that a request of this dialect had; `told` are its settings' extras."""
    if thinking is None:
        return Thought()
    if told.get("effort_alone"):
        return Thought(effort=thinking.effort)
    kind = "disabled" if not thinking.is_on else "adaptive" if thinking.budget_tokens is None else "enabled"
    field: dict[str, Any] = {"type": kind}
    if thinking.budget_tokens is not None:
        field["budget_tokens"] = thinking.budget_tokens
    return Thought({**field, **_display(thinking), **(thinking.extras or {})}, thinking.effort)


def thought_of(thinking: Thinking | None, traits: Traits, max_tokens: int | None, losses: Losses) -> Thought:
    """Return the fields for a request of another dialect. `max_tokens`: what it asks for, None where it does not."""
    if thinking is None:
        return Thought()
    for name in meaning(thinking.extras):
        losses.drop(f"thinking.{name}", "Anthropic has no such field")
    if traits.thinking == "none":
        if thinking.is_on:
            losses.drop("thinking", "this model does not think")
        return Thought()
    if not thinking.is_on or thinking.effort == "none":
        return Thought() if traits.thinking == "budget" else Thought({"type": "disabled"})
    if traits.thinking == "budget" or (traits.thinking == "unknown" and thinking.budget_tokens is not None):
        return _by_budget(thinking, max_tokens, losses)
    return Thought({"type": "adaptive", **_display(thinking)}, _effort(thinking, traits, losses))


def lacks_thought(messages: Sequence[Message]) -> bool:
    """Return whether the last turn of the assistant calls tools without a thought of Claude's before.

    A Claude with a budget refuses to think on from there.
    """
    for message in reversed(messages):
        if message.role == "assistant":
            calls = [call for call in message.tool_calls() if not call.is_server_side]
            return bool(calls) and not any(_is_ours(part) for part in message.parts)
    return False


def _is_ours(part: object) -> bool:
    return isinstance(part, Reasoning) and part.signature is not None and part.origin == OWN


def _by_budget(thinking: Thinking, max_tokens: int | None, losses: Losses) -> Thought:
    budget = thinking.budget_tokens
    if budget is None:
        budget = _BUDGETS.get(thinking.effort or "medium", _BUDGETS["medium"])
        if max_tokens is not None:
            budget = min(budget, max(max_tokens // 2, LEAST_BUDGET_TOKENS))
    if budget < LEAST_BUDGET_TOKENS:
        losses.change("thinking.budget_tokens", f"at least {LEAST_BUDGET_TOKENS}")
        budget = LEAST_BUDGET_TOKENS
    if max_tokens is not None and budget >= max_tokens:
        if max_tokens <= LEAST_BUDGET_TOKENS:
            losses.drop("thinking", f"max_tokens leaves no room for the {LEAST_BUDGET_TOKENS} tokens it takes")
            return Thought()
        losses.change("thinking.budget_tokens", "less than max_tokens")
        budget = max_tokens - 1
    return Thought({"type": "enabled", "budget_tokens": budget, **_display(thinking)})


def _effort(thinking: Thinking, traits: Traits, losses: Losses) -> str | None:
    """Return the nearest effort that the model knows, the lesser of two as near."""
    asked = thinking.effort
    if asked is None:
        if thinking.budget_tokens is None:
            return None
        losses.change("thinking.budget_tokens", "this model thinks by effort")
        asked = next((effort for effort, tokens in _BUDGETS.items() if thinking.budget_tokens <= tokens), "max")
    known = [effort for effort in traits.efforts if effort in _EFFORTS] or list(_CLAUDES)
    if asked in known:
        return asked
    if asked not in _EFFORTS:
        losses.drop("reasoning_effort", f"Claude has no effort {asked!r}")
        return None
    nearest = min(known, key=lambda effort: abs(_EFFORTS.index(effort) - _EFFORTS.index(asked)))
    losses.change("reasoning_effort", f"{asked} is {nearest} to this model")
    return nearest


def _display(thinking: Thinking) -> dict[str, str]:
    if thinking.shows is None:
        return {}
    return {"display": "summarized" if thinking.shows else "omitted"}
