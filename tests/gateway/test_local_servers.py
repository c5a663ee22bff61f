"""Servers on this machine are found by their rows, and nothing else is taken for one."""

import asyncio
import json
import time

from fake_upstream import Answer, FakeUpstream
from live_gateway import run

from app.config import ProviderConfig
from gateway.local_servers import find_local


def row(dialect: str, url: str) -> ProviderConfig:
    return ProviderConfig.model_validate({"dialect": dialect, "base_url": url, "auth": "none", "title": dialect})


def test_a_server_that_answers_is_told_with_its_models() -> None:
    async def go() -> None:
        async with FakeUpstream() as ollama, FakeUpstream() as vllm, FakeUpstream() as stranger:
            ollama.answers.append(Answer(body=json.dumps({"models": [{"name": "qwen3:8b"}]}).encode()))
            vllm.answers.append(Answer(body=json.dumps({"data": [{"id": "Qwen/Qwen3"}]}).encode()))
            stranger.answers.append(Answer(body=b'{"hello": "world"}'))
            rows = {
                "ollama": row("ollama", ollama.url),
                "vllm": row("openai_chat", f"{vllm.url}/v1"),
                "twin": row("openai_chat", f"{vllm.url}/v1"),
                "stranger": row("openai_chat", f"{stranger.url}/v1"),
                "away": row("openai_chat", "http://192.0.2.1:9/v1"),
                "nobody": row("openai_chat", "http://127.0.0.1:9/v1"),
            }
            found = await asyncio.to_thread(find_local, rows, 0)
            assert [(server.name, server.models) for server in found] == [
                ("ollama", ["qwen3:8b"]),
                ("vllm", ["Qwen/Qwen3"]),
            ]
            assert [seen.path for seen in (*ollama.seen, *vllm.seen)] == ["/api/tags", "/v1/models"]

    run(go())


def test_one_that_hangs_holds_up_nobody_for_long_and_we_do_not_ask_ourselves() -> None:
    async def go() -> None:
        async with FakeUpstream() as hanging, FakeUpstream() as own:
            never = asyncio.Event()
            hanging.answers.append(Answer(hold_head=never))
            port = int(own.url.rpartition(":")[2])
            rows = {"hanging": row("ollama", hanging.url), "own": row("ollama", own.url)}
            began_s = time.monotonic()
            assert await asyncio.to_thread(find_local, rows, port) == []
            assert time.monotonic() - began_s < 10
            assert not own.seen
            never.set()

    run(go())
