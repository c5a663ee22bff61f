"""The headless gateway, put together: where its parts meet, and in which order they start and stop."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from app.config import DEFAULT_HOST, Config, PriceRow
from app.config_file import ConfigFile
from app.errors import InputError, Refused, SetupError
from app.logs import start_logs
from app.paths import Paths
from app.secrets import new_token
from app.store.health import check
from app.store.migrations import SCHEMA
from app.store.writer import Commit, Writer
from app.tasks import spawn
from app.version import VERSION
from gateway.control import health_of
from gateway.exchange import Exchange, Upstream
from gateway.exits import Exit, StartError
from gateway.folder import FolderLock, Runtime, prepare_folder, remove_runtime, write_runtime
from gateway.governance.auth import KeyTable
from gateway.keys import Keys
from gateway.lifeline import Lifeline
from gateway.live import Live, Running, Status
from gateway.meaning import Meaning, QuietWork
from gateway.routes.control import PREFIX, Control
from gateway.server import Gateway

if TYPE_CHECKING:
    from gateway.local_servers import LocalServer

DEMO: Final = "demo"
"""The provider that is inside the program; `resources/providers.toml` has it too."""
DRAIN_S: Final = 10.0
"""So long running calls may take to end once we leave; the desktop waits 15 s."""
_STORE_S: Final = 10.0
_BUSY_CALLS: Final = 8
"""So many at once, and answering them goes before writing them."""
_SWITCH_S: Final = 0.0005
"""How long the writer's thread may keep the event loop from the interpreter; the default is ten times that."""
_CONFIG_POLL_S: Final = 1.0
_USES_S: Final = 30.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line and the environment say. None: as the config, else the default."""

    paths: Paths
    config: Path | None = None
    host: str | None = None
    port: int | None = None


class House:
    """One running gateway and all that belongs to it, as `gateway.routes.control` asks for it."""

    def __init__(self, settings: Settings, config: ConfigFile) -> None:
        self._settings = settings
        self._config = config
        self._token = new_token()
        self._table = KeyTable()
        self._lifeline = Lifeline()
        self._started_ns = time.time_ns()
        self._demo = asyncio.Lock()
        self._meaning = Meaning(_prices(config.current))
        self.end = asyncio.Event()
        self.live = Live()
        self._quiet = QuietWork(settings.paths.data, lambda: config.current.retention)
        self.writer = Writer(
            settings.paths.data,
            make_prepare=self._meaning.make_prepare,
            on_commit=self._on_commit,
            is_busy=lambda: self.gateway.recorder.n_in_flight >= _BUSY_CALLS,
            idle_jobs=(self._quiet,),
        )
        self.keys = Keys(self.writer, self._table, lambda: self.live.publish(keys=True), settings.paths.data)
        self.gateway = Gateway(
            config,
            self.writer,
            self._table,
            self._token,
            control={PREFIX: Control(self).handle},
            inside={DEMO: _answer_demo},
            prices=lambda: self._meaning.prices,
            run=self.writer.run,
        )
        self.host = settings.host or config.current.server.host or DEFAULT_HOST
        self.port = config.current.server.port if settings.port is None else settings.port

    async def run(self) -> None:
        """Serve until told to leave, then drain. Raises SetupError or StoreError where it cannot start."""
        self.writer.start()
        try:
            await self.keys.load()
            await self._listen()
            try:
                self._announce()
                await self._serve()
            finally:
                remove_runtime(self._settings.paths)
                self.end.set()
                self.live.publish()
                await self.gateway.drain(DRAIN_S)
        finally:
            if await asyncio.to_thread(self.writer.stop, _STORE_S):
                self._quiet.close()

    def is_desktop(self, request: web.BaseRequest) -> bool:
        """Whether a request carries the desktop's token."""
        return self.gateway.auth.is_desktop(request)

    def status(self) -> Status:
        """How the gateway stands."""
        calls = tuple(
            Running(
                f"{call.span_id & 0xFFFFFFFFFFFFFFFF:016x}",
                call.request_id,
                call.method,
                call.path,
                call.model,
                call.started_ns,
                call.size_bytes,
            )
            for call in self.gateway.in_flight
        )
        recorder = self.gateway.recorder
        return Status(
            calls,
            recorder.calls_last_minute(),
            self._config.problem,
            recorder.problem or self.writer.problem,
            self.writer.queued_bytes,
        )

    def facts(self) -> dict[str, object]:
        """Where and what the gateway is, and which providers it knows."""
        return {
            "version": VERSION,
            "pid": os.getpid(),
            "schema": SCHEMA,
            "host": self.host,
            "port": self.port,
            "data": str(self._settings.paths.data),
            "config": str(self._config.path),
            "started_ns": self._started_ns,
            "providers": _providers(self._config.current),
            "models": sorted(self._config.current.models),
        }

    def check_caller(self, request: web.BaseRequest) -> None:
        """Raise Refused where a request carries neither a live key nor the token."""
        if self.gateway.auth.caller_of(request).kind == "own":
            raise Refused("This needs a Gatescope key or the desktop's token.", rule="key")

    async def translate(self, asked: bytes) -> dict[str, object]:
        """Return what a request would become for a model; in a thread, as it brings all dialects with it."""
        from gateway.routes.translate import translate

        return await asyncio.to_thread(translate, self._config.current, asked)

    async def local_servers(self) -> list[LocalServer]:
        """Look for model servers on this machine."""
        from gateway.local_servers import find_local  # seldom wanted

        return await asyncio.to_thread(find_local, self._config.current.providers, self.port)

    async def run_demo(self) -> dict[str, object]:
        """Send the demo agent's calls through our own port, one run at a time."""
        from gateway.demo import run_demo  # seldom wanted

        async with self._demo:
            return await asyncio.to_thread(run_demo, f"http://127.0.0.1:{self.port}", self._token)

    def stop(self, reason: str) -> None:
        """Begin to leave."""
        self._lifeline.cut(reason)

    async def _listen(self) -> None:
        try:
            self.port = await self.gateway.start(self.host, self.port)
        except SetupError as error:
            taken = await asyncio.to_thread(_who_listens, self.host, self.port)
            raise StartError(taken or error.message, Exit.PORT, hint=error.hint) from error

    def _announce(self) -> None:
        """Leave `gateway.json`, then print the line that says we are ready."""
        runtime = Runtime(os.getpid(), self.port, self._token, self._started_ns, self.host)
        write_runtime(self._settings.paths, runtime)
        self._lifeline.hold()
        said = {"ready": True, "port": self.port, "schema": SCHEMA, "pid": os.getpid()}
        try:
            print(json.dumps(said), flush=True)
        except OSError:  # whoever started us has gone before we were ready
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python still writes there when it ends
            self._lifeline.cut("stdout was closed")

    async def _serve(self) -> None:
        jobs = [
            spawn(self.keys.keep_first(), "first key"),
            spawn(self._watch_config(), "config watch"),
            spawn(self._note_uses(), "key uses"),
        ]
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(_SWITCH_S)
        try:
            await self._lifeline.wait()
        finally:
            for job in jobs:
                job.cancel()

    async def _watch_config(self) -> None:
        while True:
            await asyncio.sleep(_CONFIG_POLL_S)
            if not self._config.has_changed():
                continue
            if await asyncio.to_thread(self._config.reload_if_changed):
                self._meaning.reprice(_prices(self._config.current))
                self.live.publish(config=True)

    async def _note_uses(self) -> None:
        while True:
            await asyncio.sleep(_USES_S)
            await self.keys.note_uses()

    def _on_commit(self, commit: Commit) -> None:
        self.live.on_commit(commit.traces)


