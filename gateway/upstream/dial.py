"""Making a connection: names to addresses, the fastest one wins, TLS verified, through a proxy where one is named."""

import asyncio
import functools
import itertools
import socket
import ssl
from asyncio.staggered import staggered_race
from collections.abc import Callable
from typing import Any, Final, TypeVar

from app.errors import UpstreamError
from gateway.upstream.failures import UpstreamTimeout
from gateway.upstream.origin import Origin, Proxy

NEXT_ADDRESS_S: Final = 0.25
"""RFC 8305: so long one address may try alone."""
_PROXY_HEAD_BYTES: Final = 64 * 1024

P = TypeVar("P", bound=asyncio.Protocol)


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the verifying context that all connections share; made when first needed, for it reads all authorities."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def dial(origin: Origin, proxy: Proxy | None, make: Callable[[], P], provider: str, timeout_s: float) -> P:
    """Return a connected protocol. Raises UpstreamError or UpstreamTimeout, in words that name the server."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _connect(origin, proxy, make, provider)
    except TimeoutError as error:
        text = f"No connection to {provider} ({origin.netloc}) within {timeout_s:g} s."
        raise UpstreamTimeout(text, provider=provider) from error
    except ssl.SSLCertVerificationError as error:
        text = f"The certificate of {provider} ({origin.netloc}) cannot be trusted: {error.verify_message}."
        hint = "Behind a company proxy, point SSL_CERT_FILE at its authorities."
        raise UpstreamError(text, provider=provider, hint=hint, is_retryable=False) from error
    except socket.gaierror as error:
        text = f"The name of {provider} ({origin.host}) cannot be resolved: {error.strerror}."
        raise UpstreamError(text, provider=provider) from error
    except OSError as error:
        text = f"No connection to {provider} ({origin.netloc}): {error.strerror or error}."
        hint = "Is it running?" if origin.host in ("localhost", "127.0.0.1", "::1") else ""
        raise UpstreamError(text, provider=provider, hint=hint) from error


async def _connect(origin: Origin, proxy: Proxy | None, make: Callable[[], P], provider: str) -> P:
    loop = asyncio.get_running_loop()
    near = proxy.origin if proxy else origin
    sock = await _open_socket(near.host, near.port)
    try:
        if proxy is not None and origin.is_tls:
            if near.is_tls:
                raise UpstreamError("A proxy that is itself reached by https cannot carry https.", provider=provider)
            await _tunnel(loop, sock, origin, proxy, provider)
        tls = tls_context() if near.is_tls or origin.is_tls else None
        name = (origin.host if origin.is_tls else near.host) if tls else None
        _, protocol = await loop.create_connection(make, sock=sock, ssl=tls, server_hostname=name)
    except (OSError, UpstreamError, asyncio.CancelledError):
        sock.close()
        raise
    return protocol


async def _open_socket(host: str, port: int) -> socket.socket:
    """Connect to the first of a name's addresses that answers, IPv6 and IPv4 in turn."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if len(found) == 1:
        return await _try_address(found[0][0], found[0][4])
    tries = [functools.partial(_try_address, family, address) for family, address in _in_turn(found)]
    winner: socket.socket | None
    winner, _, errors = await staggered_race(tries, NEXT_ADDRESS_S)
    if winner is None:
        raise next((error for error in errors if isinstance(error, OSError)), OSError("no address answers"))
    return winner


def _in_turn(found: list[Any]) -> list[tuple[int, tuple[Any, ...]]]:
    """The resolver's order, but no family twice running while the other has one left."""
    first = found[0][0]
    ours = [(entry[0], entry[4]) for entry in found if entry[0] == first]
    others = [(entry[0], entry[4]) for entry in found if entry[0] != first]
    return [entry for pair in itertools.zip_longest(ours, others) for entry in pair if entry is not None]


async def _try_address(family: int, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except (OSError, asyncio.CancelledError):
        sock.close()
        raise
    return sock


async def _tunnel(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, origin: Origin, proxy: Proxy, provider: str
) -> None:
    """Ask the proxy for a tunnel; after it the socket speaks to the server itself."""
    lines = [f"CONNECT {origin.tunnel_name} HTTP/1.1", f"host: {origin.tunnel_name}"]
    if proxy.authorization:
        lines.append(f"proxy-authorization: {proxy.authorization}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while b"\r\n\r\n" not in head:
        data = await loop.sock_recv(sock, 4096)
        if not data or len(head) > _PROXY_HEAD_BYTES:
            raise UpstreamError(f"The proxy {proxy.origin.netloc} closed the connection.", provider=provider)
        head += data
    words = head.split(b"\r\n", 1)[0].split(None, 2)
    if len(words) < 2 or words[1] != b"200":
        said = b" ".join(words[1:]).decode("latin-1")
        raise UpstreamError(
            f"The proxy {proxy.origin.netloc} refused the way to {origin.netloc}: {said}.", provider=provider
        )
