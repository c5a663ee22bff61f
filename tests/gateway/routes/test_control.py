import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from gateway_process import GatewayProcess, running_gateway

from app.paths import Paths
from app.store.migrations import SCHEMA
from app.version import VERSION
from gateway.folder import read_runtime


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with running_gateway(tmp_path_factory.mktemp("control") / "data", "") as process:
        yield process


@pytest.fixture
def desktop(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    runtime = read_runtime(Paths(gateway.data))
    assert runtime is not None
    headers = {"authorization": f"Bearer {runtime.token}"}
    with httpx.Client(base_url=f"{gateway.url}/gatescope/", headers=headers, trust_env=False, timeout=20) as client:
        yield client


def test_health_is_open_to_all_and_tells_who_we_are(gateway: GatewayProcess) -> None:
    said = httpx.get(f"{gateway.url}/gatescope/health").json()
    assert said == {"app": "gatescope", "version": VERSION, "pid": gateway.process.pid, "schema": SCHEMA}


@pytest.mark.parametrize("path", ["status", "keys", "live", "first-key", "nowhere"])
def test_everything_else_wants_the_desktops_token(gateway: GatewayProcess, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Bearer {gateway.new_key()}"}):
        answer = httpx.get(f"{gateway.url}/gatescope/{path}", headers=headers)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]["message"]


def test_a_foreign_page_or_host_is_refused_even_with_the_token(desktop: httpx.Client) -> None:
    assert desktop.get("status", headers={"origin": "https://evil.example"}).status_code == 403
    assert desktop.get("status", headers={"host": "evil.example"}).status_code == 403


def test_status_tells_where_and_how_the_gateway_stands(gateway: GatewayProcess, desktop: httpx.Client) -> None:
    said = desktop.get("status").json()
    assert said["port"] == gateway.ready["port"]
    assert said["data"] == str(gateway.data)
    assert said["in_flight"] == []
    assert said["config_problem"] is None
    assert {"openai", "anthropic", "google", "demo"} <= {one["name"] for one in said["providers"]}


def test_the_first_key_is_told_while_it_lives(gateway: GatewayProcess, desktop: httpx.Client) -> None:
    key = desktop.get("first-key").json()["key"]
    assert key.startswith("gs-")
    assert httpx.get(f"{gateway.url}/v1/models", headers={"x-api-key": key}).status_code == 200
    listed = desktop.get("keys").json()["keys"]
    first = next(one for one in listed if one["name"] == "default")
    assert first["last_used_ns"] is not None
    assert key not in json.dumps(listed)
    assert desktop.post(f"keys/{first['id']}/revoke").json()["revoked_ns"] is not None
    assert desktop.get("first-key").json() == {"key": None, "reason": "The first key was revoked."}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"name": "  "}', 400), (b"{}", 400), (b"[]", 400), (b"{", 400), (b'{"name": "a\\nb"}', 400)],
)
def test_a_key_wants_a_name(desktop: httpx.Client, body: bytes, status: int) -> None:
    answer = desktop.post("keys", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_what_is_not_there_is_told(desktop: httpx.Client) -> None:
    assert desktop.get("nowhere").status_code == 404
    assert desktop.get("demo").status_code == 405
    assert desktop.post("keys/9999/revoke").status_code == 400


def test_a_call_and_a_key_are_told_live_within_a_moment(gateway: GatewayProcess, desktop: httpx.Client) -> None:
    key = gateway.new_key()

    async def go() -> list[tuple[str, Any]]:
        seen: list[tuple[str, Any]] = []
        async with (
            httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http,
            http.stream("GET", "/gatescope/live", headers=dict(desktop.headers)) as live,
        ):
            lines = live.aiter_lines()
            seen.append(await next_event(lines))
            body = {"model": "demo/chat", "messages": [{"role": "user", "content": "x"}], "delay_ms": 0}
            answer = await http.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == 200
            while seen[-1][0] != "change" or not seen[-1][1]["traces"]:
                seen.append(await next_event(lines))
            made = await http.post("/gatescope/keys", json={"name": "b"}, headers=dict(desktop.headers))
            assert made.status_code == 201
            while seen[-1][0] != "change" or not seen[-1][1].get("keys"):
                seen.append(await next_event(lines))
        return seen

    seen = asyncio.run(asyncio.wait_for(go(), 20))
    assert seen[0][0] == "status"
    assert seen[0][1]["in_flight"] == []
    numbers = [data["seq"] for name, data in seen if name == "change"]
    assert numbers == list(range(1, len(numbers) + 1))


async def next_event(lines: Any) -> tuple[str, Any]:
    """Return the next server-sent event's name and data."""
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            return name, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


def test_stop_drains_and_leaves(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as own:
        runtime = read_runtime(Paths(own.data))
        assert runtime is not None
        headers = {"authorization": f"Bearer {runtime.token}"}
        with httpx.stream("GET", f"{own.url}/gatescope/live", headers=headers) as live:
            assert httpx.post(f"{own.url}/gatescope/stop", headers=headers).status_code == 202
            for _ in live.iter_bytes():
                pass
        assert own.process.wait(10) == 0
