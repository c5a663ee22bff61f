"""Usage as OpenAI writes it, in both of its spellings, and as those who copied it do."""

from typing import Any

from app.dialects.wire import count, fields, first_count, nusd, word
from app.models.usage import Usage

_TICKS_PER_NUSD = 10
"""xAI's `cost_in_usd_ticks` counts 1e-10 dollars."""


def usage_of(usage: object, tier: object = None) -> Usage | None:
    """Return what a `usage` object says, None where there is none. `tier` is the answer's own `service_tier`."""
    if not isinstance(usage, dict) or not usage:
        return None
    of_input = fields(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    of_output = fields(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    sent, read, written = _input(usage, of_input)
    got, thought = _output(usage, of_output, sent)
    return Usage(
        input_tokens=sent,
        output_tokens=got,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=thought,
        input_audio_tokens=first_count(of_input.get("audio_tokens"), usage.get("prompt_audio_tokens")),
        output_audio_tokens=count(of_output.get("audio_tokens")),
        cache_read_audio_tokens=count(fields(of_input.get("cached_tokens_details")).get("audio_tokens")),
        input_image_tokens=count(of_input.get("image_tokens")),
        output_image_tokens=count(of_output.get("image_tokens")),
        web_searches=_searches(usage),
        service_tier=word(tier) or word(usage.get("service_tier")),
        stated_cost_nusd=_cost(usage),
    )


def merge(before: Any, after: Any) -> Any:
    """Return two usages of one stream as one: field by field what came last and is not null.

    Counts in streams are cumulative, so the last is the total; one that says 0 at the end undoes nothing.
    """
    if after is None:
        return before
    if isinstance(before, dict) and isinstance(after, dict):
        return before | {key: merge(before.get(key), value) for key, value in after.items()}
    if _is_number(before) and _is_number(after):
        return after or before
    return after


def _input(usage: dict[str, Any], details: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Return what was sent, and of it what was read from the cache and written to it."""
    sent = first_count(usage.get("prompt_tokens"), usage.get("input_tokens"))
    read = first_count(
        details.get("cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        usage.get("cached_tokens"),
        usage.get("cache_read_input_tokens"),
    )
    written = first_count(details.get("cache_write_tokens"), usage.get("cache_creation_input_tokens"))
    if sent is None:
        return sent, read, written
    if read is not None and read > sent:
        sent += read  # Azure's Grok leaves out of the prompt what the cache had.
    if written is not None and (read or 0) + written > sent:
        written = None  # OpenRouter tells Gemini's cached tokens as read and as written.
    return sent, read, written


def _output(usage: dict[str, Any], details: dict[str, Any], sent: int | None) -> tuple[int | None, int | None]:
    """Return what was answered, its reasoning included, and the reasoning.

    xAI counts the reasoning beside the completion, which only the total tells.
    """
    got = first_count(usage.get("completion_tokens"), usage.get("output_tokens"))
    thought = first_count(details.get("reasoning_tokens"), usage.get("reasoning_tokens"))
    if got is None or not thought:
        return got, thought
    total = count(usage.get("total_tokens"))
    if total == (sent or 0) + got + thought:
        return got + thought, thought
    return got, min(thought, got)


def _searches(usage: dict[str, Any]) -> int | None:
    details = fields(usage.get("server_tool_use_details") or usage.get("server_tool_use"))
    sided = fields(usage.get("server_side_tool_usage_details"))
    return first_count(
        details.get("web_search_requests"), sided.get("web_search_calls"), usage.get("num_search_queries")
    )


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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
