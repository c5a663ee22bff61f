"""Usage as Anthropic counts it, read and written: its `input_tokens` leave out what was cached, ours do not."""

from typing import Any, Final

from app.dialects.wire import count, entries, fields, word
from app.models.message import Extras
from app.models.usage import Usage

_TIERS: Final = {"default": "standard", "standard": "standard", "priority": "priority", "batch": "batch"}
"""Other providers' words → Anthropic's for the tier that served a call."""
_READ: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "cache_creation",
        "output_tokens_details",
        "server_tool_use",
        "service_tier",
    }
)


def usage_of(usage: object) -> Usage | None:
    """Return Anthropic's usage, None where there is none.

    A compaction is billed and left out of the totals: it is added. What an advisor used is another model's.
    """
    if not isinstance(usage, dict) or not usage:
        return None
    compactions = _compactions(usage)
    steps = [usage, *compactions] if compactions else [usage]
    sent = _sum(steps, "input_tokens")
    read = _sum(steps, "cache_read_input_tokens")
    written = _sum(steps, "cache_creation_input_tokens")
    lifetimes = [fields(step.get("cache_creation")) for step in steps]
    long_lived = _sum(lifetimes, "ephemeral_1h_input_tokens")
    if written is None and long_lived is not None:
        written = (_sum(lifetimes, "ephemeral_5m_input_tokens") or 0) + long_lived
    return Usage(
        input_tokens=None if sent is None else sent + (read or 0) + (written or 0),
        output_tokens=_sum(steps, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=long_lived,
        reasoning_tokens=count(fields(usage.get("output_tokens_details")).get("thinking_tokens")),
        web_searches=count(fields(usage.get("server_tool_use")).get("web_search_requests")),
        service_tier=word(usage.get("service_tier")),
    )


def usage_rest(usage: object) -> Extras:
    """Return what `usage_of` has no word for, under Anthropic's names; None where that is nothing."""
    if not isinstance(usage, dict):
        return None
    rest = {name: value for name, value in usage.items() if name not in _READ and value is not None}
    asked = fields(usage.get("server_tool_use"))
    if any(name != "web_search_requests" for name in asked):
        rest["server_tool_use"] = {name: value for name, value in asked.items() if name != "web_search_requests"}
    return rest or None


def write_usage(usage: Usage | None, rest: object = None, *, is_start: bool = False) -> dict[str, Any]:
    """Return usage as Anthropic writes it. All counts are integers: clients of its SDKs add them up unasked.

    `rest` is what `usage_rest` kept. `is_start`: as a stream's first event has it, before anything was answered.
    """
    found = usage or Usage()
    kept = fields(rest)
    billed = _compactions(kept)
    read, written = found.cache_read_tokens or 0, found.cache_write_tokens or 0
    long_lived = min(found.cache_write_1h_tokens or 0, written)
    shown: dict[str, Any] = {
        "input_tokens": max(0, (found.input_tokens or 0) - read - written - (_sum(billed, "input_tokens") or 0)),
        "cache_creation_input_tokens": written - (_sum(billed, "cache_creation_input_tokens") or 0),
        "cache_read_input_tokens": read - (_sum(billed, "cache_read_input_tokens") or 0),
        "output_tokens": max(0, (found.output_tokens or 0) - (_sum(billed, "output_tokens") or 0)),
        "cache_creation": {
            "ephemeral_5m_input_tokens": written - long_lived,
            "ephemeral_1h_input_tokens": long_lived,
        },
    }
    if found.reasoning_tokens is not None and not is_start:
        shown["output_tokens_details"] = {"thinking_tokens": found.reasoning_tokens}
    asked = fields(kept.get("server_tool_use"))
    if found.web_searches is not None or asked:
        searches = {"web_search_requests": found.web_searches or 0, "web_fetch_requests": 0}
        shown["server_tool_use"] = {**searches, **asked}
    tier = _TIERS.get(found.service_tier or "")
    if tier is not None:
        shown["service_tier"] = tier
    return {**shown, **{name: value for name, value in kept.items() if name != "server_tool_use"}}


def _compactions(usage: dict[str, Any]) -> list[dict[str, Any]]:
    if "iterations" not in usage:
        return []
    return [step for step in entries(usage["iterations"]) if step.get("type") == "compaction"]


def _sum(steps: list[dict[str, Any]], name: str) -> int | None:
    found = [tokens for step in steps if (tokens := count(step.get(name))) is not None]
    return sum(found) if found else None
