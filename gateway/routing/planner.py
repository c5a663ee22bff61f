"""The stage that decides where a call goes: an alias, `provider/model`, a bare name that one provider owns."""

import difflib
import re
from collections.abc import Callable
from typing import Final

import msgspec

from app.config import Auth, Config, ProviderConfig
from app.dialects.openai_responses_session import named_in
from app.errors import InputError, Refused
from app.models.call import Edit
from app.provider_options import dialects_for
from gateway.exchange import Caller, Exchange, Plan
from gateway.governance.auth import keys_in, without_query_key
from gateway.providers.credentials import Credentials, wants_key
from gateway.routes.models import model_names
from gateway.routes.route import Family, Route

_HOMES: Final[dict[Family, str]] = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}
"""Where a family's paths lead when nothing else is said."""
_DIALECTS: Final[dict[Family, str]] = {"openai": "openai_chat", "anthropic": "anthropic", "gemini": "gemini"}
_TRANSLATED: Final = frozenset({"chat", "embeddings", "count_tokens"})
_RANKERS: Final = {"voyage": "voyage", "tei": "tei"}
"""Providers that rank in a form of their own, by name; who speaks OpenAI's chat ranks as Cohere and Jina do."""
"""Operations that can be put into another dialect."""
_KEPT: Final = re.compile(rb'"resp_[0-9a-f]{16}"|"conv_gs')
"""Names of what we keep; only where one stands the body is looked at."""
_LAST_WITH_API_KEY: Final = "2023-06-01"
_REMEMBERED: Final = 4096

Found = tuple[str, str | None]
"""Provider and what it calls the model."""


class Planner:
    """Makes plans from the config of the moment."""

    def __init__(self, config: Callable[[], Config], credentials: Credentials) -> None:
        self._config = config
        self._credentials = credentials
        self._found: dict[tuple[str, str], Found] = {}
        self._found_in: Config | None = None
        self._owners: dict[str, str] = {}

    async def admit(self, exchange: Exchange) -> None:
        """Set the exchange's plan. Raises Refused or InputError, saying what would work."""
        config, caller = self._config(), exchange.caller
        assert caller is not None
        name, model = self._where(config, exchange, caller)
        provider = config.providers[name]
        dialect = _other_dialect(exchange.route, (name, model), provider) or _dialect_of_kept(exchange)
        secret = None
        if caller.kind != "own":
            secret = await self._credentials.secret_for(name, provider)
        exchange.plan = _plan(exchange, (name, model), provider, dialect, secret)

    async def settle(self, exchange: Exchange) -> None:
        """Remember which provider made a stored response, so that asking for it finds the way back."""
        route, plan = exchange.route, exchange.plan
        if plan is None or route.dialect != "openai_responses" or route.operation != "chat" or not exchange.pieces:
            return
        if (response_id := response_id_in(exchange.pieces)) is not None:
            self._owners[response_id] = plan.provider_name
            if len(self._owners) > _REMEMBERED:
                del self._owners[next(iter(self._owners))]

    def _where(self, config: Config, exchange: Exchange, caller: Caller) -> Found:
        route, model = exchange.route, exchange.model
        if route.provider is not None:
            _check_passthrough(config, caller)
            return route.provider, model
        if caller.kind == "own":
            return _own_way(config, route, model, caller)
        if model is None:
            if route.model_place in ("body", "path"):
                raise InputError("The request names no model.", hint='Add a "model" to the body.')
            return self._owners.get(route.response_id or "", _HOMES[route.family]), None
        if config is not self._found_in:
            self._found, self._found_in = {}, config
        dialect = route.dialect or _DIALECTS[route.family]
        found = self._found.get((dialect, model))
        if found is None:
            found = find_model(config, dialect, route.family, model)
            if len(self._found) < _REMEMBERED:
                self._found[(dialect, model)] = found
        return found


def find_model(config: Config, dialect: str, family: Family, model: str) -> Found:
    """Return who serves a model, asked for in a dialect. Raises Refused with the nearest names."""
    alias = config.models.get(model)
    if alias is not None:
        first_target = alias.targets[0]
        return first_target.provider, first_target.model
    first, _, rest = model.partition("/")
    if rest and first in config.providers:
        return first, rest
    owners = [name for name, provider in config.providers.items() if provider.serves(model)]
    if not owners:
        raise _unknown_model(config, model)
    return next((name for name in owners if config.providers[name].speaks(dialect)), owners[0]), model


def response_id_in(pieces: list[bytes]) -> str | None:
    """Return the id of the stored response that an answer of the Responses API begins with."""
    head = pieces[0][:4096]
    start = head.find(b'"resp_')
    end = head.find(b'"', start + 1)
    return head[start + 1 : end].decode("utf-8", "replace") if 0 <= start < end else None


