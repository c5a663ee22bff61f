"""The gateway's HTTP server: takes connections, tells control routes from calls, and runs each call's pipeline."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

from aiohttp import web

from app.config import Config, PriceRow, UpstreamConfig
from app.errors import AppError, Refused, SetupError
from app.models.span import Failure
from gateway.answer import Answer
from gateway.cost import CostTag
from gateway.errors import error_body, error_headers, problem_of
from gateway.exchange import Exchange
from gateway.gate import Gate
from gateway.governance.auth import Auth, KeyTable
from gateway.pipeline import Pipeline
from gateway.providers.credentials import Credentials
from gateway.recorder import InFlight, Recorder, Sink
from gateway.responses.endpoints import KeptResponses
from gateway.responses.sessions import Sessions
from gateway.responses.turns import Run, Turns
from gateway.routes.intake import Intake
from gateway.routes.models import ModelList
from gateway.routes.route import Family, Route
from gateway.routes.table import find_route, known_route, operation_of
from gateway.routing.planner import Planner
from gateway.translation import Translate, TranslateBack
from gateway.upstream.client import Client, Timeouts
from gateway.upstream.send import Inside, Send
from gateway.vault import Vault

BACKLOG: Final = 1024
_READ_BYTES: Final = 1024 * 1024
_IDLE_S: Final = 75.0
_LINGER_S: Final = 2.0
"""So long we go on reading a body that was refused, so that its sender sees the answer."""
_FAMILIES: Final[dict[str, Family]] = {"anthropic": "anthropic", "gemini": "gemini"}
_log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ConfigSource(Protocol):
    """Whoever has the config of the moment: `app.config_file.ConfigFile`, or a test."""

    @property
    def current(self) -> Config:
        """The config to go by now; another object once it changed."""


class Gateway:
    """One gateway on one address. Everything runs on the event loop that `start` was called on."""

    def __init__(
        self,
        source: ConfigSource,
        sink: Sink,
        keys: KeyTable,
        token: str,
        *,
        control: Mapping[str, Handler] | None = None,
        inside: Mapping[str, Inside] | None = None,
        prices: Callable[[], Sequence[PriceRow]] | None = None,
        run: Run | None = None,
    ) -> None:
        """`control`: handlers by path prefix (`/gatescope/`); `inside`: providers that are part of the program;
        `prices`: the rows over the price book, if not the config's; `run` does work in the store, None: there is none.
        """
        self._source = source
        self._control = dict(control or {})
        self.recorder = Recorder(sink)
        self.auth = Auth(keys, token)
        self.credentials = Credentials()
        self._config = source.current
        self.client = Client(_timeouts(self._config.upstream))
        self._gate = Gate(self._config.server)
        self._intake = Intake(_max_bytes(self._config))
        turns = Turns(run)
        self._sessions = Sessions(turns)
        vault = Vault()
        rows = prices or (lambda: self._current().prices)
        tag = CostTag(rows).headers
        self._pipeline = Pipeline(
            (
                self.recorder,
                self.auth,
                self._intake,
                ModelList(self._current, rows),
                KeptResponses(turns, self._sessions),
                Planner(self._current, self.credentials),
                self._sessions,
                Translate(self._current, vault),
                Send(self._current, self.client, inside or {}),
                TranslateBack(tag, vault),
            ),
            self._keep,
            self._cors,
            tag,
        )
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self._is_draining = False

    @property
    def in_flight(self) -> tuple[InFlight, ...]:
        """Every live call, oldest first."""
        return self.recorder.in_flight

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port. Raises SetupError where the address cannot be had."""
        server = web.Server(
            self.handle,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            read_bufsize=_READ_BYTES,
            keepalive_timeout=_IDLE_S,
            lingering_time=_LINGER_S,
            max_line_size=64 * 1024,
            max_field_size=64 * 1024,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port, backlog=BACKLOG)
        try:
            await self._site.start()
        except OSError as error:
            await self._runner.cleanup()
            hint = "Choose another with --port, or stop what uses it."
            raise SetupError(f"{host}:{port} cannot be listened on: {error.strerror or error}.", hint=hint) from error
        return int(self._runner.addresses[0][1])

    async def drain(self, timeout_s: float) -> None:
        """Take no new calls, let the running ones end, then cut what is left and close everything."""
        self._is_draining = True
        site, self._site = self._site, None
        if site is not None:
            await site.stop()
        await self.recorder.wait_idle(timeout_s)
        for exchange in list(self.recorder.live):
            exchange.failure = Failure("interrupted", "The gateway was stopped before the answer ended.")
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        self.client.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        config = self._current()
        path, _, _ = request.raw_path.partition("?")
        answer = Answer(request)
        try:
            self._gate.check(request)
            if self._is_draining:
                raise Refused("The gateway is about to stop.", rule="draining", retry_after_s=2)
            if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
                answer.whole(204, self._gate.preflight_headers(request), b"")
                return answer.finished
            for prefix, handler in self._control.items():
                if path.startswith(prefix):
                    return await handler(request)
            route = self._route(request, path, config)
        except AppError as error:
            return await self._refuse(request, path, answer, error)
        await self._pipeline.run(exchange := Exchange(request, route, answer))
        return exchange.answer.finished

    def _current(self) -> Config:
        config = self._source.current
        if config is not self._config:
            self._config = config
            self._gate = Gate(config.server)
            self._intake.max_body_bytes = _max_bytes(config)
            self.client.timeouts = _timeouts(config.upstream)
            self.credentials.forget()
        return config

    def _keep(self, exchange: Exchange) -> None:
        """Before the last byte goes to the client: what it may name next is known, and its record is on disk."""
        self._sessions.note(exchange)
        self.recorder.keep(exchange)

    def _cors(self, request: web.BaseRequest) -> list[tuple[bytes, bytes]]:
        return self._gate.cors_headers(request)

    def _route(self, request: web.BaseRequest, path: str, config: Config) -> Route:
        route = find_route(request.method, path, request.headers.__contains__, config.providers)
        if route.provider is None or route.upstream_path is None:
            return route
        provider = config.providers[route.provider]
        family = _FAMILIES.get(provider.dialect, "openai")
        known = known_route(request.method, route.upstream_path)
        if known is None:
            operation = operation_of(route.upstream_path)
            return Route(family, "", operation, provider=route.provider, upstream_path=route.upstream_path)
        place = known.model_place
        return Route(
            known.family,
            known.dialect,
            known.operation,
            place,
            route.provider,
            known.model,
            known.response_id,
            route.upstream_path,
        )

    async def _refuse(self, request: web.BaseRequest, path: str, answer: Answer, error: AppError) -> web.StreamResponse:
        """Answer what has no route, and record that it came."""
        family: Family = "openai"
        if path.startswith("/v1beta"):
            family = "gemini"
        elif "anthropic-version" in request.headers:
            family = "anthropic"
        exchange = Exchange(request, Route(family, "", "other"), answer)
        problem = problem_of(error)
        exchange.failure = problem.failure()
        body = error_body(family, problem, exchange.request_id)
        exchange.pieces.append(body)
        headers = error_headers(family, problem, exchange.request_id) + self._cors(request)
        answer.foretell(problem.status, headers)
        self.recorder.keep(exchange)
        try:
            answer.whole(problem.status, headers, body)
        finally:
            await self.recorder.settle(exchange)
        return answer.finished


def _timeouts(config: UpstreamConfig) -> Timeouts:
    return Timeouts(config.connect_timeout_s, config.first_byte_timeout_s, config.idle_timeout_s)


def _max_bytes(config: Config) -> int:
    return int(config.server.max_body_mb * 1_000_000)
