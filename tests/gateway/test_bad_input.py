"""Bad input gets a clear error in the client's own dialect, and is recorded."""

from typing import Any

import pytest
from fake_upstream import FakeUpstream
from live_gateway import KEY, TOKEN, live_gateway, run

AUTH = {"authorization": f"Bearer {KEY}"}
JSON = {**AUTH, "content-type": "application/json"}


def post(path: str, content: bytes, headers: dict[str, str], **config: Any) -> tuple[Any, Any]:
    """Send one request; return the answer and what was recorded."""

    async def go() -> tuple[Any, Any]:
        async with FakeUpstream() as upstream, live_gateway(upstream.url, **config) as gateway:
            answer = await gateway.http.post(path, content=content, headers=headers)
            assert not upstream.seen
            return answer, await gateway.record()

    return run(go())


def test_a_body_that_is_no_json_is_a_400() -> None:
    answer, record = post("/v1/chat/completions", b'{"model": "fast", ', JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "not JSON" in answer.json()["error"]["message"]
    assert record.request == b'{"model": "fast", '
    assert record.failure.kind == "invalid"


@pytest.mark.parametrize("body", [b"[1]", b"", b"{}", b'{"model": 7}'])
def test_a_body_without_a_model_is_a_400(body: bytes) -> None:
    answer, _ = post("/v1/messages", body, {**JSON, "anthropic-version": "2023-06-01"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["request_id"] == answer.headers["request-id"]


def test_a_body_of_a_wrong_type_is_a_415() -> None:
    answer, _ = post("/v1/chat/completions", b"model=fast", {**AUTH, "content-type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


def test_a_compressed_request_is_a_415() -> None:
    answer, _ = post("/v1/chat/completions", b"\x1f\x8b", {**JSON, "content-encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_a_413(is_chunked: bool) -> None:
    async def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 1000

    content: Any = pieces() if is_chunked else b"x" * 20_000
    answer, record = post("/v1/chat/completions", content, JSON, server={"max_body_mb": 0.01})
    assert answer.status_code == 413
    assert "max_body_mb" in answer.json()["error"]["message"]
    assert record.status == 413


def test_an_unknown_model_is_a_404_with_the_nearest_names() -> None:
    answer, record = post("/v1/chat/completions", b'{"model": "fsat"}', JSON)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "Did you mean fast" in answer.json()["error"]["message"]
    assert record.requested_model == "fsat"


def test_what_cannot_be_put_into_another_dialect_names_the_right_path() -> None:
    answer, _ = post("/v1/completions", b'{"model": "wise"}', JSON)
    assert answer.status_code == 400
    assert "/v1/messages" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/chat/completions", "ending in /v1"),
        ("/v1/v1/chat/completions", "ending in /v1"),
        ("/messages", "without /v1"),
        ("/v1/v1/messages", "without /v1"),
        ("/v1/chat/complete", "The gateway serves"),
    ],
)
def test_a_wrong_path_is_told_the_right_base_url(path: str, words: str) -> None:
    answer, record = post(path, b"{}", JSON)
    assert answer.status_code == 404
    assert words in answer.json()["error"]["message"]
    assert record.path == path


def test_a_wrong_method_is_a_405() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            assert (await gateway.http.get("/v1/chat/completions", headers=AUTH)).status_code == 405

    run(go())


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4141", "evil.example:80"])
def test_a_host_that_is_not_ours_is_a_403(host: str) -> None:
    answer, record = post("/v1/chat/completions", b'{"model":"fast"}', {**JSON, "host": host})
    assert answer.status_code == 403
    assert "allowed_hosts" in answer.json()["error"]["message"]
    assert record.status == 403


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:4141", "LOCALHOST", "box.lan:4141"])
def test_our_own_names_are_let_in(host: str) -> None:
    async def go() -> None:
        config = {"server": {"allowed_hosts": ["box.lan"]}}
        async with FakeUpstream() as upstream, live_gateway(upstream.url, **config) as gateway:
            body = {"model": "open/m"}
            answer = await gateway.http.post("/v1/chat/completions", json=body, headers={**AUTH, "host": host})
            assert answer.status_code == 200

    run(go())


def test_a_foreign_web_page_is_a_403_also_with_a_good_key() -> None:
    answer, _ = post("/v1/chat/completions", b'{"model":"fast"}', {**JSON, "origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_an_allowed_web_page_gets_cors_on_answers_errors_and_preflights() -> None:
    page = "https://app.example.com"

    async def go() -> None:
        config = {"server": {"allowed_origins": [page]}}
        async with FakeUpstream() as upstream, live_gateway(upstream.url, **config) as gateway:
            asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-a"}
            early = await gateway.http.options("/v1/chat/completions", headers={"origin": page, **asked})
            assert early.status_code == 204
            assert early.headers["access-control-allow-origin"] == page
            assert early.headers["access-control-allow-headers"] == "authorization,x-a"
            headers = {**AUTH, "origin": page}
            answer = await gateway.http.post("/v1/chat/completions", json={"model": "open/m"}, headers=headers)
            assert answer.headers["access-control-allow-origin"] == page
            assert upstream.seen[0].header("origin") is None
            wrong = await gateway.http.post("/v1/chat/completions", json={"model": "nope"}, headers=headers)
            assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (404, page)
            foreign = await gateway.http.options(
                "/v1/chat/completions", headers={"origin": "https://e.example", **asked}
            )
            assert foreign.status_code == 403

    run(go())


def test_a_flood_of_refusals_is_not_recorded_without_end() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            for _ in range(260):
                assert (await gateway.http.post("/v1/chat/completions", json={})).status_code == 401
            assert 200 <= len(gateway.sink.calls) <= 220
            await gateway.chat(key=TOKEN)
            assert gateway.sink.calls[-1].failure is not None or gateway.sink.calls[-1].status == 200

    run(go())


def test_a_fault_of_ours_is_a_500_with_a_request_id(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:

            async def broken(*_: Any) -> None:
                raise ZeroDivisionError

            monkeypatch.setattr(gateway.server.client, "send", broken)
            answer = await gateway.chat("open/m")
            assert answer.status_code == 500
            assert answer.headers["x-gatescope-request-id"] in answer.json()["error"]["message"]
            assert (await gateway.record()).failure.kind == "gateway"

    run(go())
    assert "ZeroDivisionError" in caplog.text


def test_bytes_that_are_no_http_are_a_400() -> None:
    async def go() -> None:
        import asyncio

        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(b"\x16\x03\x01\x02\x00hello\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()
            assert (await gateway.chat("open/m")).status_code == 200

    run(go())
