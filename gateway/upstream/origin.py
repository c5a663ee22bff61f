"""Where a connection goes: scheme, host and port, and the proxy in between that the environment names."""

import base64
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from app.errors import UpstreamError

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True, slots=True)
class Origin:
    """One server."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        """Whether it is spoken to encrypted."""
        return self.scheme == "https"

    @property
    def netloc(self) -> str:
        """Host and port as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def tunnel_name(self) -> str:
        """Host and port as CONNECT wants them, the port always there."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and how it knows us."""

    origin: Origin
    authorization: str | None = None


def split_url(url: str) -> tuple[Origin, str]:
    """Return the server of a URL and the path with its query."""
    parts = urlsplit(url)
    origin = Origin(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
    path = parts.path or "/"
    return origin, f"{path}?{parts.query}" if parts.query else path


def proxy_for(origin: Origin) -> Proxy | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names for a server, None for a direct way.

    This machine itself is always reached directly; NO_PROXY is honoured. Raises UpstreamError for a kind of proxy that
    we cannot speak to.
    """
    if origin.host in _LOOPBACK or origin.host.startswith("127."):
        return None
    proxies = urllib.request.getproxies_environment()
    bypass: Callable[[str, dict[str, str]], bool] = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    named = proxies.get(origin.scheme) or proxies.get("all")
    if not named or bypass(origin.tunnel_name, proxies):
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UpstreamError(
            f"The environment names the proxy {parts.scheme}://{parts.hostname or ''}, which is no HTTP proxy.",
            provider=origin.host,
            hint="Set HTTPS_PROXY to an http:// address, or add the host to NO_PROXY.",
            is_retryable=False,
        )
    authorization = None
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    return Proxy(Origin(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]), authorization)