def _own_way(config: Config, route: Route, model: str | None, caller: Caller) -> Found:
    """A client's own key goes to the provider it belongs to, and nowhere else."""
    _check_passthrough(config, caller)
    dialect = route.dialect or _DIALECTS[route.family]
    guessed = caller.guessed_provider
    home = _HOMES[route.family]
    if guessed in config.providers and (config.providers[guessed].speaks(dialect) or is_translated(route)):
        home = guessed
    if model is None:
        return home, None
    first, _, rest = model.partition("/")
    if model not in config.models and not (rest and first in config.providers):
        return home, model
    provider, named = find_model(config, dialect, route.family, model)
    if provider == home and model not in config.providers[home].models:
        return provider, named
    if provider != home and not wants_key(config.providers[provider]):
        return provider, named
    if provider == home or home not in _HOMES.values():
        return home, model  # a provider of many vendors' models names them so itself
    raise Refused(
        f"{model!r} is served by {provider!r}, but the key sent is not a Gatescope key, so it only goes to {home!r}.",
        rule="passthrough",
        hint=f"Use a gs-… key, or set base_url to …/{provider}/v1 and send that provider's own key.",
    )


def _check_passthrough(config: Config, caller: Caller) -> None:
    if caller.kind == "own" and not config.passthrough:
        hint = "Use a gs-… key, or set passthrough: true in the config."
        raise Refused("Providers' own keys are not passed through here.", rule="passthrough", hint=hint)


def _plan(exchange: Exchange, found: Found, provider: ProviderConfig, dialect: str, secret: str | None) -> Plan:
    route, edit = exchange.route, None
    name, model = found
    path = exchange.path
    if route.provider is not None:
        path = path[len(route.provider) + 1 :]
    is_own = exchange.caller is not None and exchange.caller.kind == "own"
    keeps_key = is_own and (route.provider is not None or wants_key(provider))
    if keeps_key and dialect:
        secret, keeps_key = next(iter(keys_in(exchange.request)), None), False
    if not keeps_key:
        path = without_query_key(path)
    if model is not None and model != exchange.model and exchange.model is not None:
        if route.model_place == "path":
            path = path.replace(exchange.model, model, 1)
        elif exchange.model_start >= 0:
            text = model.encode() if route.model_place == "form" else msgspec.json.encode(model)
            edit = Edit(exchange.model_start, exchange.model_end, text)
    place = provider.sends_key_as if dialect else _key_place(exchange, provider)
    return Plan(name, provider, model, path, secret, place, keeps_key, edit, dialect)


def is_translated(route: Route) -> bool:
    """Whether a call of this kind can be put into another dialect."""
    return route.operation in _TRANSLATED and route.dialect != "" and route.provider is None


def _other_dialect(route: Route, found: Found, provider: ProviderConfig) -> str:
    """Return what the provider must be spoken to in, "" for the client's own. Raises Refused where it cannot be."""
    if route.provider is not None or (not route.dialect and route.operation == "models"):
        return ""
    spoken = route.dialect or _DIALECTS[route.family]
    name, model = found
    if route.model_place == "none":
        return ""
    if route.operation == "rerank":
        return _ranking_dialect(name, provider)
    answered = dialects_for(provider, model)
    if spoken in answered or (provider.kind is None and provider.speaks(spoken)):
        return ""
    if not is_translated(route) or not answered:
        raise _wrong_dialect(name, provider, spoken)
    return answered[0]


def _dialect_of_kept(exchange: Exchange) -> str:
    """Return the client's own dialect where its conversation is kept here: it is written out, as in a translation."""
    route = exchange.route
    is_asked = is_translated(route) and route.dialect == "openai_responses" and route.operation == "chat"
    if is_asked and _KEPT.search(exchange.body) and named_in(exchange.body).is_kept_here:
        return route.dialect
    return ""


def _key_place(exchange: Exchange, provider: ProviderConfig) -> Auth:
    """Since its version 2026-10-21 Anthropic's API has keys as bearer tokens; before that as `x-api-key`."""
    if provider.auth is None and provider.dialect == "anthropic":
        version = exchange.header("anthropic-version")
        if version is not None and version > _LAST_WITH_API_KEY:
            return "bearer"
    return provider.sends_key_as


def _ranking_dialect(name: str, provider: ProviderConfig) -> str:
    """Return the form a provider ranks in, "" for the client's own. Raises Refused for one that ranks nothing."""
    if provider.dialect in ("cohere", "openai_chat", "openai_responses", "mistral"):
        return _RANKERS.get(name, "")
    if provider.dialect == "bedrock":
        return "bedrock"
    raise _wrong_dialect(name, provider, "rerank")


def _wrong_dialect(name: str, provider: ProviderConfig, dialect: str) -> Refused:
    spoken = provider.dialect
    paths = {"anthropic": "/v1/messages", "gemini": "/v1beta/models/…:generateContent"}
    right = paths.get(spoken, "/v1/chat/completions" if spoken.startswith("openai") else f"/{name}/…")
    return Refused(
        f"The provider {name!r} does not speak {dialect}: it speaks {spoken}.",
        rule="dialect",
        hint=f"Call it through {right}.",
    )


def _unknown_model(config: Config, model: str) -> Refused:
    names = model_names(config)
    near = difflib.get_close_matches(model, names, 3, 0.5)
    near += [name for name in names if name not in near and name.rpartition("/")[2] == model][:2]
    hint = f"Did you mean {' or '.join(near)}?" if near else "Name it as provider/model, or add an alias to the config."
    return Refused(f"The model {model!r} is not known here.", rule="model", hint=hint)
