"""What a call cost.

Prices come from `book`; this file only multiplies. Money is integer nano-USD (1e-9 USD), so that sums in the store are
exact; a call is rounded once, at its end, half to even.
"""

from dataclasses import dataclass

from app.errors import InputError
from app.models.usage import Usage
from app.pricing.price import NUSD, Price

_HALF = NUSD // 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost, and for what. The parts add up to the total."""

    total_nusd: int
    parts: dict[str, int]
    """Nano-USD by what was charged: input, cache_read, cache_write, output, reasoning … Nothing used, no part."""


def cost_of(usage: Usage | None, price: Price | None) -> Cost | None:
    """Return the cost of `usage`, or None where a needed count or rate is not known.

    What the provider itself says the call cost wins. Cached tokens are part of `usage.input_tokens`: they are taken
    out first and charged at their own rate. None is not zero: a free model costs 0, an unpriced one is unknown.

    Raises InputError if more tokens were cached than were sent, or more were thought than were answered.
    """
    if usage is None:
        return None
    if usage.stated_cost_nusd is not None:
        return Cost(usage.stated_cost_nusd, {"stated": usage.stated_cost_nusd})
    if price is None:
        return None
    charges: list[tuple[str, int, int | None]] = []
    if not _charge_input(usage, price, charges) or not _charge_output(usage, price, charges):
        return None
    if usage.web_searches and price.web_search_rate:
        charges.append(("web_search", usage.web_searches, price.web_search_rate))
    if price.request_rate:
        charges.append(("request", 1, price.request_rate))
    return _sum(charges)


def _charge_input(usage: Usage, price: Price, charges: list[tuple[str, int, int | None]]) -> bool:
    """Add what was sent, in disjoint buckets. False: a count is missing."""
    given = usage.input_tokens
    if given is None:
        return not price.input_rate
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    write_1h, audio = usage.cache_write_1h_tokens or 0, usage.input_audio_tokens or 0
    image = usage.input_image_tokens or 0
    if not (read or write or audio or image):
        charges.append(("input", given, price.input_rate))
        return True
    plain = given - read - write
    if plain < 0 or write_1h > write:
        raise InputError(f"{read} tokens read from the cache and {write} written ({write_1h} for 1 h) of {given} sent")
    read_audio = min(usage.cache_read_audio_tokens or 0, read, audio)
    # A provider counts audio and images in what it cached, too, and says how much only for audio: what the cache
    # does not cover is the most that can be left of them.
    fresh_audio = min(audio - read_audio, plain)
    fresh_image = min(image, plain - fresh_audio)
    charges += (
        ("input", plain - fresh_audio - fresh_image, price.input_rate),
        ("cache_read", read - read_audio, price.cache_read_rate),
        ("cache_read_audio", read_audio, price.cache_read_audio_rate),
        ("cache_write", write - write_1h, price.cache_write_rate),
        ("cache_write_1h", write_1h, price.cache_write_1h_rate),
        ("input_audio", fresh_audio, price.input_audio_rate),
        ("input_image", fresh_image, price.input_image_rate),
    )
    return True


def _charge_output(usage: Usage, price: Price, charges: list[tuple[str, int, int | None]]) -> bool:
    """Add what was answered, in disjoint buckets. False: a count is missing."""
    sent = usage.output_tokens
    if sent is None:
        return not price.output_rate
    thought, audio, image = usage.reasoning_tokens or 0, usage.output_audio_tokens or 0, usage.output_image_tokens or 0
    if not (thought or audio or image):
        charges.append(("output", sent, price.output_rate))
        return True
    if thought > sent:
        raise InputError(f"{thought} reasoning tokens of {sent} answered")
    audio = min(audio, sent - thought)
    image = min(image, sent - thought - audio)
    charges += (
        ("output", sent - thought - audio - image, price.output_rate),
        ("reasoning", thought, price.reasoning_rate),
        ("output_audio", audio, price.output_audio_rate),
        ("output_image", image, price.output_image_rate),
    )
    return True


def _sum(charges: list[tuple[str, int, int | None]]) -> Cost | None:
    """Multiply and add; None where something was used that has no rate. Parts are cut from the running sum."""
    parts: dict[str, int] = {}
    exact = told = 0
    for name, count, rate in charges:
        if not count:
            continue
        if rate is None:
            return None
        exact += count * rate
        upto, rest = divmod(exact, NUSD)
        if rest > _HALF or (rest == _HALF and upto & 1):
            upto += 1
        parts[name] = upto - told
        told = upto
    return Cost(told, parts)
