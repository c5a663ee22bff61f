"""The control API and the live stream, against a stand-in gateway."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gateway_stub
import msgspec
import pytest
from waiting import until

from app.errors import InputError, Refused, StoreError, UpstreamError
from ui.client import Client, GatewayStatus

Run = Callable[[Any], Any]


class Store:
    """Stands in for the reader: a data version that moves when told."""

    def __init__(self) -> None:
        self.version: int | None = 1
        self.asked = 0

    async def ask(self, method: str) -> int:
        assert method == "data_version"
        self.asked += 1
        if self.version is None:
            raise StoreError("No database yet.")
        return self.version


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def client(run: Run, store: Store) -> Iterator[Client]:
    made = Client(store)  # type: ignore[arg-type]
    yield made
    run(made.close())


@pytest.fixture
def base_url(tmp_path: Path) -> Iterator[str]:
    words = [sys.executable, gateway_stub.__file__, "good", "serve", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as stub:
        assert stub.stdout is not None
        yield f"http://127.0.0.1:{msgspec.json.decode(stub.stdout.readline())['port']}"
        stub.kill()


def test_the_stream_becomes_signals_and_a_gap_means_read_again(run: Run, client: Client, base_url: str) -> None:
    changes, states = [], []
    client.changed.connect(changes.append)
    client.status_changed.connect(states.append)

    async def follow() -> None:
        client.follow(base_url, gateway_stub.TOKEN)
        await until(lambda: len(changes) == 4)

    run(follow())
    assert [(change.traces, change.is_all) for change in changes] == [
        ((), True),  # the stream begins: anything may have been missed
        ((7,), False),
        ((8, 9), False),
        ((), True),  # 3 and 4 never came
    ]
    assert states[-1].calls_per_minute == 12
    assert states[-1].in_flight[0].path == "/v1/chat/completions"


def test_keys_are_made_listed_and_revoked(run: Run, client: Client, base_url: str) -> None:
    client_keys: list[Any] = []

    async def trip() -> None:
        client.follow(base_url, gateway_stub.TOKEN)
        made = await client.create_key("ci")
        assert made.key == "gs-abcdefxyz"
        await client.revoke_key(made.id)
        client_keys.extend(await client.keys())

    run(trip())
    assert [(key.name, key.revoked_ns is not None) for key in client_keys] == [("ci", True)]


def test_refusals_and_faults_become_our_errors(run: Run, client: Client, base_url: str) -> None:
    async def wrong_token() -> None:
        client.follow(base_url, "wrong")
        await client.keys()

    async def wrong_path() -> None:
        client.follow(base_url, gateway_stub.TOKEN)
        await client.get("nothing")

    with pytest.raises(Refused, match=r"No such token\."):
        run(wrong_token())
    with pytest.raises(InputError, match=r"No such path\. Look again\."):
        run(wrong_path())


def test_a_gateway_that_is_not_there_is_told_as_such(run: Run, client: Client) -> None:
    with pytest.raises(UpstreamError, match="not running"):
        run(client.keys())
    client._base_url = "http://127.0.0.1:9"
    with pytest.raises(UpstreamError, match="cannot be reached"):
        run(client.keys())
    assert run(client.health("http://127.0.0.1:9")) is None


def test_health_tells_ours_from_a_stranger(run: Run, client: Client, base_url: str) -> None:
    assert run(client.health(base_url))["app"] == "gatescope"
    assert run(client.health(f"{base_url}/nothing")) is None


def test_without_a_stream_the_store_is_watched(run: Run, client: Client, store: Store) -> None:
    changes: list[Any] = []
    client.changed.connect(changes.append)

    async def trip() -> None:
        store.version = None
        client.poll()
        await until(lambda: store.asked > 1)
        store.version = 3
        await until(lambda: store.asked > 3)
        assert changes == []
        store.version = 4
        await until(lambda: len(changes) == 1)

    run(trip())
    assert changes[0].is_all


def test_status_falls_back_to_nothing_when_no_longer_followed(run: Run, client: Client, base_url: str) -> None:
    async def trip() -> None:
        client.follow(base_url, gateway_stub.TOKEN)
        await until(lambda: client.status.calls_per_minute == 12)
        client.unfollow()

    run(trip())
    assert client.status == GatewayStatus()
    assert not client.is_streaming
