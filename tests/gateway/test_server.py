import asyncio
import json

import pytest
from aiohttp import web
from fake_upstream import TEXT, Answer, FakeUpstream, stream
from live_gateway import KEY, REVOKED, TOKEN, live_gateway, run

from app.config import Alias, Target

SECRET = "sk-provider-secret-1234567890"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FAKE_KEY", "TEST_OPENAI_KEY", "TEST_ANTHROPIC_KEY", "TEST_GOOGLE_KEY"):
        monkeypatch.setenv(name, SECRET)


def test_a_call_goes_up_byte_for_byte_but_for_model_and_key() -> None:
    body = (
        b'{ "messages":[{"role":"user","content":"\\u00e9 \\"model\\": \\"fast\\""}],\n "model" : "fast", "x": 1.50 }'
    )

    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json", "openai-beta": "b=1"}
            answer = await gateway.http.post("/v1/chat/completions", content=body, headers=headers)
            assert answer.status_code == 200
            seen = upstream.seen[0]
            assert seen.body == body.replace(b'"model" : "fast"', b'"model" : "gpt-4o-mini"')
            assert seen.path == "/v1/chat/completions"
            assert seen.header("authorization") == f"Bearer {SECRET}"
            assert seen.header("openai-beta") == "b=1"
            assert seen.header("accept-encoding") == "identity"
            assert seen.header("host") == f"127.0.0.1:{upstream.port}"
            record = await gateway.record()
            assert record.request == body
            assert record.response == answer.content
            assert record.upstream_edit is not None
            edit = record.upstream_edit
            assert body[: edit.start] + edit.text + body[edit.end :] == seen.body
            assert (record.requested_model, record.model, record.provider) == ("fast", "gpt-4o-mini", "fake")
            assert (record.dialect, record.operation, record.key_id) == ("openai_chat", "chat", 1)
            assert SECRET not in repr(record)
            assert KEY not in repr(record)

    run(go())


def test_an_answer_comes_back_with_its_status_headers_and_bytes() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            headers = [
                ("content-type", "application/json"),
                ("x-ratelimit-remaining-requests", "9"),
                ("retry-after", "3"),
            ]
            upstream.answers.append(Answer(429, b'{"error": {"message": "slow down"}}', headers=headers))
            answer = await gateway.chat()
            assert answer.status_code == 429
            assert answer.content == b'{"error": {"message": "slow down"}}'
            assert answer.headers["x-ratelimit-remaining-requests"] == "9"
            assert answer.headers["retry-after"] == "3"
            assert answer.headers["x-gatescope-provider"] == "fake"
            assert answer.headers["x-gatescope-model"] == "gpt-4o-mini"
            assert answer.headers["x-gatescope-attempts"] == "1"
            record = await gateway.record()
            assert answer.headers["x-gatescope-request-id"] == record.request_id
            assert (record.status, record.attempts[0].status) == (429, 429)

    run(go())


def test_a_stream_passes_piece_by_piece_as_it_arrives() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            go_on = asyncio.Event()
            upstream.answers.append(stream(b'data: {"a', b'":1}\n\n', b"data: [DONE]\n\n", hold=go_on))
            request = gateway.http.build_request(
                "POST",
                "/v1/chat/completions",
                json={"model": "fast", "stream": True, "messages": []},
                headers={"authorization": f"Bearer {KEY}"},
            )
            answer = await gateway.http.send(request, stream=True)
            pieces = answer.aiter_raw()
            assert await anext(pieces) == b'data: {"a'
            go_on.set()
            rest = b"".join([piece async for piece in pieces])
            assert rest == b'":1}\n\ndata: [DONE]\n\n'
            record = await gateway.record()
            assert record.response == b'data: {"a":1}\n\ndata: [DONE]\n\n'
            assert sum(record.chunks[1::2]) == len(record.response)
            assert record.chunks[0] == 0
            assert record.first_byte_ns is not None

    run(go())


