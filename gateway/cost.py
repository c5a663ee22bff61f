"""What a call cost, told to its client in a header: where the answer came whole and the price book is at hand.

The book is loaded by the writer when it first reads a call; until then no cost is told, so that no client waits for it.
A stream's cost is known only behind its headers: the record has it.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from app.config import PriceRow
from app.errors import InputError
from app.models.chat import Reply
from gateway.exchange import Exchange

if TYPE_CHECKING:
    from app.pricing.book import Book

Pairs = list[tuple[bytes, bytes]]

_BOOK: Final = "genai_prices.data"
_MOST_BYTES: Final = 256 * 1024
"""A larger answer is not read on the event loop."""


class CostTag:
    """Prices whole answers. On the event loop only."""

    def __init__(self, prices: Callable[[], Sequence[PriceRow]]) -> None:
        self._prices = prices
        self._priced: Sequence[PriceRow] | None = None
        self._book: Book

    def headers(self, exchange: Exchange, body: bytes) -> Pairs:
        """Return the header for a provider's whole answer, [] where the cost is not known."""
        if _BOOK not in sys.modules or not exchange.route.dialect or len(body) > _MOST_BYTES:
            return []
        from app.dialects.registry import reader_of

        upstream, reader = exchange.upstream, reader_of(exchange.upstream_dialect)
        if reader is None or upstream is None or upstream.status != 200:
            return []
        return self.headers_for(exchange, reader.read_reply(body, upstream.status))

    def headers_for(self, exchange: Exchange, reply: Reply) -> Pairs:
        """Return the header for an answer that was read."""
        plan, usage = exchange.plan, reply.usage
        if _BOOK not in sys.modules or plan is None or usage is None:
            return []
        from app.pricing.cost import cost_of

        model = reply.model or plan.model or ""
        book = self._current_book()
        try:
            cost = cost_of(usage, book.price(plan.provider_name, model, exchange.start_ns, usage, asked=plan.model))
        except InputError:
            return []
        return [] if cost is None else [(b"x-gatescope-cost-usd", dollars(cost.total_nusd).encode())]

    def _current_book(self) -> "Book":
        prices = self._prices()
        if self._priced is not prices:
            from app.pricing.book import Book

            self._priced, self._book = prices, Book(prices)
        return self._book


def dollars(nusd: int) -> str:
    """Return nano-USD as plain dollars, exact and without an exponent: `0.000123`."""
    text = f"{nusd // 1_000_000_000}.{nusd % 1_000_000_000:09d}".rstrip("0")
    return text + "0" if text.endswith(".") else text
