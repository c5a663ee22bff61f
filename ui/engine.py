"""The gateway's life as the desktop owns it: start, adopt, watch, restart, stop.

The gateway is our child on a stdin pipe. Close the pipe (or die) and it drains and leaves. One that already runs on
our data folder is adopted instead, through `gateway.json`, and left alone when we quit.
"""

import asyncio
import logging
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app.tasks import spawn
from ui import child
from ui.client import Client

HOST: Final = "127.0.0.1"
N_PORTS: Final = 20
"""How many ports from the wanted one on are tried when strangers hold them."""
BACK_OFF_MS: Final = (200, 1000, 2000, 5000, 10_000)
MAX_EARLY_DEATHS: Final = 3
"""Deaths before it was ever ready: then we stop trying and say why."""
HOPELESS: Final = frozenset({2, 3, 5, 7})
"""Exit codes that trying again does not change: flags, config, data folder, a newer database (`gateway.exits`)."""
READY_MS: Final = 30_000
DRAIN_S: Final = 15.0
HEALTHY_S: Final = 10.0
"""A gateway that lived so long died of something new: it is started again at once."""
WATCH_MS: Final = 1000
LOG_LINES: Final = 500
_log = logging.getLogger(__name__)


class GatewayState(Enum):
    """How the gateway stands."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    FAILED = "failed"


class _Runtime(msgspec.Struct):
    """What `gateway.json` says while a gateway runs."""

    pid: int
    port: int
    token: str
    started_ns: int = 0


class Engine(QObject):
    """Starts, adopts, watches and stops one gateway; GUI thread only, never waits."""

    state_changed = Signal(object)
    """A `GatewayState`; `problem` says why where it is bad news."""
    logged = Signal(str)
    """A line the gateway wrote."""

    def __init__(
        self,
        data_dir: Path,
        client: Client,
        *,
        wanted_port: int,
        config: Path | None = None,
        prepare: Callable[[QProcess, list[str]], None] | None = None,
    ) -> None:
        """`prepare` sets the child's program from its arguments; by default our own `app.launch serve`."""
        super().__init__()
        self._runtime_path = data_dir / "gateway.json"
        self._client = client
        self._prepare = prepare or (lambda process, words: child.prepare(process, "app.launch", words))
        self._arguments = ["serve", "--data", str(data_dir)] + (["--config", str(config)] if config else [])
        self._process: QProcess | None = None
        self._n_early_deaths = 0
        self._n_deaths = 0
        self._ready_at_s = 0.0
        self._pending = b""
        self._last_words = ""
        self.wanted_port = wanted_port
        self.port = wanted_port
        self.pid: int | None = None
        self.started_ns: int | None = None
        self.is_owned = True
        """False for a gateway that ran before us."""
        self.state = GatewayState.STOPPED
        self.problem = ""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._wait = QTimer(self, singleShot=True)
        self._wait.timeout.connect(lambda: spawn(self._try_again(), "gateway restart"))
        self._ready_limit = QTimer(self, singleShot=True, interval=READY_MS)
        self._ready_limit.timeout.connect(self._on_not_ready)
        self._watch = QTimer(self, interval=WATCH_MS)
        self._watch.timeout.connect(lambda: spawn(self._check_adopted(), "gateway watch"))

    @property
    def base_url(self) -> str:
        """Where clients point their SDK."""
        return f"http://{HOST}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it takes calls."""
        return self.state is GatewayState.RUNNING

    async def start(self) -> None:
        """Adopt the gateway that runs on our folder, or start our own. Returns at once; signals tell the rest."""
        if self.state in (GatewayState.RUNNING, GatewayState.STARTING):
            return
        self._n_early_deaths = 0
        self._set_state(GatewayState.STARTING)
        if not await self._adopt():
            self._spawn()

    async def restart(self) -> None:
        """Stop it, ours or adopted, and start our own."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Let it drain and leave; returns when it is gone."""
        self._wait.stop()
        self._watch.stop()
        process = self._process
        if process is None:
            if self.state is GatewayState.RUNNING:
                self._set_state(GatewayState.STOPPING)
                await self._client.stop()
        else:
            self._set_state(GatewayState.STOPPING)
            await _drained(process)
        self._client.unfollow()
        self.pid = None
        self._set_state(GatewayState.STOPPED)

    async def leave(self) -> None:
        """Quit: our own gateway drains and leaves with us, an adopted one stays."""
        if self.is_owned:
            await self.stop()
        self._watch.stop()

    async def _adopt(self) -> bool:
        runtime = self._read_runtime()
        if runtime is None:
            return False
        said = await self._client.health(f"http://{HOST}:{runtime.port}")
        if said is None or said.get("pid") != runtime.pid:
            return False
        self.is_owned = False
        self._settle(runtime)
        self._watch.start()
        return True

    async def _check_adopted(self) -> None:
        """An adopted gateway that left is replaced by our own."""
        if self.is_owned or self.state is not GatewayState.RUNNING or self._client.is_streaming:
            return
        if await self._client.health(self.base_url) is None and self._watch.isActive():
            self._watch.stop()
            self._set_state(GatewayState.RESTARTING, "The gateway left; starting our own.")
            self._spawn()

    async def _try_again(self) -> None:
        """Another gateway may hold the folder by now: then it is adopted."""
        if self.state is GatewayState.RESTARTING and not await self._adopt():
            self._spawn()

    def _spawn(self) -> None:
        if self._process is not None:
            return
        self.is_owned = True
        port = _free_port(self.wanted_port)
        process = QProcess(self)
        self._prepare(process, [*self._arguments, "--port", str(port)])
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._pending = b""
        self._last_words = ""
        self._process = process
        if self.state is not GatewayState.RESTARTING:
            self._set_state(GatewayState.STARTING)
        self._ready_limit.start()
        process.start()

    def _on_output(self) -> None:
        if self._process is None:
            return
        self._pending += self._process.readAllStandardOutput().data()
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        try:
            said = msgspec.json.decode(line)
        except msgspec.DecodeError:
            said = None
        if not isinstance(said, dict) or said.get("ready") is not True:
            self._keep_line(line.decode(errors="replace"))
            return
        runtime = self._read_runtime()
        if runtime is None or runtime.port != said.get("port"):
            self._fail("The gateway is ready but left no gateway.json with its token.")
            return
        self._ready_limit.stop()
        self._n_early_deaths = 0
        self._ready_at_s = time.monotonic()
        self._settle(runtime)

    def _settle(self, runtime: _Runtime) -> None:
        self.port, self.pid, self.started_ns = runtime.port, runtime.pid, runtime.started_ns or None
        self._client.follow(self.base_url, runtime.token)
        moved = self.port != self.wanted_port and self.wanted_port != 0
        self._set_state(GatewayState.RUNNING, f"Port {self.wanted_port} is taken; using {self.port}." if moved else "")

    def _on_log(self) -> None:
        if self._process is not None:
            for line in self._process.readAllStandardError().data().decode(errors="replace").splitlines():
                self._keep_line(line)

    def _keep_line(self, line: str) -> None:
        if line.strip():
            self._last_words = line.removeprefix("gatescope: ")
            self.log.append(line)
            self.logged.emit(line)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._process = None
            self._fail(f"The gateway cannot be started: {reason}")

    def _on_not_ready(self) -> None:
        if self._process is not None:
            self._keep_line("not ready in time; ending it")
            self._process.kill()

    def _on_finished(self, code: int, how: QProcess.ExitStatus) -> None:
        self._on_log()
        self._ready_limit.stop()
        was_ready = self.state is GatewayState.RUNNING
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self._client.unfollow()
        self.pid = None
        if self.state is GatewayState.STOPPING:
            return
        was_killed = how == QProcess.ExitStatus.CrashExit
        ending = f"The gateway was killed (signal {code})." if was_killed else f"The gateway ended with code {code}."
        why = self._last_words if self._last_words and not was_ready else ending
        self._n_early_deaths = 0 if was_ready else self._n_early_deaths + 1
        has_lived = was_ready and time.monotonic() - self._ready_at_s > HEALTHY_S
        self._n_deaths = 0 if has_lived else self._n_deaths + 1
        if self._n_early_deaths >= MAX_EARLY_DEATHS or (not was_ready and code in HOPELESS):
            self._fail(why)
            return
        self._set_state(GatewayState.RESTARTING, why)
        self._wait.start(BACK_OFF_MS[min(max(self._n_deaths - 1, 0), len(BACK_OFF_MS) - 1)])

    def _fail(self, why: str) -> None:
        self._wait.stop()
        _log.error("gateway: %s", why)
        self._set_state(GatewayState.FAILED, why)

    def _set_state(self, state: GatewayState, problem: str = "") -> None:
        if (state, problem) != (self.state, self.problem):
            self.state, self.problem = state, problem
            self.state_changed.emit(state)

    def _read_runtime(self) -> _Runtime | None:
        try:
            return msgspec.json.decode(self._runtime_path.read_bytes(), type=_Runtime)
        except (OSError, msgspec.DecodeError):
            return None


async def _drained(process: QProcess) -> None:
    """Close the child's stdin and return when it has left; one that will not is ended."""
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    process.finished.connect(lambda: gone.done() or gone.set_result(None))
    process.closeWriteChannel()
    try:
        await asyncio.wait_for(asyncio.shield(gone), DRAIN_S)
    except TimeoutError:
        process.kill()
        await gone


def _free_port(wanted: int) -> int:
    """Return the first port from `wanted` on that nobody holds; `wanted` itself where all are taken, or it is 0."""
    for port in range(wanted, wanted + N_PORTS) if wanted else ():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    return wanted
