"""The user's own prices: rows of the config, over the published ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import translate
from typing import Final

from app.config import PriceRow
from app.pricing.price import Price, rates

_KEYS: Final = {
    "input_per_mtok": "input_mtok",
    "output_per_mtok": "output_mtok",
    "cache_read_per_mtok": "cache_read_mtok",
    "cache_write_per_mtok": "cache_write_mtok",
    "cache_write_1h_per_mtok": "cache_write_1h_mtok",
    "reasoning_per_mtok": "output_reasoning_mtok",
    "input_audio_per_mtok": "input_audio_mtok",
    "output_audio_per_mtok": "output_audio_mtok",
    "cache_read_audio_per_mtok": "cache_audio_read_mtok",
    "input_image_per_mtok": "input_image_mtok",
    "output_image_per_mtok": "output_image_mtok",
    "web_search_per_thousand": "web_searches_kcount",
    "request_per_thousand": "requests_kcount",
}
_DATED: Final = re.compile(r"[-@](20\d\d-?[01]\d-?[0-3]\d)$")
_MOST_NAMES: Final = 4096


@dataclass(frozen=True, slots=True)
class _Row:
    """A row, ready to match. Of several that match the highest rank holds."""

    model: re.Pattern[str]
    provider: str | None
    service_tier: str | None
    above: int
    price: Price | None
    rank: tuple[int, ...]


class OwnPrices:
    """The rows of the config. A row is the whole price of what it matches: the book adds nothing."""

    def __init__(self, rows: Sequence[PriceRow]) -> None:
        self.has_rows = bool(rows)
        self._rows = sorted((_prepare(row, number) for number, row in enumerate(rows)), key=lambda it: it.rank)[::-1]
        self._matches: dict[tuple[str | None, str], tuple[_Row, ...]] = {}

    def price(self, provider: str | None, model: str, service_tier: str | None, input_tokens: int) -> Price | None:
        """Return the price of the best row, None where none matches.

        A row for the provider beats one for all, a plain name a pattern, a long pattern a short one, a tier's row the
        plain one, a higher `above_input_tokens` a lower one, a later row an earlier one.
        """
        key = (provider, model)
        rows = self._matches.get(key)
        if rows is None:
            if len(self._matches) >= _MOST_NAMES:
                self._matches.clear()
            rows = self._matches[key] = self._matching(provider, model)
        for row in rows:
            if row.service_tier in (None, service_tier) and input_tokens > row.above:
                return row.price
        return None

    def _matching(self, provider: str | None, model: str) -> tuple[_Row, ...]:
        """Return the rows for a model by its full name, else by the name without prefix, else without its date."""
        plain = model.removeprefix("models/")
        bare = plain.rpartition("/")[2]
        for name in dict.fromkeys((model, plain, bare, _DATED.sub("", plain), _DATED.sub("", bare))):
            found = tuple(
                row for row in self._rows if row.provider in (None, provider) and row.model.fullmatch(name.lower())
            )
            if found:
                return found
        return ()


def _prepare(row: PriceRow, number: int) -> _Row:
    given = {key: getattr(row, field) for field, key in _KEYS.items()}
    is_plain = not any(mark in row.model for mark in "*?[")
    rank = (row.provider is not None, is_plain, len(row.model), row.service_tier is not None)
    above = row.above_input_tokens if row.above_input_tokens is not None else -1
    return _Row(
        model=re.compile(translate(row.model.lower())),
        provider=row.provider,
        service_tier=row.service_tier,
        above=above,
        price=rates({key: Decimal(str(usd)) for key, usd in given.items() if usd is not None}),
        rank=(*(int(it) for it in rank), above, number),
    )
