"""Prices as they are published: the data bundled with genai-prices. No network, ever.

Importing the data takes some 100 ms and 10 MB, so it happens on the first question, in the thread that asks. Use from
one thread only.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

from app.pricing.price import FREE, Price, rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

Bands = tuple[tuple[int, Price | None], ...]
"""(Input tokens that must be exceeded, price), rising: the last one exceeded holds for every token of the call."""

_DATED: Final = re.compile(r"[-@](20\d\d-?[01]\d-?[0-3]\d|[01]\d-20\d\d)$")
_UNSOLD: Final = frozenset({"demo", "ollama", "lmstudio", "llamacpp", "vllm", "local"})
"""Providers that run on the user's own machine: the price of a hosted namesake would be wrong."""
_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 86_400_000_000_000
_MOST_TIMES: Final = 64


@dataclass(slots=True)
class Listing:
    """One model's published prices, over time and service tiers."""

    model: "ModelInfo"
    has_variants: bool
    """False where a provider borrows another's price list: that list's batch and tier prices are not its own."""
    _bands: dict[tuple[str | None, int], Bands] = field(default_factory=dict)
    _step_ns: int | None = None

    def bands(self, service_tier: str | None, at_ns: int) -> Bands:
        """Return the prices at a time, for the tier that served the call (None and `standard`: the plain prices)."""
        if self._step_ns is None:
            self._step_ns = self._granularity_ns()
        key = (service_tier, at_ns // self._step_ns if self._step_ns else 0)
        found = self._bands.get(key)
        if found is None:
            if len(self._bands) >= _MOST_TIMES:
                self._bands.clear()
            found = self._bands[key] = self._read(service_tier, at_ns)
        return found

    def _read(self, service_tier: str | None, at_ns: int) -> Bands:
        context = _context(service_tier) if self.has_variants else None
        if context and not any(variant.when.items() <= context.items() for variant in self.model.price_variants or ()):
            context = None
        at = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
        if context:
            asked = {key: value for key, value in context.items() if value}
            return _bands(self.model.get_prices(at, asked), is_free=False)
        return _bands(self.model.get_prices(at), is_free=self.model.id.endswith(":free"))

    def _granularity_ns(self) -> int:
        """Return how often its prices may change: 0 never, else a day or a minute."""
        dated = [part.constraint for part in self.model.prices] if isinstance(self.model.prices, list) else []
        dated += [variant.constraint for variant in self.model.price_variants or ()]
        held = [constraint for constraint in dated if constraint is not None]
        if not held:
            return 0
        return _DAY_NS if all(hasattr(constraint, "start_date") for constraint in held) else _MINUTE_NS


class PriceList:
    """Every published price."""

    def listing(self, provider: str | None, model: str) -> Listing | None:
        """Return the prices of a model as its provider names it, None where it is not listed.

        A provider we do not know (a name from the user's config) is looked past: the model's own name decides.
        Snapshot dates and `provider/` prefixes are dropped where the full name is not listed.
        """
        name = provider.lower() if provider else None
        if name in _UNSOLD:
            return None
        house = self._provider(name) if name else None
        for spelling in _spellings(model.lower()):
            found = self._look(house, spelling)
            if found is not None:
                return found
        return None

    @cached_property
    def _providers(self) -> "list[Provider]":
        from genai_prices.data import providers

        return providers

    def _look(self, house: "Provider | None", model: str) -> Listing | None:
        if house is None:
            prefix, slash, rest = model.partition("/")
            if slash and prefix not in _UNSOLD and (named := self._provider(prefix)) is not None:
                return self._look(named, rest)
            house = next((it for it in self._providers if it.model_match and it.model_match.is_match(model)), None)
            if house is None:
                return None
        found = house.find_model(model, all_providers=self._providers)
        if found is None:
            prefix, slash, rest = model.partition("/")
            return self._look(house, rest) if slash and self._provider(prefix) is house else None
        return Listing(found, any(found is own for own in house.models))

    def _provider(self, name: str) -> "Provider | None":
        for provider in self._providers:
            if provider.id == name:
                return provider
        for provider in self._providers:
            if provider.provider_match and provider.provider_match.is_match(name):
                return provider
        return None


def _spellings(model: str) -> list[str]:
    """Return a model's name, then the ways it may stand in the list, surest first."""
    plain = model.removeprefix("models/")
    found = [model, plain, _DATED.sub("", plain)]
    return list(dict.fromkeys(found))


def _context(service_tier: str | None) -> dict[str, str] | None:
    """Return what a served tier means to the price list."""
    if not service_tier:
        return None
    tier = service_tier.lower().removeprefix("on_demand_")
    context = {"service_tier": tier}
    if tier == "batch":
        context["processing"] = tier
    elif tier == "fast":
        context["speed"] = tier
    return context


def _bands(prices: "ModelPrice", *, is_free: bool) -> Bands:
    """Spread tiered rates into whole prices, one for each prompt size that changes any of them."""
    published = {key: value for key, value in vars(prices).items() if value is not None and not key.startswith("_")}
    if not published:
        return ((-1, FREE if is_free else None),)
    starts = {-1}
    for value in published.values():
        if not isinstance(value, Decimal):
            starts.update(tier.start for tier in value.tiers)
    bands = []
    for start in sorted(starts):
        dollars = {}
        for key, value in published.items():
            if isinstance(value, Decimal):
                dollars[key] = value
            else:
                dollars[key] = next((t.price for t in reversed(value.tiers) if start >= t.start), value.base)
        bands.append((start, rates(dollars)))
    return tuple(bands)
