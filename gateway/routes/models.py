"""`/v1/models`: the aliases and the models that providers are known to have, as each SDK expects a list."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.config import Config
from gateway.exchange import Exchange, Reply
from gateway.routes.route import Family

_JSON: Final = ((b"content-type", b"application/json"),)


class ModelList:
    """The stage that answers questions about models itself. A client with a provider's own key asks the provider."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    async def admit(self, exchange: Exchange) -> None:
        """Answer a listing; a single model is left to the planner where it is not listed."""
        route, caller = exchange.route, exchange.caller
        if route.operation != "models" or route.provider or exchange.request.method != "GET":
            return
        if caller is None or caller.kind == "own":
            return
        config = self._config()
        if route.model is None:
            exchange.reply = Reply(200, _JSON, model_list(config, route.family))
        elif route.model in model_names(config, route.family):
            exchange.reply = Reply(200, _JSON, model_item(route.model, route.family))


def model_names(config: Config, family: Family) -> list[str]:
    """Return what a client of this family may ask for: aliases first, then the providers' models by full name."""
    dialect = {"openai": "openai_chat", "anthropic": "anthropic", "gemini": "gemini"}[family]
    names = [
        name
        for name, alias in config.models.items()
        if any(config.providers[target.provider].speaks(dialect) for target in alias.targets)
    ]
    for provider_name, provider in config.providers.items():
        if provider.speaks(dialect):
            names += [f"{provider_name}/{model}" for model in (*provider.models, *provider.offers) if "*" not in model]
    return names


def model_list(config: Config, family: Family) -> bytes:
    """Return the body of a list answer."""
    names = model_names(config, family)
    items = [_item(name, family) for name in names]
    if family == "gemini":
        return msgspec.json.encode({"models": items})
    if family == "anthropic":
        edges = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
        return msgspec.json.encode({"data": items, "has_more": False, **edges})
    return msgspec.json.encode({"object": "list", "data": items})


def model_item(name: str, family: Family) -> bytes:
    """Return the body of an answer about one model."""
    return msgspec.json.encode(_item(name, family))


def _item(name: str, family: Family) -> dict[str, Any]:
    if family == "gemini":
        calls = ["generateContent", "countTokens"]
        return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": calls}
    if family == "anthropic":
        return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
    owner = name.partition("/")[0] if "/" in name else "gatescope"
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}
