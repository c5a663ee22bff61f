"""The list of models, as the vendors' SDKs read it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from live_gateway import KEY, LiveGateway, live_gateway, run

MANY = [f"model-{number}" for number in range(45)]
PROVIDERS: dict[str, Any] = {
    "anthropic": {"dialect": "anthropic", "base_url": "http://127.0.0.1:9", "offers": ["claude-sonnet-4-5"]},
    "many": {"dialect": "cohere", "base_url": "http://127.0.0.1:9", "auth": "none", "offers": MANY},
}


@asynccontextmanager
async def house() -> AsyncIterator[LiveGateway]:
    prices = [{"provider": "many", "model": "model-7", "input_per_mtok": 1.5, "output_per_mtok": 6.0}]
    async with live_gateway("http://127.0.0.1:9", providers=PROVIDERS, prices=prices) as gateway:
        yield gateway


def test_every_model_is_listed_for_openais_sdk_with_what_it_can_and_costs() -> None:
    async def go() -> None:
        async with house() as gateway, openai.AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1") as client:
            listed = {model.id: model.to_dict() async for model in client.models.list()}
            assert {"wise", "fast", "fake/tiny-1", "anthropic/claude-sonnet-4-5"} <= set(listed)
            assert sum(name.startswith("many/") for name in listed) == len(MANY)
            known: Any = listed["anthropic/claude-sonnet-4-5"]["gatescope"]
            assert (known["provider"], known["dialect"], known["context_tokens"]) == ("anthropic", "anthropic", 200000)
            assert known["takes"] == ["image", "file"]
            assert known["input_per_mtok"] > 0 and known["output_per_mtok"] > known["input_per_mtok"]
            own: Any = listed["many/model-7"]["gatescope"]
            assert (own["input_per_mtok"], own["output_per_mtok"]) == (1.5, 6.0)
            assert "input_per_mtok" not in listed["many/model-8"]["gatescope"]  # type: ignore[operator]
            one = await client.models.retrieve("wise")
            assert one.to_dict()["gatescope"]["model"] == "claude-sonnet-4-5"  # type: ignore[index]

    run(go())


def test_anthropics_sdk_turns_the_pages_both_ways() -> None:
    async def go() -> None:
        async with house() as gateway, anthropic.AsyncAnthropic(api_key=KEY, base_url=gateway.url) as client:
            page = await client.models.list()
            assert len(page.data) == 20 and page.has_more
            names = [model.id async for model in client.models.list(limit=7)]
            assert len(names) == len(set(names)) and set(MANY) <= {name.removeprefix("many/") for name in names}
            before = await client.models.list(before_id=names[10], limit=4)
            assert [model.id for model in before.data] == names[6:10]
            for limit, name in ((0, None), (5, "nobody")):
                with pytest.raises(anthropic.BadRequestError):
                    await client.models.list(limit=limit, **({"after_id": name} if name else {}))

    run(go())


def test_googles_sdk_turns_the_pages() -> None:
    async def go() -> None:
        async with house() as gateway:
            options = types.HttpOptions(base_url=gateway.url)
            client = genai.Client(api_key=KEY, http_options=options)
            config = types.ListModelsConfig(page_size=10, query_base=True)
            names = await asyncio.to_thread(lambda: [model.name or "" for model in client.models.list(config=config)])
            assert len(names) == len(set(names)) and {f"models/many/{name}" for name in MANY} <= set(names)
            one = await asyncio.to_thread(client.models.get, model="anthropic/claude-sonnet-4-5")
            assert one.input_token_limit == 200000

    run(go())
