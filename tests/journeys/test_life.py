"""The gateway's and the desktop's life: killed mid-load, seen while it runs, left alone, started twice."""

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from fake_upstream import TEXT, stream
from journeys.desktop_trip import Trip, is_alive, travel
from journeys.upstream_thread import UpstreamThread, fake_upstream
from PySide6.QtWidgets import QApplication
from waiting import until

from app.models.span import Status
from ui.engine import GatewayState
from ui.traces.columns import Column

ROOT = Path(__file__).resolve().parents[2]
N_CLIENTS = 6
N_ARRIVALS = 20
ARRIVAL_LIMIT_S = 1.0
"""The aim is a tenth of a second; a machine that runs tests beside it gets ten."""


def config(upstream: UpstreamThread) -> str:
    return f"""\
providers:
  oc: {{dialect: openai_chat, base_url: "{upstream.url}/v1", api_key: env:TRIP_KEY}}
models:
  fast: {{targets: [{{provider: oc, model: gpt-4o-mini}}]}}
"""


class Load:
    """Clients on the OpenAI SDK that call until told to stop, and note what they were given whole."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.over = threading.Event()
        self.whole: dict[str, str] = {}
        """Request id to the text that was asked, of every answer that came to its end."""
        self.failures = 0

    def client(self, number: int) -> None:
        """Call and call again; every other call streams."""
        with openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, timeout=5) as sdk:
            n_sent = 0
            while not self.over.is_set():
                n_sent += 1
                asked = f"client {number} call {n_sent}"
                try:
                    self.whole[self._call(sdk, asked, is_stream=n_sent % 2 == 0)] = asked
                except openai.APIError:
                    self.failures += 1
                    self.over.wait(0.05)

    def _call(self, sdk: openai.OpenAI, asked: str, *, is_stream: bool) -> str:
        messages: Any = [{"role": "user", "content": asked}]
        if not is_stream:
            raw = sdk.chat.completions.with_raw_response.create(model="fast", messages=messages)
            assert raw.parse().choices[0].message.content == TEXT
            return raw.headers["x-gatescope-request-id"]
        raw_stream: Any = sdk.chat.completions.with_raw_response.create(model="fast", messages=messages, stream=True)
        pieces = list(raw_stream.parse())
        assert "".join(p.choices[0].delta.content or "" for p in pieces if p.choices).strip() == TEXT
        request_id: str = raw_stream.headers["x-gatescope-request-id"]
        return request_id


def test_a_gateway_killed_under_load_comes_back_and_has_lost_no_finished_call(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def journey(trip: Trip) -> None:
        engine = trip.desktop.engine
        port = engine.port
        engine.wanted_port = port  # as with the default port: it comes back where clients look for it
        load = Load(trip.url, await trip.new_key())
        clients = [asyncio.create_task(asyncio.to_thread(load.client, number)) for number in range(N_CLIENTS)]
        said: list[str] = []
        engine.state_changed.connect(lambda _: said.append(trip.status._gateway.text().strip()))
        try:
            for n_kills in (1, 2):
                n_before = len(load.whole)
                await until(lambda n=n_before: len(load.whole) > n + 40, 20)  # type: ignore[misc]
                assert engine.pid is not None
                os.kill(engine.pid, signal.SIGKILL)
                await until(lambda: engine.state is GatewayState.RESTARTING)
                assert trip.status._restart.isVisible()
                await trip.running()
                assert said.count("Gateway is down, restarting…") == n_kills
                assert engine.port == port and said[-1] == f"Gateway 127.0.0.1:{port}"
            n_before = len(load.whole)
            await until(lambda: len(load.whole) > n_before + 40, 20)
        finally:
            load.over.set()
            await asyncio.gather(*clients)
        assert load.failures, "nobody noticed: it was not under load"
        await see_all(trip, load)

    with fake_upstream() as upstream:
        travel(qapp, tmp_path, journey, config=config(upstream))


async def see_all(trip: Trip, load: Load) -> None:
    """Every call that a client got to its end is stored whole, and in the window's list."""
    trip.traces.list.let_in()
    model = trip.traces.list.model
    found = {await trip.trace_of(request_id): asked for request_id, asked in load.whole.items()}
    assert len(found) == len(load.whole)
    await until(lambda: set(found) <= set(model.ids()))
    rows = await trip.desk.reader.ask("trace_rows", list(found))
    wrong = [row for row in rows if (row.input_preview, row.status, row.n_spans) != (found[row.id], Status.OK, 1)]
    assert len(rows) == len(found) and not wrong


