"""The gateway's life, with a stand-in gateway: started, watched, brought back, adopted, drained."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gateway_stub
import pytest
from PySide6.QtCore import QProcess, QProcessEnvironment
from waiting import until

from ui.client import Client
from ui.engine import BACK_OFF_MS, MAX_EARLY_DEATHS, Engine, GatewayState
from ui.kit.feedback import Feedback
from ui.reader import ReaderClient

Run = Callable[[Any], Any]
STUB = str(Path(gateway_stub.__file__))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """An engine with its parts on one folder."""

    def __init__(self, data: Path, mode: str, port: int = 0) -> None:
        self.data = data
        self.reader = ReaderClient(data, Feedback())
        self.client = Client(self.reader)

        def prepare(process: QProcess, words: list[str]) -> None:
            process.setProgram(sys.executable)
            process.setArguments([STUB, mode, *words])
            process.setProcessEnvironment(QProcessEnvironment.systemEnvironment())

        self.engine = Engine(data, self.client, wanted_port=port, prepare=prepare)
        self.seen: list[GatewayState] = []
        self.engine.state_changed.connect(self.seen.append)

    async def up(self) -> None:
        await self.engine.start()
        await until(lambda: self.engine.is_running)

    def starts(self) -> int:
        return len((self.data / "starts").read_text().split())


@pytest.fixture
def make(run: Run, tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def build(mode: str = "good", port: int = 0) -> House:
        houses.append(House(tmp_path, mode, port))
        return houses[-1]

    yield build

    async def close() -> None:
        for house in houses:
            await house.engine.leave()
            await house.client.close()
            house.reader.close()

    run(close())


def test_it_starts_follows_the_stream_and_drains(run: Run, make: Callable[..., House], tmp_path: Path) -> None:
    house = make(port=free_port())

    async def trip() -> None:
        await house.up()
        assert house.engine.port == house.engine.wanted_port
        assert house.engine.problem == ""
        await until(lambda: house.client.is_streaming)
        await house.engine.stop()

    run(trip())
    assert (tmp_path / "drained").exists()
    assert house.seen == [GatewayState.STARTING, GatewayState.RUNNING, GatewayState.STOPPING, GatewayState.STOPPED]


def test_a_killed_gateway_is_brought_back(run: Run, make: Callable[..., House]) -> None:
    house = make()

    async def trip() -> None:
        await house.up()
        first = house.engine.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: GatewayState.RESTARTING in house.seen)
        assert house.engine.problem == "The gateway was killed (signal 9)."
        await until(lambda: house.engine.is_running and house.engine.pid != first)

    run(trip())
    assert house.starts() == 2


def test_one_that_never_gets_ready_is_given_up_with_its_own_words(
    run: Run, make: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.engine.BACK_OFF_MS", (10,) * len(BACK_OFF_MS))
    house = make("early")

    async def trip() -> None:
        await house.engine.start()
        await until(lambda: house.engine.state is GatewayState.FAILED)

    run(trip())
    assert house.engine.problem == "The data folder cannot be written."
    assert house.starts() == MAX_EARLY_DEATHS


def test_what_trying_again_cannot_mend_is_not_tried_again(run: Run, make: Callable[..., House]) -> None:
    house = make("hopeless")

    async def trip() -> None:
        await house.engine.start()
        await until(lambda: house.engine.state is GatewayState.FAILED)

    run(trip())
    assert house.starts() == 1


def test_a_port_that_a_stranger_holds_is_passed_over_and_told(run: Run, make: Callable[..., House]) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        house = make(port=taken)
        run(house.up())
        assert taken < house.engine.port < taken + 20
        assert house.engine.problem == f"Port {taken} is taken; using {house.engine.port}."
        assert house.engine.base_url == f"http://127.0.0.1:{house.engine.port}"


def test_a_gateway_that_already_runs_is_adopted_and_left_alone(
    run: Run, make: Callable[..., House], tmp_path: Path
) -> None:
    words = [sys.executable, STUB, "good", "serve", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        assert other.stdout is not None
        other.stdout.readline()
        house = make()

        async def trip() -> None:
            await house.up()
            assert (house.engine.pid, house.engine.is_owned) == (other.pid, False)
            await house.engine.leave()

        run(trip())
        assert other.poll() is None
        other.communicate()
    assert house.starts() == 1


def test_an_adopted_gateway_that_leaves_is_replaced(
    run: Run, make: Callable[..., House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.engine.WATCH_MS", 50)
    words = [sys.executable, STUB, "good", "serve", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        assert other.stdout is not None
        other.stdout.readline()
        house = make()

        async def trip() -> None:
            await house.up()
            other.kill()
            await until(lambda: house.engine.is_owned and house.engine.is_running)

        run(trip())
        other.communicate()


def test_a_stale_gateway_json_is_no_gateway(run: Run, make: Callable[..., House], tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(f'{{"pid": 1, "port": {free_port()}, "token": "x"}}')
    house = make()
    run(house.up())
    assert house.engine.is_owned


def test_a_program_that_cannot_be_started_is_told(run: Run, tmp_path: Path) -> None:
    reader = ReaderClient(tmp_path, Feedback())
    client = Client(reader)
    engine = Engine(
        tmp_path, client, wanted_port=0, prepare=lambda process, _words: process.setProgram("/no/such/program")
    )

    async def trip() -> None:
        await engine.start()
        await until(lambda: engine.state is GatewayState.FAILED)

    run(trip())
    assert "cannot be started" in engine.problem


def test_the_gateway_leaves_when_the_desktop_is_killed(tmp_path: Path) -> None:
    """The desktop's end of the pipe closes with it, however it dies."""
    script = f"""
import asyncio, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QProcess, QTimer
import qasync
sys.path[:0] = {[str(Path(STUB).parent), str(Path(STUB).parents[1])]!r}
from ui.client import Client
from ui.engine import Engine
from ui.kit.feedback import Feedback
from ui.reader import ReaderClient
from PySide6.QtWidgets import QApplication
app = QApplication([])
loop = qasync.QEventLoop(app)
asyncio.set_event_loop(loop)
data = Path({str(tmp_path)!r})
client = Client(ReaderClient(data, Feedback()))
def prepare(process, words):
    process.setProgram(sys.executable)
    process.setArguments([{STUB!r}, "good", *words])
engine = Engine(data, client, wanted_port=0, prepare=prepare)
engine.state_changed.connect(lambda state: print(state.value, engine.pid, flush=True))
async def main():
    await engine.start()
    await asyncio.sleep(60)
loop.run_until_complete(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as desktop:
        assert desktop.stdout is not None
        line = next(line for line in desktop.stdout if line.startswith("running"))
        assert int(line.split()[1]) > 0
        desktop.kill()
    asyncio.run(until((tmp_path / "drained").exists))