def test_a_record_is_on_disk_before_the_client_has_the_whole_answer() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            gateway.sink.room.clear()
            answer = await gateway.chat()
            assert answer.status_code == 200
            assert len(gateway.sink.spooled) == 1
            gateway.sink.room.set()

    run(go())


def test_a_running_call_is_shown_before_it_ends() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            go_on = asyncio.Event()
            upstream.answers.append(Answer(body=b"{}", hold_head=go_on))
            call = asyncio.create_task(gateway.chat())
            await gateway.sink.announced.wait()
            running = gateway.sink.submitted[0]
            assert running.end_ns is None
            assert gateway.server.in_flight[0].span_id == running.span_id
            go_on.set()
            await call
            ended = await gateway.record()
            assert ended.span_id == running.span_id
            assert len(gateway.sink.submitted) == 2

    run(go())


@pytest.mark.parametrize("stage", ["head", "body"])
def test_a_client_that_leaves_takes_the_upstream_call_with_it(stage: str) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            never = asyncio.Event()
            answer = stream(b"data: 1\n\n", b"data: 2\n\n", hold=never)
            if stage == "head":
                answer.hold_head = never
            upstream.answers.append(answer)
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            body = json.dumps({"model": "fast", "stream": True, "messages": []}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            await upstream.arrived.wait()
            if stage == "body":
                await reader.readuntil(b"data: 1\n\n")
            writer.transport.abort()
            await asyncio.wait_for(upstream.seen[0].gone.wait(), 1)
            record = await gateway.record()
            assert record.failure is not None
            assert record.failure.kind == "aborted"
            assert record.response == (b"data: 1\n\n" if stage == "body" else b"")
            assert gateway.server.in_flight == ()

    run(go())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("authorization", f"Bearer {KEY}"),
        ("x-api-key", KEY),
        ("x-goog-api-key", KEY),
        ("api-key", KEY),
        ("?key=", KEY),
    ],
)
def test_a_virtual_key_opens_wherever_an_sdk_puts_it(place: str, value: str) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            path = "/v1beta/models/gemini-2.5-flash:generateContent"
            headers = {} if place == "?key=" else {place: value}
            answer = await gateway.http.post(
                path + (f"?key={value}" if place == "?key=" else ""), json={}, headers=headers
            )
            assert answer.status_code == 200
            seen = upstream.seen[0]
            assert KEY not in repr(seen)
            assert seen.path == path
            assert seen.header("x-goog-api-key") == SECRET
            assert KEY not in repr(await gateway.record())

    run(go())


@pytest.mark.parametrize(
    ("key", "words"),
    [("", "carries no key"), ("gs-" + "x" * 40, "not known"), (REVOKED, "was revoked")],
)
def test_a_call_without_a_good_key_is_told_what_to_do(key: str, words: str) -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            answer = await gateway.chat(key=key)
            assert answer.status_code == 401
            assert words in answer.json()["error"]["message"]
            assert not upstream.seen
            record = await gateway.record()
            assert (record.status, record.request, record.key_id) == (401, b"", None)

    run(go())


def test_a_clients_own_key_goes_to_its_provider_and_nowhere_else() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            own = "sk-proj-the-clients-own-key-000000"
            answer = await gateway.chat("some-model-nobody-lists", key=own)
            assert answer.status_code == 200
            assert upstream.seen[0].header("authorization") == f"Bearer {own}"
            record = await gateway.record()
            assert (record.provider, record.key_id) == ("openai", None)
            assert own not in repr(record)
            refused = await gateway.chat("anthropic/claude-sonnet-4-5", key=own)
            assert refused.status_code == 403
            opened = await gateway.chat("open/llama", key=own)
            assert opened.status_code == 200
            assert upstream.seen[1].header("authorization") is None
            assert upstream.seen[1].json()["model"] == "llama"

    run(go())