def test_a_call_is_shown_while_it_runs_and_at_once_when_it_ends(
    qapp: QApplication, tmp_path: Path, record_property: Any
) -> None:
    hold = asyncio.Event()

    def ask(url: str, key: str) -> float:
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as sdk:
            pieces = sdk.chat.completions.create(
                model="fast", messages=[{"role": "user", "content": "Wait for it"}], stream=True
            )
            assert list(pieces)
        return time.monotonic()

    async def journey(trip: Trip) -> None:
        key = await trip.new_key()
        model = trip.traces.list.model
        call = asyncio.create_task(asyncio.to_thread(ask, trip.url, key))
        await until(lambda: model.rowCount() == 1 and model.row(0) is not None)
        assert trip.cells(model.row(0))[Column.STATUS] == "running"  # type: ignore[arg-type]
        await until(lambda: "1 in flight" in trip.status._doing.text())
        upstream.release(hold)
        await call
        [row] = await trip.rows(1)
        assert trip.cells(row)[Column.STATUS] == "ok" and trip.cells(row)[Column.OUTPUT].startswith("Here it is")
        await until(lambda: "0 in flight" in trip.status._doing.text())
        lags_s = await arrivals(trip, key)
        record_property("arrival_median_ms", round(statistics.median(lags_s) * 1000))
        print(f"\na call stands in the window {statistics.median(lags_s) * 1000:.0f} ms (median), "
              f"{max(lags_s) * 1000:.0f} ms (longest) after its end")  # fmt: skip
        assert max(lags_s) < ARRIVAL_LIMIT_S

    with fake_upstream() as upstream:
        words = [
            b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % w for w in (b"Here ", b"it is")
        ]
        end = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        upstream.answers.append(stream(*words, end, hold=hold))
        travel(qapp, tmp_path, journey, config=config(upstream))


async def arrivals(trip: Trip, key: str) -> list[float]:
    """Send call after call; return how long after its end each stood in the window's list, finished."""
    model = trip.traces.list.model
    lags_s = []
    body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
    with openai.OpenAI(base_url=f"{trip.url}/v1", api_key=key, max_retries=0) as sdk:

        def ask() -> float:
            sdk.chat.completions.create(**body)  # type: ignore[call-overload]
            return time.monotonic()

        for number in range(N_ARRIVALS):
            ended_s = await asyncio.to_thread(ask)
            wanted = number + 2

            def is_there(wanted: int = wanted) -> bool:
                row = model.known(model.ids()[0])
                return len(model.ids()) == wanted and row is not None and row.status == Status.OK

            await until(is_there)
            lags_s.append(time.monotonic() - ended_s)
    return lags_s


def desktop_process(data: Path, port: int) -> "subprocess.Popen[bytes]":
    """Start `gatescope`, as a person does."""
    command = [sys.executable, "-m", "app.launch", "--data", str(data), "--port", str(port)]
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_desktop_that_dies_takes_its_gateway_along_and_a_second_start_hands_over(
    tmp_path: Path, ending: signal.Signals
) -> None:
    data, port = tmp_path / "data", free_port()
    runtime = data / "gateway.json"

    async def journey() -> None:
        desktop = desktop_process(data, port)
        try:
            await until(lambda: runtime.exists() and is_open(port), 20)
            said = json.loads(runtime.read_bytes())
            assert said["port"] == port
            second = desktop_process(data, port)
            _, told = await asyncio.to_thread(second.communicate, timeout=20)
            assert second.returncode == 0 and b"already open" in told
            assert desktop.poll() is None and is_alive(said["pid"])
        finally:
            desktop.send_signal(ending)
            await asyncio.to_thread(desktop.communicate, timeout=20)
        assert desktop.returncode == (0 if ending is signal.SIGTERM else -signal.SIGKILL)
        await until(lambda: not is_open(port) and not runtime.exists() and not is_alive(said["pid"]), 20)

    asyncio.run(journey())
