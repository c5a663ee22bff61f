"""Model servers that run on this machine: looked for where their rows of the config say, and only when asked.

Nothing is sent to them but the question for their models. Their models are asked for as `ollama/qwen3`.
"""

import http.client
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from app.config import ProviderConfig

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_WAIT_S: Final = 1.0
_MOST_BYTES: Final = 4 * 1024 * 1024
_PATHS: Final = {"ollama": "/api/tags"}


class LocalServer(msgspec.Struct, frozen=True):
    """A model server that answers on this machine."""

    name: str
    """Of its provider in the config."""
    title: str
    base_url: str
    models: list[str]


def find_local(providers: Mapping[str, ProviderConfig], own_port: int) -> list[LocalServer]:
    """Return the servers that answer, with their models; in at most about 1 s.

    Of two rows with one address the first stands for it. `own_port` is the gateway's and is not asked. Blocks.
    """
    wanted: dict[str, str] = {}
    for name, provider in providers.items():
        parts = urlsplit(provider.base_url)
        if parts.hostname in _LOOPBACK and parts.port not in (None, own_port):
            wanted.setdefault(parts.netloc, name)
    if not wanted:
        return []
    with ThreadPoolExecutor(len(wanted), "local servers") as pool:
        found = pool.map(lambda name: (name, models_of(providers[name])), wanted.values())
        return [_told(name, providers[name], models) for name, models in found if models is not None]


def models_of(provider: ProviderConfig) -> list[str] | None:
    """Return the models of a server on loopback, None where no such server answers. Blocks for at most about 1 s."""
    parts = urlsplit(provider.base_url)
    if parts.hostname is None:
        return None
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=_WAIT_S)
    try:
        path = provider.models_path or _PATHS.get(provider.dialect, "/models")
        connection.request("GET", parts.path.rstrip("/") + path)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            return None
        return _names(json.loads(answer.read(_MOST_BYTES)))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()


def _names(said: Any) -> list[str] | None:
    """Return the names in a list of models; None where it is none: another program has the port."""
    listed = said.get("data", said.get("models")) if isinstance(said, dict) else None
    if not isinstance(listed, list):
        return None
    return list(_named(listed))


def _named(listed: Iterable[Any]) -> Iterable[str]:
    for item in listed:
        name = (item.get("id") or item.get("name")) if isinstance(item, dict) else None
        if isinstance(name, str):
            yield name


def _told(name: str, provider: ProviderConfig, models: list[str]) -> LocalServer:
    return LocalServer(name, provider.title or name, provider.base_url, models)
