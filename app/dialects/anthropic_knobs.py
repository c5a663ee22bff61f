"""Settings written as Anthropic has them.

https://platform.claude.com/docs/en/api/messages/create
"""

import re
from typing import Any, Final

from app.dialects.anthropic_settings import TIERS
from app.dialects.anthropic_thinking import Thought
from app.dialects.losses import Losses
from app.errors import InputError
from app.models.settings import Settings
from app.models.target import Target, Traits

DEFAULT_MAX_TOKENS: Final = 8192
"""Asked for where the client says nothing and the model's own most is not known: all Claudes since 3.5 give so many."""
KNOWN_DEFAULT_MAX_TOKENS: Final = 16384
"""Asked for where the model's own most is known and not less."""
LEAST_THINKING_TOP_P: Final = 0.95

_UNKNOWN: Final = {
    "seed": "Anthropic has no seed",
    "presence_penalty": "Anthropic has no penalties",
    "frequency_penalty": "Anthropic has no penalties",
    "logit_bias": "Anthropic has no logit bias",
    "logprobs": "Anthropic tells no log probabilities",
    "top_logprobs": "Anthropic tells no log probabilities",
    "verbosity": "Anthropic has no verbosity",
    "audio": "Claude does not speak",
    "metadata": "Anthropic takes a user id alone",
    "prompt_cache_key": "Anthropic's cache needs no key",
    "store": "Anthropic stores no answers",
}
_WIRE_TIERS: Final = {ours: theirs for theirs, ours in TIERS.items()} | {"standard": "standard_only"}
_PERSONAL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+?[\d\s().-]{7,}")
"""An e-mail address or a telephone number: Anthropic asks for ids that say nothing of a person."""


def max_tokens_of(settings: Settings, traits: Traits, thought: Thought, losses: Losses, *, is_own: bool) -> int:
    """Return `max_tokens`, which Anthropic wants stated."""
    most = traits.max_output_tokens
    asked = settings.max_tokens
    if asked is None:
        usual = DEFAULT_MAX_TOKENS if most is None else min(most, KNOWN_DEFAULT_MAX_TOKENS)
        budget = (thought.thinking or {}).get("budget_tokens") or 0
        wanted = usual + budget
        return wanted if most is None else min(wanted, max(most, budget + 1))
    if most is not None and asked > most and not is_own:
        losses.change("max_tokens", f"this model gives at most {most} tokens")
        return most
    return asked


def own_knobs(settings: Settings, target: Target, losses: Losses) -> dict[str, Any]:
    """Return the settings of a request that was read from this dialect, as they were but for what a model refuses."""
    knobs = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "stop_sequences": list(settings.stop) or None,
        "service_tier": _WIRE_TIERS.get(settings.service_tier or ""),
    }
    if not target.traits.takes_sampling:
        _refuse_sampling(knobs, losses)
    return {name: value for name, value in knobs.items() if value is not None}


def knobs_of(settings: Settings, target: Target, thought: Thought, losses: Losses) -> dict[str, Any]:
    """Return the settings of a request of another dialect, but for those that `max_tokens_of` and others write.

    Raises InputError where several answers are asked for.
    """
    if settings.n is not None and settings.n > 1:
        raise InputError(f"Claude gives one answer a call, not {settings.n}.", hint="Send n: 1, or call several times.")
    knobs = _sampling(settings, target, thought, losses)
    stop = [text for text in settings.stop if text.strip()]
    if len(stop) < len(settings.stop):
        losses.drop("stop", "a stop sequence of blanks alone is refused")
    if stop:
        knobs["stop_sequences"] = stop
    if (user := _user(settings.user, losses)) is not None:
        knobs["metadata"] = {"user_id": user}
    if (tier := _tier(settings.service_tier, losses)) is not None:
        knobs["service_tier"] = tier
    for name, reason in _UNKNOWN.items():
        value = getattr(settings, name)
        if value is not None and value is not False and value != {}:
            losses.drop(name, reason)
    if any(modality != "text" for modality in settings.modalities):
        losses.drop("modalities", "Claude answers with text")
    return knobs


def _sampling(settings: Settings, target: Target, thought: Thought, losses: Losses) -> dict[str, Any]:
    knobs: dict[str, Any] = {"temperature": settings.temperature, "top_p": settings.top_p, "top_k": settings.top_k}
    if not target.traits.takes_sampling:
        _refuse_sampling(knobs, losses)
    temperature, top_p = knobs["temperature"], knobs["top_p"]
    if temperature is not None and temperature > 1:
        losses.change("temperature", "Anthropic's ends at 1")
        temperature = knobs["temperature"] = 1.0
    if thought.is_on:
        if temperature is not None and temperature != 1:
            losses.drop("temperature", "Claude takes none while it thinks")
            knobs["temperature"] = None
        if knobs["top_k"] is not None:
            losses.drop("top_k", "Claude takes none while it thinks")
            knobs["top_k"] = None
        if top_p is not None and top_p < LEAST_THINKING_TOP_P:
            losses.drop("top_p", f"Claude takes none below {LEAST_THINKING_TOP_P} while it thinks")
            knobs["top_p"] = None
    if knobs["temperature"] is not None and knobs["top_p"] is not None:
        if knobs["top_p"] != 1:
            losses.drop("top_p", "Claude takes a temperature or a top_p, not both")
        knobs["top_p"] = None
    return {name: value for name, value in knobs.items() if value is not None}


def _refuse_sampling(knobs: dict[str, Any], losses: Losses) -> None:
    for name in ("temperature", "top_p", "top_k"):
        if knobs[name] is not None:
            losses.drop(name, "this model takes none")
            knobs[name] = None


def _user(user: str | None, losses: Losses) -> str | None:
    if user is None:
        return None
    if _PERSONAL.fullmatch(user.strip()):
        losses.drop("user", "Anthropic wants no e-mail address or telephone number as a user id")
        return None
    return user


def _tier(tier: str | None, losses: Losses) -> str | None:
    if tier is None or tier in _WIRE_TIERS:
        return _WIRE_TIERS.get(tier or "")
    if tier == "priority":
        losses.change("service_tier", "Anthropic's auto takes the priority tier where it was bought")
        return "auto"
    losses.drop("service_tier", f"Anthropic has no tier {tier!r}")
    return None
