"""Who may knock at a local port: the `Host` must be ours and a browser's `Origin` allowed.

Else a web page could spend the user's money: by DNS rebinding (its own name, resolved to 127.0.0.1) or by a plain
cross-site POST. The answers to allowed pages carry CORS headers.
"""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from app.config import ServerConfig
from app.errors import Refused

_OUR_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PREFLIGHT_AGE_S: Final = 600
Pairs = list[tuple[bytes, bytes]]


class Gate:
    """Checks hosts and origins against one config."""

    def __init__(self, config: ServerConfig) -> None:
        self._names = _OUR_NAMES | {config.host.lower()} | {name.lower() for name in config.allowed_hosts}
        self._origins = frozenset(origin.rstrip("/").lower() for origin in config.allowed_origins)
        self._good_hosts: set[str] = set()

    def check(self, request: web.BaseRequest) -> None:
        """Let a request in, or raise Refused."""
        host = request.headers.get("host", "")
        if host not in self._good_hosts:
            self._check_host(host, request)
        origin = request.headers.get("origin")
        if origin is not None and not self._allows(origin):
            raise Refused(
                f"A web page of {origin} may not call this gateway.",
                rule="origin",
                hint="Add it to server.allowed_origins in the config if it is yours.",
            )

    def cors_headers(self, request: web.BaseRequest) -> Pairs:
        """Return what an answer to an allowed web page carries; nothing for everyone else."""
        origin = request.headers.get("origin")
        if origin is None or not self._allows(origin):
            return []
        return [
            (b"access-control-allow-origin", origin.encode("latin-1", "replace")),
            (b"access-control-expose-headers", b"*"),
            (b"vary", b"origin"),
        ]

    def preflight_headers(self, request: web.BaseRequest) -> Pairs:
        """Return the headers of the answer to a preflight; call `check` first."""
        asked = request.headers.get("access-control-request-headers", "")
        pairs = self.cors_headers(request)
        pairs.append((b"access-control-allow-methods", b"GET, POST, DELETE, PUT, PATCH, OPTIONS"))
        if asked:
            pairs.append((b"access-control-allow-headers", asked.encode("latin-1", "replace")))
        if request.headers.get("access-control-request-private-network") == "true":
            pairs.append((b"access-control-allow-private-network", b"true"))
        pairs.append((b"access-control-max-age", b"%d" % _PREFLIGHT_AGE_S))
        return pairs

    def _allows(self, origin: str) -> bool:
        return origin.lower() in self._origins or "*" in self._origins

    def _check_host(self, host: str, request: web.BaseRequest) -> None:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            name = ""
        transport = request.transport
        own = transport.get_extra_info("sockname")[0] if transport is not None else ""
        if name not in self._names and name != own:
            raise Refused(
                f"The Host {host!r} is not this gateway's.",
                rule="host",
                hint="Call it by 127.0.0.1 or localhost, or add the name to server.allowed_hosts in the config.",
            )
        if len(self._good_hosts) < 64:
            self._good_hosts.add(host)
