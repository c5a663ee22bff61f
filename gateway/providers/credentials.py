"""Providers' keys: looked up when a call needs one, from the environment or the keyring, and never written anywhere."""

import asyncio
import os
import time
from typing import Final

from app.config import ProviderConfig
from app.errors import Refused
from app.secrets import SecretRef, resolve

KEYRING_MEMORY_S: Final = 60.0
"""A keyring can take tens of milliseconds: what it said is believed for so long."""


class Credentials:
    """Finds providers' keys. Used on the event loop; the keyring is asked in a thread."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, str | None]] = {}

    async def secret_for(self, name: str, provider: ProviderConfig) -> str | None:
        """Return the key of a provider, None where it wants none, or has other credentials that its adapter finds.

        Raises Refused, naming the place where the key was looked for, where it is missing.
        """
        if provider.sends_key_as == "none":
            return None
        if provider.api_key is not None:
            secret = await self._resolve(provider.api_key)
        else:
            secret = next((os.environ[key] for key in provider.env if os.environ.get(key)), None)
            secret = secret or await self._resolve(SecretRef("keyring", name))
        if secret is None and provider.kind is None and wants_key(provider):
            raise _missing(name, provider)
        return secret

    def forget(self) -> None:
        """Ask the keyring anew next time."""
        self._said.clear()

    async def _resolve(self, ref: SecretRef) -> str | None:
        if ref.source == "env":
            return resolve(ref)
        known = self._said.get(ref.name)
        now = time.monotonic()
        if known is not None and now - known[0] < KEYRING_MEMORY_S:
            return known[1]
        secret = await asyncio.to_thread(resolve, ref)
        self._said[ref.name] = (now, secret)
        return secret


def wants_key(provider: ProviderConfig) -> bool:
    """Whether calls to a provider need a key. One of the user's own without any word of a key needs none."""
    names_one = provider.kind is not None or provider.api_key is not None or bool(provider.env)
    return names_one and provider.sends_key_as != "none"


def _missing(name: str, provider: ProviderConfig) -> Refused:
    if provider.api_key is not None:
        where = f"{provider.api_key} holds none"
        hint = f"Set {provider.api_key.name} in the {'environment' if provider.api_key.source == 'env' else 'keyring'}."
    else:
        where = f"neither {' nor '.join(provider.env)} nor the keyring entry {name!r} holds one"
        hint = f"Set {provider.env[0]} where the gateway runs, or keep the key in the keyring as {name!r}."
    return Refused(f"There is no key for the provider {name!r}: {where}.", rule="provider_key", hint=hint)