def serve(settings: Settings) -> None:
    """Run the gateway in this process until it is told to leave.

    Raises InputError for the config, SetupError for the machine, StoreError for the database.
    """
    paths = settings.paths
    prepare_folder(paths)
    lock = FolderLock(paths)
    lock.take()
    try:
        start_logs(paths.logs)
        config = ConfigFile(settings.config or paths.config)
        if settings.config is not None and not settings.config.exists():
            raise InputError(f"There is no config file {settings.config}.", hint="Give another with --config.")
        aside = check(paths.data)
        if aside is not None:
            _log.warning("The database was damaged. It is now %s; a new one was begun.", aside)
        _run(_house(settings, config))
    finally:
        lock.release()


async def _house(settings: Settings, config: ConfigFile) -> None:
    await House(settings, config).run()


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is there."""
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


async def _answer_demo(exchange: Exchange, body: bytes) -> Upstream:
    from gateway.providers.demo import answer_demo  # with the readers of three dialects

    return await answer_demo(exchange, body)


def _prices(config: Config) -> list[PriceRow]:
    """Return the rows over the price book: the user's, and invented ones for the demo provider, so that costs show."""
    demo = [
        PriceRow(provider=DEMO, model="*", input_per_mtok=1.0, output_per_mtok=4.0, cache_read_per_mtok=0.1),
        PriceRow(provider=DEMO, model="*embed", input_per_mtok=0.02),
    ]
    return [*demo, *config.prices]


def _providers(config: Config) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "title": provider.title or name,
            "dialect": provider.dialect,
            "base_url": provider.base_url,
            "has_key": provider.sends_key_as == "none" or any(os.environ.get(word) for word in provider.env),
        }
        for name, provider in config.providers.items()
    ]


def _who_listens(host: str, port: int) -> str | None:
    """Return who has a port, as far as it can be told; None where nobody answers there."""
    said = health_of(host, port)
    if said is not None:
        return f"Port {port} is taken by another Gatescope gateway (process {said.get('pid')})."
    return None
