"""Embeddings, rankings and token counts by providers of other dialects, through a live gateway."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest
from fake_upstream import Answer, FakeUpstream
from google import genai
from google.genai import types
from live_gateway import KEY, LiveGateway, live_gateway, run

DIALECTS = ("gemini", "cohere", "ollama", "bedrock", "openai_chat", "anthropic")


@asynccontextmanager
async def house() -> AsyncIterator[tuple[LiveGateway, FakeUpstream]]:
    async with FakeUpstream() as upstream:
        providers = {name: {"dialect": name, "base_url": upstream.url, "auth": "none"} for name in DIALECTS}
        providers["openai_chat"]["base_url"] += "/v1"
        providers["voyage"] = {"dialect": "openai_chat", "base_url": f"{upstream.url}/v1", "auth": "none"}
        async with live_gateway(upstream.url, providers=providers) as gateway:
            yield gateway, upstream


def say(upstream: FakeUpstream, value: Any, status: int = 200) -> None:
    upstream.answers.append(Answer(status, json.dumps(value).encode()))


def test_openais_sdk_embeds_with_geminis_models() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream), openai_client(gateway) as client:
            say(upstream, {"embeddings": [{"values": [0.5, -1.0]}, {"values": [0.25, 2.0]}]})
            asked = await client.embeddings.create(model="gemini/gemini-embedding-001", input=["a", "b"], dimensions=2)
            assert [row.embedding for row in asked.data] == [[0.5, -1.0], [0.25, 2.0]]
            assert asked.model == "gemini/gemini-embedding-001"
            seen = upstream.seen[-1]
            assert seen.path.endswith("/models/gemini-embedding-001:batchEmbedContents")
            assert [one["outputDimensionality"] for one in seen.json()["requests"]] == [2, 2]
            record = await gateway.record()
            assert (record.upstream_dialect, record.operation) == ("gemini", "embeddings")

    run(go())


def test_openais_sdk_embeds_with_coheres_and_ollamas_models() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream), openai_client(gateway) as client:
            tokens = {"billed_units": {"input_tokens": 3}}
            say(upstream, {"id": "1", "embeddings": {"float": [[1.0, 2.0]]}, "meta": tokens})
            asked = await client.embeddings.with_raw_response.create(model="cohere/embed-v4.0", input="a")
            assert asked.parse().data[0].embedding == [1.0, 2.0]
            assert asked.parse().usage.prompt_tokens == 3
            assert "input_type" in asked.headers["x-gatescope-dropped"]
            assert upstream.seen[-1].json()["input_type"] == "search_document"
            say(upstream, {"model": "nomic", "embeddings": [[3.0, 4.0]], "prompt_eval_count": 2})
            local = await client.embeddings.create(model="ollama/nomic", input="a", encoding_format="float")
            assert local.data[0].embedding == [3.0, 4.0]

    run(go())


def test_a_providers_error_is_openais() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream), openai_client(gateway) as client:
            say(upstream, {"error": {"code": 429, "message": "Too much.", "status": "RESOURCE_EXHAUSTED"}}, 429)
            try:
                await client.embeddings.create(model="gemini/gemini-embedding-001", input="a")
            except openai.RateLimitError as error:
                assert "Too much." in str(error)
            else:
                raise AssertionError("no error")

    run(go())


def test_who_embeds_nothing_says_so() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream), openai_client(gateway) as client:
            try:
                await client.embeddings.create(model="anthropic/claude-sonnet-4-5", input="a")
            except openai.BadRequestError as error:
                assert "embeds nothing" in str(error)
            else:
                raise AssertionError("no error")
            assert not upstream.seen

    run(go())


def test_a_client_of_coheres_ranks_with_voyage() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream):
            ranked = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
            say(upstream, {"object": "list", "data": ranked, "model": "rerank-2.5", "usage": {"total_tokens": 9}})
            body = {"model": "voyage/rerank-2.5", "query": "q", "documents": ["a", "b"], "top_n": 1}
            answer = await gateway.http.post("/v2/rerank", json=body, headers={"authorization": f"Bearer {KEY}"})
            assert answer.status_code == 200, answer.text
            assert answer.json()["results"] == [{"index": 1, "relevance_score": 0.9}]
            assert upstream.seen[-1].json()["top_k"] == 1

    run(go())


def test_anthropics_sdk_counts_tokens_of_geminis_models() -> None:
    async def go() -> None:
        async with (
            house() as (gateway, upstream),
            anthropic.AsyncAnthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as client,
        ):
            say(upstream, {"totalTokens": 42})
            said: Any = [{"role": "user", "content": "Hello"}]
            counted = await client.messages.count_tokens(model="gemini/gemini-2.5-flash", messages=said)
            assert counted.input_tokens == 42
            assert upstream.seen[-1].path.endswith(":countTokens")

    run(go())


def test_what_nobody_counts_is_estimated_and_says_so() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream):
            body = {"model": "ollama/qwen3", "messages": [{"role": "user", "content": "Hello there, you."}]}
            answer = await gateway.http.post("/v1/messages/count_tokens", json=body, headers={"x-api-key": KEY})
            assert answer.json()["input_tokens"] > 3
            assert answer.headers["x-gatescope-estimated"] == "true"
            assert not upstream.seen

    run(go())


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession")  # Google's SDK does
def test_googles_sdk_counts_tokens_of_claude() -> None:
    async def go() -> None:
        async with house() as (gateway, upstream):
            say(upstream, {"input_tokens": 17})
            client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=gateway.url))
            try:
                counted = await client.aio.models.count_tokens(model="anthropic/claude-sonnet-4-5", contents="Hello")
            finally:
                await client.aio.aclose()
                await asyncio.to_thread(client.close)
            assert counted.total_tokens == 17
            assert upstream.seen[-1].path == "/v1/messages/count_tokens"

    run(go())


def openai_client(gateway: LiveGateway) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0)
