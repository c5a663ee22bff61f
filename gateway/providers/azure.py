"""Azure OpenAI: models are deployments, named in the path or, in its v1, in the body as everywhere else.

With `api_version` in the config a call goes to `/openai/deployments/{name}/…?api-version=…`, without it to
`/openai/v1/…`; where `base_url` ends in `/models` (Foundry's models of all vendors), there. Claude is under
`/anthropic/v1`. https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
"""

import asyncio
import dataclasses
import os
import threading
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from app.config import ProviderConfig
from app.errors import Refused
from gateway.providers.adapter import Outgoing, Unframer

_OF_DEPLOYMENTS: Final = (
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/audio/transcriptions",
    "/audio/translations",
    "/audio/speech",
    "/images/generations",
    "/images/edits",
)
"""Calls whose path names the deployment; all others name it in the body."""
_KEYS: Final = ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY")
_TOKENS: Final = ("AZURE_OPENAI_AD_TOKEN",)
_ENDPOINTS: Final = ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE")
_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
_NO_RESOURCE: Final = "{resource}"


class AzureAdapter:
    """Speaks to Azure OpenAI. On the event loop; signing in waits in a thread."""

    def __init__(self) -> None:
        self._credential: Any = None
        self._lock = threading.Lock()

    async def prepare(self, provider: ProviderConfig, outgoing: Outgoing) -> Outgoing:
        """Return the request with its address and a key, or a token of Entra ID.

        Raises Refused where the resource or the credentials are missing.
        """
        url = _address(provider, outgoing)
        key = outgoing.secret or (_first(_KEYS) if provider.api_key is None else None)
        if key is not None and provider.auth != "bearer":
            name = "x-api-key" if outgoing.dialect == "anthropic" else "api-key"
            return dataclasses.replace(outgoing, url=url, headers=(*outgoing.headers, (name, key)))
        token = outgoing.secret or _first(_TOKENS) or await asyncio.to_thread(self._token)
        return dataclasses.replace(outgoing, url=url, headers=(*outgoing.headers, ("authorization", f"Bearer {token}")))

    def unframer(self, provider: ProviderConfig, dialect: str, content_type: str) -> Unframer | None:
        """Return None: Azure streams as OpenAI does."""
        return None

    def _token(self) -> str:
        """Return a token of the signed-in user or service, as `azure-identity` finds it; in a thread.

        That package keeps tokens until they run out.
        """
        try:
            from azure.core.exceptions import AzureError  # type: ignore[import-not-found]
            from azure.identity import DefaultAzureCredential  # type: ignore[import-not-found]
        except ImportError as error:
            raise _no_key("and the package azure-identity, which could sign in, is not installed") from error
        with self._lock:
            try:
                self._credential = self._credential or DefaultAzureCredential()
                token: str = self._credential.get_token(_SCOPE).token
            except AzureError as error:
                raise _no_key(f"and Entra ID gives no token: {error}") from error
            return token


def _address(provider: ProviderConfig, outgoing: Outgoing) -> str:
    """Return where a call goes: the resource, the style of its paths, the deployment."""
    parts = urlsplit(outgoing.url)
    base = _resource(provider)
    asked = _asked(urlsplit(provider.base_url).path, parts.path)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "api-version"]
    if outgoing.dialect == "anthropic":
        path = f"/anthropic/v1{asked}"
    elif provider.api_version is None:
        path = f"/openai/v1{asked}"
    else:
        query.append(("api-version", provider.api_version))
        deployment = f"/deployments/{quote(outgoing.model, safe='')}" if asked in _OF_DEPLOYMENTS else ""
        path = asked if base.endswith("/models") else f"/openai{deployment}{asked}"
    return base + path + (f"?{urlencode(query)}" if query else "")


def _resource(provider: ProviderConfig) -> str:
    base = provider.base_url
    if _NO_RESOURCE in base:
        named = _first(_ENDPOINTS)
        if named is None:
            raise Refused(
                "No Azure resource is named.",
                rule="provider_key",
                hint=f"Set base_url in the provider's config (https://….openai.azure.com), or {_ENDPOINTS[0]}.",
            )
        base = named.rstrip("/")
    for tail in ("/openai/v1", "/openai", "/anthropic/v1", "/anthropic"):
        base = base.removesuffix(tail)
    return base


def _asked(base_path: str, path: str) -> str:
    """Return what is asked for, as OpenAI has it behind `/v1`."""
    asked = path.removeprefix(base_path) if base_path and path.startswith(base_path + "/") else path
    for head in ("/openai/v1", "/openai", "/anthropic/v1", "/v1"):
        if asked.startswith(head + "/"):
            asked = asked[len(head) :]
            break
    if asked.startswith("/deployments/"):
        asked = "/" + asked.split("/", 3)[3] if asked.count("/") > 2 else asked
    return asked


def _first(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _no_key(why: str) -> Refused:
    return Refused(
        f"There is no key for Azure OpenAI: {' nor '.join((*_KEYS, *_TOKENS))} is set, {why}.",
        rule="provider_key",
        hint=f"Set {_KEYS[0]}, or name a key in the provider's config.",
    )
