"""Usage as Gemini counts it: thoughts beside the candidates, tools' prompts beside the prompt.

https://ai.google.dev/api/generate-content#UsageMetadata
"""

from typing import Any, Final

from app.dialects.gemini_parts import camelled, pick
from app.dialects.wire import count, entries, word
from app.models.usage import Usage

_MODALITIES: Final = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
_TIERS: Final = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
    "PROVISIONED_THROUGHPUT": "provisioned",
}
"""Vertex calls the tier a traffic type."""


def usage_of(usage: object) -> Usage | None:
    """Return what `usageMetadata` says, None where there is none."""
    if not isinstance(usage, dict) or not usage:
        return None
    if "prompt_token_count" in usage or "total_token_count" in usage:
        usage = camelled(usage)
    get = usage.get
    sent, tool_prompt = count(get("promptTokenCount")), count(get("toolUsePromptTokenCount"))
    got, thought = count(get("candidatesTokenCount")), count(get("thoughtsTokenCount"))
    of_input = _by_modality(get("promptTokensDetails"))
    of_output = _by_modality(get("candidatesTokensDetails"))
    of_cache = _by_modality(get("cacheTokensDetails"))
    return Usage(
        input_tokens=_sum(sent, tool_prompt),
        output_tokens=_sum(got, thought),
        cache_read_tokens=count(get("cachedContentTokenCount")),
        reasoning_tokens=thought,
        input_audio_tokens=of_input.get("AUDIO"),
        output_audio_tokens=of_output.get("AUDIO"),
        cache_read_audio_tokens=of_cache.get("AUDIO"),
        input_image_tokens=of_input.get("IMAGE"),
        output_image_tokens=of_output.get("IMAGE"),
        service_tier=_tier(usage),
    )


def usage_metadata(usage: Usage) -> dict[str, object]:
    """Return a usage in Gemini's words: `candidatesTokenCount` has no thoughts in it, the prompt what was cached."""
    told: dict[str, object] = {"promptTokenCount": usage.input_tokens or 0}
    if usage.cache_read_tokens:
        told["cachedContentTokenCount"] = usage.cache_read_tokens
    thought = usage.reasoning_tokens or 0
    told["candidatesTokenCount"] = max(0, (usage.output_tokens or 0) - thought)
    if thought:
        told["thoughtsTokenCount"] = thought
    told["totalTokenCount"] = (usage.input_tokens or 0) + max(usage.output_tokens or 0, thought)
    for name, whole, audio, image in (
        ("promptTokensDetails", usage.input_tokens, usage.input_audio_tokens, usage.input_image_tokens),
        ("candidatesTokensDetails", usage.output_tokens, usage.output_audio_tokens, usage.output_image_tokens),
    ):
        if audio or image:
            hidden = thought if name.startswith("candidates") else 0
            text = max(0, (whole or 0) - hidden - (audio or 0) - (image or 0))
            counted = (("TEXT", text), ("AUDIO", audio), ("IMAGE", image))
            told[name] = [{"modality": modality, "tokenCount": tokens} for modality, tokens in counted if tokens]
    if usage.cache_read_audio_tokens:
        told["cacheTokensDetails"] = [{"modality": "AUDIO", "tokenCount": usage.cache_read_audio_tokens}]
    return told


def _by_modality(details: object) -> dict[str, int]:
    found: dict[str, int] = {}
    if not details:
        return found
    for entry in entries(details):
        modality, tokens = entry.get("modality"), count(pick(entry, "tokenCount", "token_count"))
        name = _MODALITIES.get(modality, "") if isinstance(modality, int) else str(modality)
        if tokens is not None:
            found[name] = tokens
    return found


def _tier(usage: dict[str, Any]) -> str | None:
    stated, traffic = word(usage.get("serviceTier")), usage.get("trafficType")
    if stated or not isinstance(traffic, str):
        return stated
    return _TIERS.get(traffic, traffic)


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)
