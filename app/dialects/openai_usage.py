"""Usage as OpenAI writes it, in both of its spellings, and as those who copied it do."""

from typing import Any

from app.dialects.wire import count, fields, nusd, word
from app.models.usage import Usage

_TICKS_PER_NUSD = 10
"""xAI's `cost_in_usd_ticks` counts 1e-10 dollars."""


def usage_of(usage: object, tier: object = None) -> Usage | None:
    """Return what a `usage` object says, None where there is none. `tier` is the answer's own `service_tier`."""
    if not isinstance(usage, dict) or not usage:
        return None
    sent = fields(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    got = fields(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    reasoning = _first(got.get("reasoning_tokens"), usage.get("reasoning_tokens"))
    input_tokens = _first(usage.get("prompt_tokens"), usage.get("input_tokens"))
    output_tokens = _first(usage.get("completion_tokens"), usage.get("output_tokens"))
    return Usage(
        input_tokens=input_tokens,
        output_tokens=_with_reasoning(input_tokens, output_tokens, reasoning, count(usage.get("total_tokens"))),
        cache_read_tokens=_first(
            sent.get("cached_tokens"),
            usage.get("prompt_cache_hit_tokens"),
            usage.get("cached_tokens"),
            usage.get("cache_read_input_tokens"),
        ),
        cache_write_tokens=_first(sent.get("cache_write_tokens"), usage.get("cache_creation_input_tokens")),
        reasoning_tokens=reasoning,
        input_audio_tokens=_first(sent.get("audio_tokens"), usage.get("prompt_audio_tokens")),
        output_audio_tokens=count(got.get("audio_tokens")),
        cache_read_audio_tokens=count(fields(sent.get("cached_tokens_details")).get("audio_tokens")),
        input_image_tokens=count(sent.get("image_tokens")),
        output_image_tokens=count(got.get("image_tokens")),
        web_searches=_searches(usage),
        service_tier=word(tier) or word(usage.get("service_tier")),
        stated_cost_nusd=_cost(usage),
    )


def merge(before: Any, after: Any) -> Any:
    """Return two usages of one stream as one: field by field the larger number, else what came last and is not null.

    Counts in streams are cumulative; a provider that repeats them as 0 at the end does not undo them.
    """
    if after is None:
        return before
    if isinstance(before, dict) and isinstance(after, dict):
        return before | {key: merge(before.get(key), value) for key, value in after.items()}
    if _is_number(before) and _is_number(after):
        return max(before, after)
    return after


def _with_reasoning(sent: int | None, got: int | None, reasoning: int | None, total: int | None) -> int | None:
    """Return the output with its reasoning: xAI counts it beside the completion, which only the total tells."""
    if sent is None or got is None or not reasoning or total is None:
        return got
    return got + reasoning if total == sent + got + reasoning else got


def _searches(usage: dict[str, Any]) -> int | None:
    details = fields(usage.get("server_tool_use_details") or usage.get("server_tool_use"))
    sided = fields(usage.get("server_side_tool_usage_details"))
    return _first(details.get("web_search_requests"), sided.get("web_search_calls"), usage.get("num_search_queries"))


def _cost(usage: dict[str, Any]) -> int | None:
    cost = usage.get("cost")
    if isinstance(cost, dict):
        if cost.get("currency", "USD") != "USD":
            return None
        return nusd(cost.get("total_cost"))
    if cost is not None:
        return nusd(cost)
    ticks = count(usage.get("cost_in_usd_ticks"))
    return None if ticks is None else (ticks + _TICKS_PER_NUSD // 2) // _TICKS_PER_NUSD


def _first(*values: object) -> int | None:
    for value in values:
        found = count(value)
        if found is not None:
            return found
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
