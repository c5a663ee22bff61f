"""The vendors' own SDKs, only their base URL changed."""

import asyncio
from typing import Any

import anthropic
import openai
import pytest
from fake_upstream import TEXT, Answer, FakeUpstream, stream
from live_gateway import KEY, LiveGateway, live_gateway, run

LAST = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FAKE_KEY", "TEST_OPENAI_KEY", "TEST_ANTHROPIC_KEY"):
        monkeypatch.setenv(name, "secret-of-provider")


def openai_client(gateway: LiveGateway, key: str = KEY) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


def anthropic_client(gateway: LiveGateway, key: str = KEY) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=gateway.url, api_key=key, max_retries=0)


def test_openai_chats_and_streams() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway, openai_client(gateway) as client:
            asked = [{"role": "user", "content": "Hello"}]
            whole = await client.chat.completions.create(model="fast", messages=asked)  # type: ignore[arg-type]
            assert whole.choices[0].message.content == TEXT
            pieces = await client.chat.completions.create(model="fast", messages=asked, stream=True)  # type: ignore[arg-type]
            text = "".join([piece.choices[0].delta.content or "" async for piece in pieces if piece.choices])
            assert text == TEXT + " "
            assert upstream.seen[0].json()["model"] == "gpt-4o-mini"
            assert len(gateway.sink.calls) == 2

    run(go())


def test_openai_speaks_responses_and_embeddings() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway, openai_client(gateway) as client:
            answer = await client.responses.create(model="fast", input="Hello")
            assert answer.output_text == TEXT
            events = await client.responses.create(model="fast", input="Hello", stream=True)
            assert [event.type async for event in events][-1] == "response.completed"
            rows = await client.embeddings.create(model="fast", input="Hello", encoding_format="float")
            assert rows.data[0].embedding == [0.1, 0.2]
            assert "fast" in [item.id async for item in client.models.list()]

    run(go())


def test_anthropic_speaks_and_streams() -> None:
    async def go() -> None:
        async with (
            FakeUpstream() as upstream,
            live_gateway(upstream.url) as gateway,
            anthropic_client(gateway) as client,
        ):
            asked = [{"role": "user", "content": "Hello"}]
            whole = await client.messages.create(model="wise", max_tokens=10, messages=asked)  # type: ignore[arg-type]
            assert whole.content[0].text == TEXT  # type: ignore[union-attr]
            async with client.messages.stream(model="wise", max_tokens=10, messages=asked) as events:  # type: ignore[arg-type]
                assert await events.get_final_text() == TEXT
            seen = upstream.seen[0]
            keys = [value for name, value in seen.headers if "secret-of-provider" in value]
            assert keys == ["Bearer secret-of-provider"]
            assert (seen.header("anthropic-version") or "") >= "2026-10-21"

    run(go())


def test_an_sdks_own_key_passes_through() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            async with anthropic_client(gateway, "sk-ant-own") as client:
                asked = [{"role": "user", "content": "Hello"}]
                await client.messages.create(model="claude-x", max_tokens=9, messages=asked)  # type: ignore[arg-type]
            assert upstream.seen[0].header("authorization") == "Bearer sk-ant-own"
            assert "sk-ant-own" not in repr(await gateway.record())

    run(go())


def test_sdks_read_our_errors_as_their_own() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            async with openai_client(gateway, "gs-" + "0" * 40) as client:
                with pytest.raises(openai.AuthenticationError) as refused:
                    await client.embeddings.create(model="fast", input="x")
                assert refused.value.code == "invalid_api_key"
                assert str(refused.value.request_id).startswith("req_")
            async with anthropic_client(gateway) as client:
                with pytest.raises(anthropic.NotFoundError) as unknown:
                    await client.messages.create(model="nope", max_tokens=1, messages=[])
                assert str(unknown.value.request_id).startswith("req_")

    run(go())


def test_sdks_never_take_a_cut_stream_for_whole() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            first = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
            upstream.answers.append(stream(first, b"x", cut_after=1))
            async with openai_client(gateway) as client:
                pieces = await client.chat.completions.create(model="fast", messages=[], stream=True)
                with pytest.raises(openai.APIError, match="cut its answer off"):
                    [piece async for piece in pieces]
            start = b'event: message_start\ndata: {"type":"message_start","message":{"id":"1","type":"message",'
            start += b'"role":"assistant","content":[],"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
            upstream.answers.append(stream(start, b"x", cut_after=1))
            async with anthropic_client(gateway) as client:
                with pytest.raises(anthropic.APIError, match="cut its answer off"):
                    async with client.messages.stream(model="wise", max_tokens=1, messages=[]) as events:
                        await events.get_final_text()

    run(go())


def test_an_sdk_that_hangs_up_on_the_last_event_has_its_call_on_disk() -> None:
    def ask(url: str) -> int:
        with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
            return len(list(client.chat.completions.create(model="fast", messages=[], stream=True)))

    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            end = asyncio.Event()
            upstream.answers.append(stream(LAST, b"", hold=end))
            asked = asyncio.create_task(asyncio.to_thread(ask, gateway.url))
            await upstream.arrived.wait()
            asyncio.get_running_loop().call_later(0.02, end.set)
            assert await asked == 1
            [record] = gateway.sink.spooled
            assert (record.failure, record.response) == (None, LAST)

    run(go())


def test_a_provider_that_keeps_the_body_open_after_the_last_event_delays_it_but_little() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway, openai_client(gateway) as client:
            upstream.answers.append(stream(LAST, b"", hold=asyncio.Event()))
            pieces = await client.chat.completions.create(model="fast", messages=[], stream=True)
            assert len(await asyncio.wait_for(_all(pieces), 2)) == 1

    run(go())


async def _all(pieces: openai.AsyncStream[Any]) -> list[Any]:
    return [piece async for piece in pieces]


def test_closing_an_sdks_stream_early_ends_the_upstream_call() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            first = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
            upstream.answers.append(stream(first, first, hold=asyncio.Event()))
            async with openai_client(gateway) as client:
                pieces = await client.chat.completions.create(model="fast", messages=[], stream=True)
                await anext(aiter(pieces))
                await pieces.close()
                await asyncio.wait_for(upstream.seen[0].gone.wait(), 1)
            record = await gateway.record()
            assert record.failure is not None
            assert (record.failure.kind, record.response) == ("aborted", first)

    run(go())


def test_a_rate_limit_reaches_the_sdk_with_its_headers() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway, openai_client(gateway) as client:
            headers = [("content-type", "application/json"), ("retry-after", "7")]
            upstream.answers.append(Answer(429, b'{"error":{"message":"slow","type":"t","code":"c"}}', headers=headers))
            with pytest.raises(openai.RateLimitError) as limited:
                await client.chat.completions.create(model="fast", messages=[])
            assert limited.value.response.headers["retry-after"] == "7"

    run(go())
