"""The rates one call is charged by, ready to multiply.

Rates are integers of 1e-24 US dollars a unit (a token, a search, a request), so that every published price is exact and
adding them up never rounds.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

USD_PER_MTOK: Final = 10**18
"""One dollar a million tokens, as a rate."""

USD_PER_THOUSAND: Final = 10**21
"""One dollar a thousand searches or requests, as a rate."""

NUSD: Final = 10**15
"""One nano-dollar in the unit of the rates."""


@dataclass(frozen=True, slots=True)
class Price:
    """Rates of one model at one time, for one size of prompt and one service tier. None: that side has no price."""

    input_rate: int | None
    output_rate: int | None
    cache_read_rate: int | None
    cache_write_rate: int | None
    cache_write_1h_rate: int | None
    reasoning_rate: int | None
    input_audio_rate: int | None
    output_audio_rate: int | None
    cache_read_audio_rate: int | None
    input_image_rate: int | None
    output_image_rate: int | None
    web_search_rate: int = 0
    request_rate: int = 0


def rates(dollars: dict[str, Decimal]) -> Price | None:
    """Return the price that published dollars make, None where neither side of a call has one.

    The keys are those of genai-prices (`input_mtok`, `cache_read_mtok` …). A rate that is not published falls back to
    the nearest plainer one: a cached token costs an input token, a write for an hour costs a write, an audio token a
    text token. A published 0 is a price.
    """
    values = {key: int((usd * USD_PER_MTOK).to_integral_value()) for key, usd in dollars.items()}
    given, sent = values.get("input_mtok"), values.get("output_mtok")
    if given is None and sent is None:
        return None
    read = values.get("cache_read_mtok", given)
    write = values.get("cache_write_5m_mtok", values.get("cache_write_mtok", given))
    return Price(
        input_rate=given,
        output_rate=sent,
        cache_read_rate=read,
        cache_write_rate=write,
        cache_write_1h_rate=values.get("cache_write_1h_mtok", values.get("cache_write_mtok", write)),
        reasoning_rate=values.get("output_reasoning_mtok", sent),
        input_audio_rate=values.get("input_audio_mtok", given),
        output_audio_rate=values.get("output_audio_mtok", sent),
        cache_read_audio_rate=values.get("cache_audio_read_mtok", read),
        input_image_rate=values.get("input_image_mtok", given),
        output_image_rate=values.get("output_image_mtok", sent),
        web_search_rate=values.get("web_searches_kcount", 0) * 1000,
        request_rate=values.get("requests_kcount", 0) * 1000,
    )


FREE: Final = rates({"input_mtok": Decimal(0), "output_mtok": Decimal(0)})
"""What a model costs that its provider gives away."""
