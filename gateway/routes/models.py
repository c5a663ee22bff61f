"""`/v1/models`: the aliases and the models that providers are known to have, as each SDK expects a list.

Every model is there for every client, whatever its provider speaks. `gatescope` says what is known of it: where it is
asked, what it can and what it costs. Pages are cut as each API does it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from app.catalog import traits_of
from app.config import Config, PriceRow
from app.errors import InputError
from app.provider_options import dialects_for
from gateway.exchange import Exchange, Reply
from gateway.routes.route import Family

_JSON: Final = ((b"content-type", b"application/json"),)
_PAGE: Final = {"anthropic": ("limit", 20), "gemini": ("pageSize", 50)}
"""By which parameter a page's size is asked for, and the size where it is not. OpenAI's list has no pages."""
_MOST: Final = 1000
_UNKNOWN_DATE: Final = "1970-01-01T00:00:00Z"

Item = dict[str, Any]


class ModelList:
    """The stage that answers questions about models itself. A client with a provider's own key asks the provider."""

    def __init__(self, config: Callable[[], Config], prices: Callable[[], Sequence[PriceRow]]) -> None:
        """`prices` are the rows over the price book."""
        self._config = config
        self._prices = prices
        self._known: dict[str, Item] = {}
        self._known_of: tuple[Config, Sequence[PriceRow]] | None = None
        self._reading = asyncio.Lock()

    async def admit(self, exchange: Exchange) -> None:
        """Answer a listing; a single model is left to the planner where it is not listed. Raises InputError."""
        route, caller = exchange.route, exchange.caller
        if route.operation != "models" or route.provider or exchange.request.method != "GET":
            return
        if caller is None or caller.kind == "own":
            return
        known = await self._facts()
        if route.model is None:
            query = exchange.path.partition("?")[2]
            exchange.reply = Reply(200, _JSON, msgspec.json.encode(model_list(known, route.family, query)))
        elif route.model in known:
            item = _item(route.model, known[route.model], route.family)
            exchange.reply = Reply(200, _JSON, msgspec.json.encode(item))

    async def _facts(self) -> dict[str, Item]:
        """Return what is known of each model by its name; worked out anew when the config or the prices change."""
        config, prices = self._config(), self._prices()
        async with self._reading:
            if self._known_of != (config, prices):
                self._known = await asyncio.to_thread(model_facts, config, prices)
                self._known_of = (config, prices)
            return self._known


def model_names(config: Config) -> list[str]:
    """Return what a client may ask for: aliases first, then the providers' models by full name."""
    return [name for name, _, _ in _served(config)]


def model_facts(config: Config, prices: Sequence[PriceRow]) -> dict[str, Item]:
    """Return what is known of each model by the name it is asked for; prices in US dollars a million tokens."""
    from app.pricing.book import Book  # with all published prices: not before it is asked for

    book = Book(prices)
    return {name: _facts_of(config, book, provider, model) for name, provider, model in _served(config)}


def model_list(known: dict[str, Item], family: Family, query: str = "") -> Item:
    """Return a list answer, or the page of it that a query asks for. Raises InputError."""
    names = list(known)
    if family == "openai":
        return {"object": "list", "data": [_item(name, known[name], family) for name in names]}
    asked = {key: values[-1] for key, values in parse_qs(query).items()}
    size = _size(asked, family)
    if family == "gemini":
        start = _place(names, asked["pageToken"]) if "pageToken" in asked else 0
        shown, rest = names[start : start + size], names[start + size :]
        page: Item = {"models": [_item(name, known[name], family) for name in shown]}
        return page | ({"nextPageToken": rest[0]} if rest else {})
    if "before_id" in asked:
        names = names[: _place(names, asked["before_id"])]
        shown, has_more = names[-size:], len(names) > size
    else:
        names = names[_place(names, asked["after_id"]) + 1 :] if "after_id" in asked else names
        shown, has_more = names[:size], len(names) > size
    edges = {"first_id": shown[0] if shown else None, "last_id": shown[-1] if shown else None}
    return {"data": [_item(name, known[name], family) for name in shown], "has_more": has_more, **edges}


def _served(config: Config) -> list[tuple[str, str, str]]:
    """Return the name to ask for, the provider and its own name for the model."""
    found = [(name, alias.targets[0].provider, alias.targets[0].model) for name, alias in config.models.items()]
    for provider_name, provider in config.providers.items():
        named = dict.fromkeys((*provider.models, *provider.offers))
        found += [(f"{provider_name}/{model}", provider_name, model) for model in named if "*" not in model]
    return found


def _facts_of(config: Config, book: Any, provider_name: str, model: str) -> Item:
    traits = traits_of(model)
    spoken = dialects_for(config.providers[provider_name], model)
    facts: Item = {
        "provider": provider_name,
        "model": model,
        "dialect": spoken[0] if spoken else None,
        "context_tokens": traits.context_tokens,
        "max_output_tokens": traits.max_output_tokens,
        "takes": list(traits.takes) or None,
        "thinking": None if traits.thinking == "unknown" else traits.thinking != "none",
        "structured_output": traits.takes_schema,
        **_price(book, provider_name, model),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _price(book: Any, provider_name: str, model: str) -> Item:
    from app.pricing.price import USD_PER_MTOK

    price = book.price(provider_name, model, time.time_ns(), None)
    if price is None:
        return {}
    rates = {"input": price.input_rate, "cache_read": price.cache_read_rate, "output": price.output_rate}
    return {f"{name}_per_mtok": rate / USD_PER_MTOK for name, rate in rates.items() if rate is not None}


def _item(name: str, known: Item, family: Family) -> Item:
    if family == "gemini":
        calls = ["generateContent", "countTokens"]
        limits = {"inputTokenLimit": known.get("context_tokens"), "outputTokenLimit": known.get("max_output_tokens")}
        stated = {key: value for key, value in limits.items() if value is not None}
        told = {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": calls}
        return {**told, **stated, "gatescope": known}
    if family == "anthropic":
        limits = {"max_input_tokens": known.get("context_tokens"), "max_tokens": known.get("max_output_tokens")}
        stated = {key: value for key, value in limits.items() if value is not None}
        told = {"type": "model", "id": name, "display_name": name, "created_at": _UNKNOWN_DATE}
        return {**told, **stated, "gatescope": known}
    return {"id": name, "object": "model", "created": 0, "owned_by": known["provider"], "gatescope": known}


def _size(asked: dict[str, str], family: Family) -> int:
    name, usual = _PAGE[family]
    said = asked.get(name)
    if said is None:
        return usual
    if not said.isdecimal() or not 1 <= int(said) <= _MOST:
        raise InputError(f"{name} must be a number from 1 to {_MOST}, not {said!r}.")
    return int(said)


def _place(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise InputError(f"There is no model {name!r} in the list.", hint="Begin again without a page.")
    return names.index(name)
