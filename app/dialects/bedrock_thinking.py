"""How a model on Bedrock is told to think: each vendor's own fields, in `additionalModelRequestFields`.

Claude: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html, Nova:
https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html; gpt-oss and Qwen as recorded.
"""

from typing import Final

from app.dialects.bedrock_models import is_nova_2, vendor_of
from app.dialects.losses import Losses
from app.models.settings import Thinking
from app.models.target import Target

_FIELD: Final = "thinking"
_LEAST_BUDGET_TOKENS: Final = 1024
_BUDGETS_TOKENS: Final = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 24576,
    "max": 32768,
}
_USUAL_BUDGET_TOKENS: Final = 8192
_LADDER: Final = ("minimal", "low", "medium", "high", "xhigh", "max")
_THREE: Final = ("low", "medium", "high")
_CLAUDES: Final = ("low", "medium", "high", "max")


def thinking_fields(
    thinking: Thinking | None, target: Target, max_tokens: int | None, losses: Losses
) -> dict[str, object]:
    """Return the fields that tell a model how to think, {} where it is not told."""
    if thinking is None:
        return {}
    vendor = vendor_of(target.model)
    if target.traits.thinking == "none":
        if thinking.is_on:
            losses.drop(_FIELD, "this model does not think")
        return {}
    if vendor == "claude" or target.traits.thinking in ("adaptive", "budget"):
        return _claude(thinking, target, max_tokens, losses)
    if vendor == "nova" and is_nova_2(target.model):
        return _nova(thinking, losses)
    if vendor in ("gpt-oss", "qwen"):
        if not thinking.is_on:
            losses.drop(_FIELD, "this model cannot be told not to think")
            return {}
        name = "reasoning_effort" if vendor == "gpt-oss" else "reasoning_config"
        return {name: effort_of(thinking, _THREE, losses)}
    losses.drop(_FIELD, "nothing is known of how this model is told to think on Bedrock")
    return {}


def is_thinking_claude(fields: dict[str, object]) -> bool:
    """Whether these fields make Claude think, which forbids it some other settings."""
    said = fields.get("thinking")
    return isinstance(said, dict) and said.get("type") in ("enabled", "adaptive")


def effort_of(thinking: Thinking, known: tuple[str, ...], losses: Losses) -> str:
    """Return the effort that is nearest to what was asked, of those a model knows, least first."""
    asked = thinking.effort
    if asked is None and thinking.budget_tokens is not None:
        budget = thinking.budget_tokens
        asked = next((effort for effort in _LADDER if budget <= _BUDGETS_TOKENS[effort]), "max")
        losses.change(f"{_FIELD}.budget_tokens", "this model takes an effort, no budget")
    asked = asked or "medium"
    if asked in known:
        return asked
    rung = _LADDER.index(asked) if asked in _LADDER else _LADDER.index("medium")
    nearest = min(known, key=lambda effort: abs(_LADDER.index(effort) - rung))
    losses.change(f"{_FIELD}.effort", f"this model has no effort {asked!r}: sent as {nearest}")
    return nearest


def _claude(thinking: Thinking, target: Target, max_tokens: int | None, losses: Losses) -> dict[str, object]:
    if not thinking.is_on:
        return {"thinking": {"type": "disabled"}}
    is_adaptive = target.traits.thinking == "adaptive"
    if is_adaptive:
        said: dict[str, object] = {"type": "adaptive"}
        if thinking.shows is not None:
            said["display"] = "summarized" if thinking.shows else "omitted"
        if thinking.effort is None and thinking.budget_tokens is None:
            return {"thinking": said}
        effort = effort_of(thinking, target.traits.efforts or _CLAUDES, losses)
        return {"thinking": said, "output_config": {"effort": effort}}
    budget = thinking.budget_tokens or _BUDGETS_TOKENS.get(thinking.effort or "", _USUAL_BUDGET_TOKENS)
    if max_tokens is not None and budget >= max_tokens:
        if max_tokens <= _LEAST_BUDGET_TOKENS:
            losses.drop(_FIELD, f"a thought takes at least {_LEAST_BUDGET_TOKENS} tokens, more than max_tokens leaves")
            return {}
        budget = max_tokens - 1
        losses.change(f"{_FIELD}.budget_tokens", "less than max_tokens")
    if budget < _LEAST_BUDGET_TOKENS:
        budget = _LEAST_BUDGET_TOKENS
        losses.change(f"{_FIELD}.budget_tokens", f"at least {_LEAST_BUDGET_TOKENS}")
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _nova(thinking: Thinking, losses: Losses) -> dict[str, object]:
    if not thinking.is_on:
        return {"reasoningConfig": {"type": "disabled"}}
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort_of(thinking, _THREE, losses)}}
