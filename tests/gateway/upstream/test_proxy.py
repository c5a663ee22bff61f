"""The way through a proxy that the environment names."""

import asyncio

import pytest
from live_gateway import live_gateway, run

from app.errors import UpstreamError
from gateway.upstream.origin import Origin, proxy_for


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https", {"HTTPS_PROXY": "http://p:8080"}, "p:8080"),
        ("https", {"ALL_PROXY": "http://p:8080"}, "p:8080"),
        ("https", {"HTTP_PROXY": "http://p:8080"}, None),
        ("https", {"https_proxy": "p:8080"}, "p:8080"),
        ("https", {"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "other,.example.com"}, None),
        ("https", {"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "*"}, None),
        ("http", {"HTTP_PROXY": "http://p"}, "p"),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(Origin(url, "api.example.com", 443 if url == "https" else 80))
    assert (found.origin.netloc if found else None) == proxy


def test_this_machine_is_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://p:8080")
    assert proxy_for(Origin("http", "127.0.0.1", 80)) is None


def test_a_proxy_that_we_cannot_speak_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://p:1080")
    with pytest.raises(UpstreamError, match="no HTTP proxy"):
        proxy_for(Origin("https", "api.example.com", 443))


async def ask_through(monkeypatch: pytest.MonkeyPatch, scheme: str, answer: bytes) -> tuple[bytes, int, str]:
    """One call to a provider far away, through a proxy that answers these bytes; return what the proxy got."""
    heads: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv(f"{scheme}_proxy", f"http://me:pass%40word@127.0.0.1:{port}")
    async with server:
        provider = {"dialect": "openai_chat", "base_url": f"{scheme}://far.example/v1", "auth": "none"}
        async with live_gateway("http://127.0.0.1:9", providers={"far": provider}) as gateway:
            got = await gateway.chat("far/m")
            return heads[0], got.status_code, got.text


def test_plain_http_goes_through_the_proxy_in_absolute_form(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    head, status, text = run(ask_through(monkeypatch, "http", answer))
    assert head.startswith(b"POST http://far.example/v1/chat/completions HTTP/1.1\r\nhost: far.example\r\n")
    assert b"proxy-authorization: Basic bWU6cGFzc0B3b3Jk\r\n" in head
    assert (status, text) == (200, "{}")


def test_https_goes_through_a_tunnel_and_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    head, status, text = run(ask_through(monkeypatch, "https", b"HTTP/1.1 407 Proxy Login\r\n\r\n"))
    assert head.startswith(b"CONNECT far.example:443 HTTP/1.1\r\nhost: far.example:443\r\n")
    assert b"proxy-authorization: Basic bWU6cGFzc0B3b3Jk\r\n" in head
    assert status == 502
    assert "407 Proxy Login" in text
    assert "pass" not in text
