"""The order of a call: admit by every stage, deliver, settle in reverse and always."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from aiohttp import web

from app.models.span import Failure
from gateway.errors import Problem, error_body, error_headers, outcome
from gateway.exchange import Exchange
from gateway.upstream.send import close_attempt
from gateway.upstream.tap import Keep, Tag, deliver

Pairs = list[tuple[bytes, bytes]]


class Stage(Protocol):
    """A step before the answer."""

    async def admit(self, exchange: Exchange) -> None:
        """Do its part; set `exchange.reply` to answer, raise an AppError to refuse."""


@runtime_checkable
class Settling(Protocol):
    """A stage that has something to do at the end."""

    async def settle(self, exchange: Exchange) -> None:
        """Give back what `admit` took. Always called, also where `admit` was never reached."""


class Pipeline:
    """Runs exchanges through stages, in the order given."""

    def __init__(
        self, stages: Sequence[Stage], keep: Keep, extra_headers: Callable[[web.BaseRequest], Pairs], tag: Tag
    ) -> None:
        """`keep` puts a record on disk; `extra_headers` are for every answer, `tag`'s for a provider's whole one."""
        self._stages = tuple(stages)
        self._settling = tuple(stage for stage in reversed(self._stages) if isinstance(stage, Settling))
        self._keep = keep
        self._extra_headers = extra_headers
        self._tag = tag

    async def run(self, exchange: Exchange) -> None:
        """Answer one call. Never raises but CancelledError, and that only after everything is settled."""
        cancelled: asyncio.CancelledError | None = None
        try:
            problem = await outcome(self._answer(exchange))
            if problem is not None:
                self._fail(exchange, problem)
        except ConnectionError:
            _abort(exchange)
        except asyncio.CancelledError as error:
            _abort(exchange)
            cancelled = error
        for stage in self._settling:
            try:
                await outcome(stage.settle(exchange))
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _answer(self, exchange: Exchange) -> None:
        for stage in self._stages:
            await stage.admit(exchange)
            if exchange.reply is not None:
                self._give(exchange)
                return
        await deliver(exchange, self._keep, self._extra_headers(exchange.request), self._tag)

    def _give(self, exchange: Exchange) -> None:
        reply = exchange.reply
        assert reply is not None
        headers = [*reply.headers, *self._extra_headers(exchange.request)]
        headers.append((b"x-gatescope-request-id", exchange.request_id.encode()))
        self._whole(exchange, reply.status, headers, reply.body)

    def _fail(self, exchange: Exchange, problem: Problem) -> None:
        exchange.failure = problem.failure()
        close_attempt(exchange, exchange.failure)
        if exchange.answer.has_begun:
            self._keep(exchange)
            exchange.answer.cut()
            return
        family = exchange.route.family
        headers = error_headers(family, problem, exchange.request_id) + self._extra_headers(exchange.request)
        exchange.pieces.clear()
        self._whole(exchange, problem.status, headers, error_body(family, problem, exchange.request_id))

    def _whole(self, exchange: Exchange, status: int, headers: Pairs, body: bytes) -> None:
        exchange.pieces.append(body)
        exchange.response_size = len(body)
        exchange.answer.foretell(status, headers)
        self._keep(exchange)
        exchange.answer.whole(status, headers, body)


def _abort(exchange: Exchange) -> None:
    if exchange.failure is None:
        exchange.failure = Failure("aborted", "The client left before the answer ended.")
    close_attempt(exchange, exchange.failure)
