"""How many tokens a call used, in one form for every provider.

Counts are inclusive: `cache_read_tokens` and `cache_write_tokens` are part of `input_tokens`, `reasoning_tokens` part
of `output_tokens`, audio and image tokens part of their side. A provider that counts otherwise is corrected in its
dialect. None means the provider did not say; it is never 0.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, and what else its price depends on."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    """All lifetimes together."""
    cache_write_1h_tokens: int | None = None
    """The part of `cache_write_tokens` that lives one hour; the rest lives five minutes."""
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    web_searches: int | None = None
    service_tier: str | None = None
    """The tier that served the call, as the answer says it."""
    stated_cost_nusd: int | None = None
    """What the provider itself says the call cost, in nano-USD (OpenRouter's `usage.cost`, for one)."""
    is_estimated: bool = False
    """Counted by us (an aborted stream), not reported by the provider."""
