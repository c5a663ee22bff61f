"""What the client sees when a provider is down, slow, cut, or answers nonsense."""

import asyncio
import json
import socket
from typing import Any

import pytest
from fake_upstream import Answer, FakeUpstream, stream
from live_gateway import KEY, LiveGateway, live_gateway, run

PATHS = {
    "openai": ("/v1/chat/completions", {"model": "open/m", "messages": []}),
    "responses": ("/v1/responses", {"model": "open/m", "input": "x"}),
    "anthropic": ("/v1/messages", {"model": "local/m", "messages": []}),
    "gemini": ("/v1beta/models/gem/m:streamGenerateContent?alt=sse", {"contents": []}),
}
LOCAL = {"dialect": "anthropic", "auth": "none"}
GEM = {"dialect": "gemini", "auth": "none"}


def providers(url: str) -> dict[str, Any]:
    return {"local": {**LOCAL, "base_url": url}, "gem": {**GEM, "base_url": url}}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def ask(gateway: LiveGateway, manner: str, **fields: Any) -> Any:
    path, body = PATHS[manner]
    return await gateway.http.post(path, json={**body, **fields}, headers={"x-api-key": KEY})


def error_of(manner: str, answer: Any) -> dict[str, Any]:
    error = answer.json()["error"]
    if manner == "anthropic":
        assert answer.json()["type"] == "error"
        assert answer.headers["request-id"] == answer.json()["request_id"]
    if manner == "gemini":
        assert error["code"] == answer.status_code
    assert answer.headers["x-gatescope-request-id"] in error["message"]
    return dict(error)


@pytest.mark.parametrize("manner", PATHS)
def test_a_provider_that_is_down_is_a_502_in_the_clients_dialect(manner: str) -> None:
    async def go() -> None:
        url = f"http://127.0.0.1:{free_port()}"
        async with live_gateway(url, providers=providers(url)) as gateway:
            answer = await ask(gateway, manner)
            assert answer.status_code == 502
            assert "Is it running?" in error_of(manner, answer)["message"]
            record = await gateway.record()
            assert record.failure is not None
            assert (record.failure.kind, record.status) == ("upstream", 502)
            assert len(record.attempts) == 1
            assert record.attempts[0].failure is not None

    run(go())


def test_a_provider_that_does_not_begin_is_a_504() -> None:
    async def go() -> None:
        async with (
            FakeUpstream() as upstream,
            live_gateway(upstream.url, upstream={"first_byte_timeout_s": 0.1}) as gateway,
        ):
            upstream.answers.append(Answer(hold_head=asyncio.Event()))
            answer = await ask(gateway, "openai")
            assert answer.status_code == 504
            assert "did not begin to answer within 0.1 s" in error_of("openai", answer)["message"]
            await asyncio.wait_for(upstream.seen[0].gone.wait(), 1)

    run(go())


@pytest.mark.parametrize("manner", PATHS)
@pytest.mark.parametrize("how", ["cut", "stall"])
def test_a_stream_that_breaks_ends_in_an_error_event_and_never_cleanly(manner: str, how: str) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream:
            fields = {"upstream": {"idle_timeout_s": 0.1}, "providers": providers(upstream.url)}
            async with live_gateway(upstream.url, **fields) as gateway:
                first = b'data: {"response": {"id": "resp_7"}}\n\n'
                broken = stream(first, b"data: never\n\n", cut_after=1) if how == "cut" else None
                upstream.answers.append(broken or stream(first, b"x", hold=asyncio.Event()))
                answer = await ask(gateway, manner, stream=True)
                assert answer.status_code == 200
                assert answer.content.startswith(first)
                assert b"[DONE]" not in answer.content
                check_last_event(manner, answer.content[len(first) :].decode())
                record = await gateway.record()
                assert record.failure is not None
                assert record.failure.kind == ("cut" if how == "cut" else "timeout")
                assert record.response == answer.content
                assert record.upstream_response == first

    run(go())


def check_last_event(manner: str, event: str) -> None:
    name, _, data = event.strip().rpartition("data: ")
    said = json.loads(data)
    if manner == "anthropic":
        assert name == "event: error\n"
        assert said["type"] == "error"
    elif manner == "responses":
        assert name == "event: response.failed\n"
        assert (said["response"]["status"], said["response"]["id"]) == ("failed", "resp_7")
    else:
        assert name == ""
        assert "message" in said["error"]


def test_a_whole_answer_that_is_cut_never_reaches_the_client_in_part() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            upstream.answers.append(Answer(pieces=[b'{"a":', b"1}"], cut_after=1))
            answer = await ask(gateway, "openai")
            assert answer.status_code == 502
            assert "cut its answer off" in error_of("openai", answer)["message"]

    run(go())


