"""The stage that remembers: what is in flight, and every call's record on its way to the store.

Admitted first, so it settles last and sees everything. A record is in the spool before the client has the whole
answer, and in the writer's queue right after; a full queue holds up the settle, never the stream.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol

from app.errors import StoreError
from app.models.call import CallRecord, Headers
from app.redact import is_secret_header, redact_headers, redact_url
from gateway.exchange import Exchange
from gateway.routes.table import operation_of
from gateway.upstream.send import content_type_of

ANNOUNCE_AFTER_NS: Final = 50_000_000
"""A call that runs longer is shown while it runs."""
_SWEEP_S: Final = 0.05
_REFUSALS_KEPT: Final = 200
"""Refused callers without a key: so many at once, and one a second after that, are recorded."""
_NAMES_KNOWN: Final = 4096
_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where records go: the store's writer."""

    def spool(self, record: CallRecord) -> None:
        """Put a finished call on disk at once. Raises StoreError."""

    def submit(self, record: CallRecord) -> None:
        """Queue a call for the database. Never blocks."""

    async def wait_room(self) -> None:
        """Return when the queue has room."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """A live call, for the desktop."""

    span_id: int
    request_id: str
    method: str
    path: str
    model: str | None
    started_ns: int
    size_bytes: int
    """Of the answer so far."""


class Recorder:
    """Makes records and hands them over."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._live: dict[int, Exchange] = {}
        self._kept: dict[int, CallRecord | None] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._refusals = float(_REFUSALS_KEPT)
        self._refused_at = time.monotonic()
        self._finished: dict[int, int] = {}
        self._idle: asyncio.Future[None] | None = None
        self.problem: str | None = None
        """Why records cannot be put on disk, None while they can."""

    async def admit(self, exchange: Exchange) -> None:
        """Note that a call has begun."""
        self._live[exchange.span_id] = exchange
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def keep(self, exchange: Exchange) -> None:
        """Put the call's record on disk; once, however often it is asked."""
        if exchange.span_id in self._kept:
            return
        if exchange.caller is None and exchange.failure is not None and not self._may_keep_refusal():
            self._kept[exchange.span_id] = None
            return
        record = record_of(exchange, time.time_ns())
        self._kept[exchange.span_id] = record
        try:
            self._sink.spool(record)
            self.problem = None
        except StoreError as error:
            if self.problem is None:
                _log.error("Calls cannot be kept on disk: %s", error)
            self.problem = str(error)

    async def settle(self, exchange: Exchange) -> None:
        """Hand the record over and forget the call; waits where the store is behind."""
        self.keep(exchange)
        record = self._kept.pop(exchange.span_id)
        self._live.pop(exchange.span_id, None)
        second = int(time.monotonic())
        self._finished[second] = self._finished.get(second, 0) + 1
        if record is not None:
            self._sink.submit(record)
            await self._sink.wait_room()
        if self._idle is not None and not self._live and not self._idle.done():
            self._idle.set_result(None)

    @property
    def in_flight(self) -> tuple[InFlight, ...]:
        """Every live call, oldest first."""
        return tuple(
            InFlight(
                e.span_id, e.request_id, e.request.method, redact_url(e.path), e.model, e.start_ns, e.response_size
            )
            for e in self._live.values()
        )

    @property
    def n_in_flight(self) -> int:
        """How many calls are live; any thread may ask."""
        return len(self._live)

    async def wait_idle(self, timeout_s: float) -> None:
        """Return when no call is live, at the latest after `timeout_s`."""
        if self._live:
            self._idle = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._idle], timeout=timeout_s)

    @property
    def live(self) -> Iterable[Exchange]:
        """The live exchanges themselves."""
        return self._live.values()

    def calls_last_minute(self) -> int:
        """Return how many calls ended in the last 60 s."""
        oldest = int(time.monotonic()) - 60
        self._finished = {second: count for second, count in self._finished.items() if second > oldest}
        return sum(self._finished.values())

    def _sweep(self) -> None:
        limit_ns = time.time_ns() - ANNOUNCE_AFTER_NS
        for exchange in list(self._live.values()):
            if exchange.start_ns > limit_ns:
                break
            if not exchange.is_announced and exchange.caller is not None and exchange.span_id not in self._kept:
                exchange.is_announced = True
                self._sink.submit(record_of(exchange, None))
        self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep) if self._live else None

    def _may_keep_refusal(self) -> bool:
        now = time.monotonic()
        self._refusals = min(_REFUSALS_KEPT, self._refusals + now - self._refused_at)
        self._refused_at = now
        if self._refusals < 1:
            return False
        self._refusals -= 1
        return True


def record_of(exchange: Exchange, end_ns: int | None) -> CallRecord:
    """Return what is known of a call; `end_ns` is None for one that still runs."""
    route, plan, caller, answer = exchange.route, exchange.plan, exchange.caller, exchange.answer
    pieces, crossing = exchange.pieces, exchange.crossing
    return CallRecord(
        span_id=exchange.span_id,
        request_id=exchange.request_id,
        start_ns=exchange.start_ns,
        end_ns=end_ns,
        method=exchange.request.method,
        path=redact_url(exchange.path),
        dialect=route.dialect,
        operation=route.operation if route.operation != "other" else operation_of(exchange.path),
        status=answer.status,
        request=exchange.body,
        response=b"" if end_ns is None or not pieces else pieces[0] if len(pieces) == 1 else b"".join(pieces),
        request_headers=open_headers(exchange.raw_headers),
        response_headers=open_headers(answer.headers),
        content_type=content_type_of(answer.headers),
        requested_model=exchange.model,
        model=plan.model if plan is not None else None,
        provider=plan.provider_name if plan is not None else None,
        key_id=caller.key_id if caller is not None else None,
        client=caller.fingerprint if caller is not None else "",
        attempts=tuple(exchange.attempts),
        first_byte_ns=exchange.first_byte_ns,
        chunks=tuple(exchange.chunks) if end_ns is not None else (),
        upstream_edit=plan.edit if plan is not None else None,
        upstream_request=exchange.upstream_request,
        upstream_response=exchange.upstream_response,
        failure=exchange.failure,
        upstream_dialect=exchange.upstream_dialect if crossing is not None else "",
        losses=tuple(crossing.losses) if crossing is not None else (),
        stored=exchange.stored,
    )


_open_names: set[str] = set()
"""Header names known to carry no secret."""


def open_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return headers as text with every secret masked."""
    # One decode for all of them: no header can hold a zero byte.
    texts = b"\0".join(chain.from_iterable(raw)).decode("latin-1").split("\0")
    names, values = texts[::2], texts[1::2]
    if not _open_names.issuperset(names):
        for index, (name, value) in enumerate(zip(names, values, strict=False)):
            if name in _open_names:
                continue
            if is_secret_header(name):
                [(_, values[index])] = redact_headers([(name, value)])
            elif len(_open_names) < _NAMES_KNOWN:
                _open_names.add(name)
    return tuple(zip(names, values, strict=False))