def test_a_whole_answer_tells_its_cost_and_the_trace_that_was_stated() -> None:
    async def go() -> None:
        import genai_prices.data  # noqa: F401  # as the writer has, once it has read a call

        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            stated = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
            body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
            answer = await gateway.http.post(
                "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}", **stated}
            )
            assert answer.headers["x-gatescope-trace-id"] == "ab" * 16
            used = answer.json()["usage"]
            cost_usd = used["prompt_tokens"] * 0.15e-6 + used["completion_tokens"] * 0.6e-6
            assert float(answer.headers["x-gatescope-cost-usd"]) == pytest.approx(cost_usd)

    run(go())


def test_an_own_key_of_another_provider_is_not_sent_to_the_one_named() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            refused = await gateway.chat("fast", key="sk-unknown-shape")
            assert refused.status_code == 403
            assert "gs-" in refused.json()["error"]["message"]
            under = await gateway.http.post(
                "/fake/v1/chat/completions",
                json={"model": "m", "messages": []},
                headers={"authorization": "Bearer abc"},
            )
            assert under.status_code == 200
            assert upstream.seen[0].header("authorization") == "Bearer abc"

    run(go())


def test_passthrough_can_be_switched_off() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url, passthrough=False) as gateway:
            refused = await gateway.chat("gpt-4o", key="sk-proj-x")
            assert refused.status_code == 403
            assert (await gateway.chat("gpt-4o")).status_code == 200

    run(go())


def test_the_desktops_token_is_a_key() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            assert (await gateway.chat(key=TOKEN)).status_code == 200
            assert upstream.seen[0].header("authorization") == f"Bearer {SECRET}"

    run(go())


def test_a_missing_provider_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAKE_KEY")

    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            answer = await gateway.chat()
            assert answer.status_code == 401
            assert "FAKE_KEY" in answer.json()["error"]["message"]

    run(go())


def test_config_may_change_under_a_running_call() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            go_on = asyncio.Event()
            upstream.answers.append(Answer(body=b'{"old":1}', hold_head=go_on))
            call = asyncio.create_task(gateway.chat())
            await upstream.arrived.wait()
            quick = Alias(targets=[Target(provider="open", model="new")])
            gateway.source.current = gateway.source.current.model_copy(update={"models": {"quick": quick}})
            assert (await gateway.chat("quick")).headers["x-gatescope-provider"] == "open"
            assert (await gateway.chat("fast")).status_code == 404
            go_on.set()
            assert (await call).json() == {"old": 1}

    run(go())


def test_draining_lets_running_calls_end_and_takes_no_new_ones() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            await gateway.chat()
            go_on = asyncio.Event()
            upstream.arrived.clear()
            upstream.answers.append(Answer(body=b"{}", hold_head=go_on))
            call = asyncio.create_task(gateway.chat())
            await upstream.arrived.wait()
            draining = asyncio.create_task(gateway.server.drain(5))
            await asyncio.sleep(0)
            go_on.set()
            assert (await call).status_code == 200
            await draining
            assert gateway.server.in_flight == ()
            assert len(gateway.sink.calls) == 2

    run(go())


def test_a_call_that_outlives_the_drain_is_recorded_as_interrupted() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            upstream.answers.append(Answer(body=b"{}", hold_head=asyncio.Event()))
            call = asyncio.create_task(gateway.chat())
            await upstream.arrived.wait()
            await gateway.server.drain(0)
            record = await gateway.record()
            assert record.failure is not None
            assert record.failure.kind == "interrupted"
            await asyncio.gather(call, return_exceptions=True)

    run(go())


def test_control_routes_are_handed_over_by_prefix() -> None:
    async def hello(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=f"control {request.raw_path}")

    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url, {"/gatescope/": hello}) as gateway:
            answer = await gateway.http.get("/gatescope/health")
            assert answer.text == "control /gatescope/health"
            assert not gateway.sink.submitted

    run(go())


def test_the_default_answer_reaches_the_client_whole() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            assert (await gateway.chat()).json()["choices"][0]["message"]["content"] == TEXT

    run(go())
