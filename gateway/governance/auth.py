"""Who calls: a virtual key, the desktop's token, or a client's own provider key that goes through to its provider.

A key is taken wherever an SDK puts it. Virtual keys are looked up by their SHA-256, so the time of the look-up tells
nothing about them. A client's own key is never kept: it stays in the request's headers and leaves with them.
"""

import hashlib
import hmac
import os
import re
import time
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_plus

from aiohttp import web

from app.errors import Refused
from app.models.governance import VirtualKey
from app.secrets import KEY_PREFIX, key_hint, key_sha256
from gateway.exchange import Caller, Exchange

_KEY_HEADERS: Final = ("x-api-key", "x-goog-api-key", "api-key")
_QUERY_KEY: Final = re.compile(r"[?&]key=([^&]*)")
_SHAPES: Final = (
    ("sk-ant-", "anthropic"),
    ("sk-or-", "openrouter"),
    ("AIza", "google"),
    ("gsk_", "groq"),
    ("xai-", "xai"),
    ("pplx-", "perplexity"),
    ("hf_", "huggingface"),
    ("csk-", "cerebras"),
    ("fw_", "fireworks"),
    ("nvapi-", "nvidia"),
    ("pa-", "voyage"),
    ("sk-proj-", "openai"),
    ("sk-svcacct-", "openai"),
)
_OWNER_CHARS: Final = 32
_SALT: Final = os.urandom(16)


class KeyTable:
    """The virtual keys, in memory. Replaced whole when one is made or revoked."""

    def __init__(self, keys: Iterable[VirtualKey] = ()) -> None:
        self._by_hash: dict[bytes, VirtualKey] = {}
        self._used_ns: dict[int, int] = {}
        self.replace(keys)

    def replace(self, keys: Iterable[VirtualKey]) -> None:
        """Take over a new list of keys."""
        self._by_hash = {key.sha256: key for key in keys}

    def find(self, text: str) -> VirtualKey | None:
        """Return the key, revoked ones too."""
        digest = key_sha256(text)
        key = self._by_hash.get(digest)
        if key is None or not hmac.compare_digest(key.sha256, digest):
            return None
        return key

    def note_use(self, key: VirtualKey) -> None:
        """Remember that a key was used now."""
        self._used_ns[key.id] = time.time_ns()

    def take_uses(self) -> dict[int, int]:
        """Return when each key was last used, UTC ns, since the last time this was asked."""
        used, self._used_ns = self._used_ns, {}
        return used


class Auth:
    """The stage that finds out who calls, and refuses who may not."""

    def __init__(self, keys: KeyTable, token: str) -> None:
        self._keys = keys
        self._token = token.encode()

    async def admit(self, exchange: Exchange) -> None:
        """Set the exchange's caller, or raise Refused."""
        exchange.caller = self.caller_of(exchange.request)

    def caller_of(self, request: web.BaseRequest) -> Caller:
        """Return who sends a request. Raises Refused."""
        found = list(keys_in(request))
        for text in found:
            if text.startswith(KEY_PREFIX):
                return self._virtual(text, request)
        for text in found:
            if hmac.compare_digest(_bytes(text), self._token):
                return Caller("desktop", _fingerprint("desktop", request))
        if not found:
            raise Refused(
                "The request carries no key.",
                rule="key",
                hint="Give your SDK a Gatescope key (gs-…) or the provider's own key as its api_key.",
            )
        mark = hashlib.blake2b(_bytes(found[0]), digest_size=6, key=_SALT).hexdigest()
        return Caller("own", _fingerprint(mark, request), guessed_provider=_owner_by_shape(found[0]))

    def is_desktop(self, request: web.BaseRequest) -> bool:
        """Whether a request carries the desktop's token."""
        return any(
            hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self._token) for text in keys_in(request)
        )

    def _virtual(self, text: str, request: web.BaseRequest) -> Caller:
        key = self._keys.find(text)
        if key is None:
            hint = "Copy a key from the desktop, or make one with `gatescope key create NAME`."
            raise Refused(f"The key {key_hint(text)} is not known here.", rule="key", hint=hint)
        if not key.is_live:
            hint = "Make a new one with `gatescope key create NAME`."
            raise Refused(f"The key {key.name!r} ({key.hint}) was revoked.", rule="key", hint=hint)
        self._keys.note_use(key)
        return Caller("virtual", _fingerprint(str(key.id), request), key_id=key.id)


def owner_of(request: web.BaseRequest, caller: Caller) -> str:
    """Return who may ask again for what a call left here: the same after a restart. Of an own key only a hash."""
    if caller.kind == "virtual":
        return f"virtual:{caller.key_id}"
    if caller.kind == "desktop":
        return "desktop"
    text = next(iter(keys_in(request)), "")
    return f"own:{hashlib.sha256(_bytes(text)).hexdigest()[:_OWNER_CHARS]}"


def keys_in(request: web.BaseRequest) -> Iterable[str]:
    """Yield every key that a request carries, in the places where SDKs put one."""
    headers = request.headers
    bearer = headers.get("authorization")
    if bearer:
        scheme, _, text = bearer.partition(" ")
        if text and scheme.lower() == "bearer":
            yield text.strip()
    for name in _KEY_HEADERS:
        text = headers.get(name, "")
        if text:
            yield text
    path = request.raw_path
    if "key=" in path:
        match = _QUERY_KEY.search(path)
        if match is not None and match.group(1):
            yield unquote_plus(match.group(1))


def without_query_key(path: str) -> str:
    """Return a path without its `key=` parameter."""
    if "key=" not in path:
        return path
    bare, _, query = path.partition("?")
    kept = [part for part in query.split("&") if not part.startswith("key=")]
    return f"{bare}?{'&'.join(kept)}" if kept else bare


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _fingerprint(mark: str, request: web.BaseRequest) -> str:
    return f"{mark}|{request.headers.get('user-agent', '')}|{request.remote or ''}"


def _owner_by_shape(text: str) -> str | None:
    return next((owner for start, owner in _SHAPES if text.startswith(start)), None)
