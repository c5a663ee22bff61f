"""The price book: what a model costs, by the user's own rows first and the published prices after.

Use from one thread only: it remembers what it looked up.
"""

from collections.abc import Sequence

from app.config import PriceRow
from app.models.usage import Usage
from app.pricing.own import OwnPrices
from app.pricing.price import Price
from app.pricing.published import Listing, PriceList

_MOST_MODELS = 4096
"""Names remembered before starting over: clients may ask for any name."""


class Book:
    """Prices by provider, model, time, prompt size and service tier."""

    def __init__(self, overrides: Sequence[PriceRow]) -> None:
        self._own = OwnPrices(overrides)
        self._published = PriceList()
        self._listings: dict[tuple[str | None, str], Listing | None] = {}

    def price(
        self, provider: str | None, model: str, at_ns: int, usage: Usage | None, *, asked: str | None = None
    ) -> Price | None:
        """Return the rates that hold for a call, None where the model is not priced.

        `model` is what the answer names, `asked` what was asked of the provider: a row of the user's for either wins
        over the book, and in the book the answer's name is the more exact one.
        """
        tier = usage.service_tier if usage else None
        sent = (usage.input_tokens or 0) if usage else 0
        for name in (model, asked):
            if name and self._own.has_rows and (found := self._own.price(provider, name, tier, sent)) is not None:
                return found
        for name in (model, asked):
            if not name:
                continue
            listing = self._listing(provider, name)
            if listing is None:
                continue
            for above, price in reversed(listing.bands(tier, at_ns)):
                if sent > above:
                    return price
        return None

    def _listing(self, provider: str | None, model: str) -> Listing | None:
        key = (provider, model)
        if key not in self._listings:
            if len(self._listings) >= _MOST_MODELS:
                self._listings.clear()
            self._listings[key] = self._published.listing(provider, model)
        return self._listings[key]
