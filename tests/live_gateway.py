"""A whole gateway in one line, for tests: on loopback, with a memory instead of a store.

async with live_gateway(upstream.url) as gateway:
    answer = await gateway.http.post("/v1/chat/completions", json=...)
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2 as httpx
import uvloop

from app.config import Config
from app.models.call import CallRecord
from app.models.governance import VirtualKey
from app.secrets import key_hint, key_sha256
from gateway.governance.auth import KeyTable
from gateway.server import Gateway, Handler

KEY = "gs-" + "k" * 40
REVOKED = "gs-" + "r" * 40
TOKEN = "desktop-token"
T = TypeVar("T")


class MemorySink:
    """Stands for the store's writer: keeps what it is given, in the order of events."""

    def __init__(self) -> None:
        self.spooled: list[CallRecord] = []
        self.submitted: list[CallRecord] = []
        self.room = asyncio.Event()
        self.room.set()
        self.finished = asyncio.Event()
        self.announced = asyncio.Event()

    def spool(self, record: CallRecord) -> None:
        self.spooled.append(record)

    def submit(self, record: CallRecord) -> None:
        self.submitted.append(record)
        (self.announced if record.end_ns is None else self.finished).set()

    async def wait_room(self) -> None:
        await self.room.wait()

    @property
    def calls(self) -> list[CallRecord]:
        """The finished calls."""
        return [record for record in self.submitted if record.end_ns is not None]


class FixedConfig:
    """A config source that a test may change."""

    def __init__(self, config: Config) -> None:
        self.current = config


class LiveGateway:
    """A running gateway and a client for it."""

    def __init__(self, source: FixedConfig, control: Mapping[str, Handler] | None = None) -> None:
        self.source = source
        self.sink = MemorySink()
        self.keys = KeyTable(
            [
                VirtualKey(1, "main", key_sha256(KEY), key_hint(KEY), 0),
                VirtualKey(2, "old", key_sha256(REVOKED), key_hint(REVOKED), 0, revoked_ns=1),
            ]
        )
        self.server = Gateway(source, self.sink, self.keys, TOKEN, control=control)
        self.port = 0
        self.http: httpx.AsyncClient

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    async def record(self) -> CallRecord:
        """The last finished call; waits until there is one."""
        await asyncio.wait_for(self.sink.finished.wait(), 5)
        return self.sink.calls[-1]

    async def chat(self, model: str = "fast", *, key: str = KEY, **fields: Any) -> httpx.Response:
        """One small OpenAI chat call."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **fields}
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return await self.http.post("/v1/chat/completions", json=body, headers=headers)


def config_for(url: str, **fields: Any) -> Config:
    """A config whose providers all live at `url`; `fast` and `wise` are aliases."""
    providers: dict[str, Any] = {
        "openai": {
            "dialect": "openai_chat",
            "also": ["openai_responses"],
            "base_url": f"{url}/v1",
            "env": ["TEST_OPENAI_KEY"],
            "models": ["gpt-*"],
        },
        "anthropic": {"dialect": "anthropic", "base_url": url, "env": ["TEST_ANTHROPIC_KEY"], "models": ["claude-*"]},
        "google": {"dialect": "gemini", "base_url": url, "env": ["TEST_GOOGLE_KEY"], "models": ["gemini-*"]},
        "fake": {
            "dialect": "openai_chat",
            "also": ["openai_responses"],
            "base_url": f"{url}/v1",
            "api_key": "env:FAKE_KEY",
            "models": ["tiny-1"],
        },
        "open": {
            "dialect": "openai_chat",
            "also": ["openai_responses"],
            "base_url": f"{url}/v1",
            "auth": "none",
        },
    }
    models = {
        "fast": {"targets": [{"provider": "fake", "model": "gpt-4o-mini"}]},
        "wise": {"targets": [{"provider": "anthropic", "model": "claude-sonnet-4-5"}]},
    }
    data = {"providers": providers | fields.pop("providers", {}), "models": models, **fields}
    return Config.of(data)


@asynccontextmanager
async def live_gateway(
    url: str, control: Mapping[str, Handler] | None = None, **fields: Any
) -> AsyncIterator[LiveGateway]:
    """Run a gateway whose providers live at `url`; `fields` are config fields."""
    gateway = LiveGateway(FixedConfig(config_for(url, **fields)), control)
    gateway.port = await gateway.server.start("127.0.0.1", 0)
    try:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=10, trust_env=False) as gateway.http:
            yield gateway
    finally:
        await gateway.server.drain(0.2)


def run(work: Coroutine[Any, Any, T], timeout_s: float = 30) -> T:
    """Run a test on the loop that the gateway runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, timeout_s))
