"""Streams between two dialects, as the client's bytes."""

import asyncio
import json

import pytest
from fake_upstream import FakeUpstream
from live_gateway import KEY, live_gateway, run
from voices import openai_chat
from voices.script import Script

from gateway.upstream import crossed

TEXT = Script("The rain in Spain stays mainly in the plain.")
BODY = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


def test_a_client_of_geminis_without_sse_gets_one_json_array() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            upstream.answers.append(openai_chat.stream(TEXT, "gpt-4.1"))
            path = "/v1beta/models/open/gpt-4.1:streamGenerateContent"
            answer = await gateway.http.post(path, json=BODY, headers={"x-goog-api-key": KEY})
            assert answer.headers["content-type"] == "application/json"
            chunks = json.loads(answer.content)
            said = "".join(part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"])
            assert said == TEXT.text

    run(go())


def test_a_client_that_waits_gets_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossed, "PATIENCE_S", 0.02)
    monkeypatch.setattr(crossed, "PING_S", 0.02)

    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            answer = openai_chat.stream(TEXT, "gpt-4.1")
            answer.hold = asyncio.Event()  # after the first piece, which says nothing yet
            upstream.answers.append(answer)
            asked = {
                "model": "open/gpt-4.1",
                "max_tokens": 100,
                "stream": True,
                "messages": [{"role": "user", "content": "Hello"}],
            }
            got = b""
            async with gateway.http.stream("POST", "/v1/messages", json=asked, headers={"x-api-key": KEY}) as answered:
                assert answered.status_code == 200
                async for data in answered.aiter_bytes():
                    got += data
                    if b"ping" in got:
                        answer.hold.set()
            assert b"event: ping" in got and got.rstrip().endswith(b'{"type":"message_stop"}')

    run(go())


def test_what_the_provider_sent_is_kept_beside_what_the_client_got() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            said = openai_chat.stream(TEXT, "gpt-4.1")
            upstream.answers.append(said)
            path = "/v1beta/models/open/gpt-4.1:streamGenerateContent?alt=sse"
            answer = await gateway.http.post(path, json=BODY, headers={"x-goog-api-key": KEY})
            record = await gateway.record()
            assert record.response == answer.content
            assert record.upstream_response == b"".join(said.pieces or [])
            assert record.upstream_request == upstream.seen[0].body
            assert (record.dialect, record.upstream_dialect) == ("gemini", "openai_chat")

    run(go())
