"""A request's knobs in Cohere's words and within its limits (https://docs.cohere.com/reference/chat)."""

from typing import Final

from app.dialects.details import tell_settings
from app.dialects.losses import Losses
from app.errors import InputError
from app.models.settings import Settings, Thinking
from app.models.target import Target

_MOST_STOPS: Final = 5
_LEAST_P: Final = 0.01
_MOST_P: Final = 0.99
_MOST_K: Final = 500


def written_settings(settings: Settings, target: Target, losses: Losses) -> dict[str, object]:
    """Return the fields of the body.

    Raises InputError where more than one answer is wanted.
    """
    if settings.n is not None and settings.n > 1:
        raise InputError(f"Cohere gives one answer a call, not {settings.n}.", hint="Send n calls.")
    tell_settings(settings, losses, "Cohere")
    written: dict[str, object] = {
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
        "stop_sequences": _stops(settings.stop, losses),
    }
    if target.traits.takes_sampling:
        written |= _sampling(settings, losses)
    elif settings.temperature is not None or settings.top_p is not None or settings.top_k is not None:
        losses.drop("temperature", f"{target.model} takes no sampling settings")
    if settings.logprobs or settings.top_logprobs is not None:
        written["logprobs"] = settings.logprobs
        if settings.top_logprobs:
            losses.drop("top_logprobs", "Cohere tells only the tokens it chose")
    elif settings.logprobs is False:
        written["logprobs"] = False
    if settings.thinking is not None:
        written["thinking"] = _thinking(settings.thinking, target, losses)
    return {name: value for name, value in written.items() if value is not None}


def _stops(stops: tuple[str, ...], losses: Losses) -> list[str] | None:
    if len(stops) > _MOST_STOPS:
        losses.change("stop", f"Cohere takes {_MOST_STOPS} stop sequences, not {len(stops)}")
    return list(stops[:_MOST_STOPS]) or None


def _sampling(settings: Settings, losses: Losses) -> dict[str, object]:
    return {
        "temperature": settings.temperature,
        "p": _within(settings.top_p, _LEAST_P, _MOST_P, "top_p", losses),
        "k": _within(settings.top_k, 0, _MOST_K, "top_k", losses),
        "frequency_penalty": _within(settings.frequency_penalty, 0, 1, "frequency_penalty", losses),
        "presence_penalty": _within(settings.presence_penalty, 0, 1, "presence_penalty", losses),
    }


def _within(value: float | None, least: float, most: float, field: str, losses: Losses) -> float | None:
    if value is None or least <= value <= most:
        return value
    losses.change(field, f"Cohere takes {least:g} to {most:g}")
    return least if value < least else most


def _thinking(thinking: Thinking, target: Target, losses: Losses) -> dict[str, object] | None:
    if target.traits.thinking == "none":
        if thinking.is_on:
            losses.drop("reasoning_effort", f"{target.model} does not think")
        return None
    if not thinking.is_on:
        return {"type": "disabled", **(thinking.extras or {})}
    if thinking.effort is not None and thinking.budget_tokens is None:
        losses.change("reasoning_effort", "Cohere knows a budget of tokens, no effort: thinking is on")
    budget = {} if thinking.budget_tokens is None else {"token_budget": thinking.budget_tokens}
    return {"type": "enabled", **budget}