def test_a_binary_answer_that_is_cut_breaks_the_clients_connection() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            headers = [("content-type", "audio/mpeg")]
            upstream.answers.append(Answer(pieces=[b"abc", b"def"], headers=headers, cut_after=1))
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            body = b'{"model":"open/tts","input":"hi"}'
            head = f"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\napi-key: {KEY}\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            try:
                got = await reader.read()
            except ConnectionResetError:
                got = b""
            assert not got.endswith(b"def")
            record = await gateway.record()
            assert record.failure is not None
            assert (record.failure.kind, record.response) == ("cut", b"abc")
            writer.close()

    run(go())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"220 smtp.example ESMTP\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 300_000 + b"\r\n\r\n", "not HTTP"),
    ],
)
def test_nonsense_is_a_502(raw: bytes, words: str) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            upstream.answers.append(Answer(raw=raw))
            answer = await ask(gateway, "openai")
            assert answer.status_code == 502
            assert words in error_of("openai", answer)["message"]

    run(go())


def test_an_html_page_passes_as_it_is() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            page = b"<html><body>502 Bad Gateway</body></html>"
            upstream.answers.append(Answer(502, page, headers=[("content-type", "text/html")]))
            answer = await ask(gateway, "openai")
            assert (answer.status_code, answer.content) == (502, page)
            assert answer.headers["content-type"] == "text/html"
            assert (await gateway.record()).content_type == "text/html"

    run(go())


def test_a_compressed_answer_passes_unchanged() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            import gzip

            packed = gzip.compress(b'{"a":1}')
            headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
            upstream.answers.append(Answer(body=packed, headers=headers))
            answer = await ask(gateway, "openai")
            assert answer.json() == {"a": 1}
            assert (await gateway.record()).response == packed

    run(go())


def test_a_dead_kept_connection_is_replaced_without_the_client_noticing() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            assert (await ask(gateway, "openai")).status_code == 200
            upstream.answers.append(Answer(cut_after=-1))
            assert (await ask(gateway, "openai")).status_code == 200
            assert upstream.connections == 2
            assert [seen.connection for seen in upstream.seen] == [1, 1, 2]
            assert len(gateway.sink.calls) == 2

    run(go())


def test_a_new_connection_that_dies_is_not_tried_again() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            upstream.answers.append(Answer(cut_after=-1))
            answer = await ask(gateway, "openai")
            assert answer.status_code == 502
            assert "without an answer" in error_of("openai", answer)["message"]
            assert len(upstream.seen) == 1

    run(go())


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_every_framing_of_an_answer_gives_the_same_bytes(framing: Any, is_stream: bool) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            kind = "text/event-stream" if is_stream else "application/json"
            pieces = [b"data: 1\n", b"\ndata: 2\n\n", b"data: [DONE]\n\n"]
            for _ in range(2):
                answer = Answer(pieces=list(pieces), headers=[("content-type", kind)], framing=framing)
                upstream.answers.append(answer)
            for _ in range(2):
                got = await ask(gateway, "openai", stream=is_stream)
                assert got.content == b"".join(pieces)
            assert upstream.connections == (2 if framing == "close" else 1)
            assert all(record.response == b"".join(pieces) for record in gateway.sink.calls)

    run(go())


def test_interim_answers_are_passed_over() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            early = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
            last = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}'
            upstream.answers.append(Answer(raw=early + last))
            answer = await ask(gateway, "openai")
            assert answer.json() == {"a": 1}
            assert "link" not in answer.headers
            assert (await ask(gateway, "openai")).status_code == 200
            assert upstream.connections == 1

    run(go())


def test_an_answer_without_a_body_has_none() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            upstream.answers.append(Answer(204, headers=[]))
            answer = await gateway.http.delete("/openai/v1/files/f1", headers={"authorization": "Bearer own"})
            assert (answer.status_code, answer.content) == (204, b"")
            upstream.answers.append(Answer(200, b"12345"))
            head = await gateway.http.head("/openai/v1/files/f1", headers={"authorization": "Bearer own"})
            assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "5")

    run(go())


def test_a_slow_client_slows_the_provider() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            piece = b"x" * 262_144
            upstream.answers.append(stream(*[piece] * 160))
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
            body = b'{"model":"open/m","stream":true}'
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\napi-key: {KEY}\r\nconnection: close\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            await gateway.sink.announced.wait()
            [live] = gateway.server.in_flight
            assert live.size_bytes < 160 * len(piece)
            size = 0
            while data := await reader.read(1 << 20):
                size += len(data)
            assert size > 160 * len(piece)
            assert len((await gateway.record()).response) == 160 * len(piece)
            writer.close()

    run(go())
