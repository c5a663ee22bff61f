"""One live call, first byte to last: what travels through the pipeline.

Everything happens on the event loop. Stages fill it in; none keeps it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from aiohttp import web

from app.config import Auth, ProviderConfig
from app.models.call import Attempt, Edit
from app.models.ids import new_span_id, span_hex
from app.models.span import Failure
from app.models.stored_response import StoredResponse
from gateway.answer import Answer
from gateway.routes.route import Route

if TYPE_CHECKING:
    from app.dialects.writing import Asked, Written
    from app.models.loss import Loss

RawHeaders = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. A client's own provider key is never kept: it stands in the request's headers and goes with them."""

    kind: Literal["virtual", "own", "desktop"]
    fingerprint: str
    """Tells callers apart, and nothing else."""
    key_id: int | None = None
    guessed_provider: str | None = None
    """Of an own key: whose it looks like by its shape."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a call goes."""

    provider_name: str
    provider: ProviderConfig
    model: str | None
    """What to ask the provider for; None where the request names no model."""
    path: str
    """For the provider, with the query, without our keys."""
    secret: str | None = None
    """The provider's key; None: none is needed, or the client's own is kept."""
    sends_key_as: Auth = "none"
    keeps_client_key: bool = False
    """The client's own key goes on with its headers."""
    edit: Edit | None = None
    """The one place where the body differs from the client's."""
    dialect: str = ""
    """What the provider is spoken to in, where that is not what the client speaks; "": as the client does."""
    headers: tuple[tuple[str, str], ...] = ()
    """Those that the provider's dialect wants, where the client's own do not go on."""


class Upstream(Protocol):
    """A provider's answer on its way in: from the network, or from the program itself."""

    status: int
    headers: list[tuple[bytes, bytes]]
    is_complete: bool
    """Every byte of the body has come; `read` may still have some to give."""

    async def read(self) -> bytes:
        """Return what has come since, at least one byte; empty at the end. Raises UpstreamError where it is cut."""

    def release(self) -> None:
        """Let it go: the connection is kept if the answer is complete, else cut. Any number of times."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer that the gateway gives itself. The headers name no length."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Crossing:
    """A call between two dialects."""

    written: Written
    """As it goes to the provider."""
    asked: Asked
    """As it came from the client."""
    losses: list[Loss]
    """What could not be carried, grown while the answer comes."""
    aside: object = None
    """What was asked where that is no conversation: embeddings, a ranking, a count."""


class Exchange:
    """A live request and all that is known of it."""

    __slots__ = (
        "answer",
        "attempt_start_ns",
        "attempt_url",
        "attempts",
        "body",
        "caller",
        "chunks",
        "continued",
        "crossing",
        "failure",
        "first_byte_ns",
        "is_announced",
        "is_stream",
        "model",
        "model_end",
        "model_start",
        "path",
        "pieces",
        "plan",
        "reply",
        "request",
        "request_id",
        "response_size",
        "route",
        "span_id",
        "start_ns",
        "stored",
        "upstream",
        "upstream_request",
        "upstream_response",
    )

    def __init__(self, request: web.BaseRequest, route: Route, answer: Answer) -> None:
        self.request = request
        self.route = route
        self.answer = answer
        """Our side towards the client."""
        self.start_ns = time.time_ns()
        self.span_id = new_span_id()
        self.request_id = f"req_{span_hex(self.span_id)}"
        self.path = request.raw_path
        self.body = b""
        self.caller: Caller | None = None
        self.model: str | None = None
        """What the client asks for, in its own words."""
        self.model_start = -1
        self.model_end = -1
        self.is_stream = False
        self.plan: Plan | None = None
        self.continued: bytes | None = None
        """The client's request with all of the conversation that it only names; None: it names none."""
        self.stored: StoredResponse | None = None
        """The answer is a response that may be named later."""
        self.crossing: Crossing | None = None
        """None: the provider gets the client's own words."""
        self.upstream: Upstream | None = None
        self.upstream_request: bytes | None = None
        """What the provider got, where no edit can say how it differs from what the client sent."""
        self.upstream_response: bytes | None = None
        """What the provider sent, where the client got something else."""
        self.reply: Reply | None = None
        """An answer of our own: no provider is asked."""
        self.attempts: list[Attempt] = []
        self.attempt_start_ns = 0
        """Of the running attempt; 0: none runs."""
        self.attempt_url = ""
        self.first_byte_ns: int | None = None
        self.pieces: list[bytes] = []
        """The response's body, as it went to the client."""
        self.response_size = 0
        self.chunks: list[int] = []
        """Flat pairs: nanoseconds since the first byte, bytes."""
        self.failure: Failure | None = None
        self.is_announced = False
        """Shown as running."""

    def header(self, name: str) -> str | None:
        """Return a request header."""
        return self.request.headers.get(name)

    def note_first_byte(self) -> None:
        """The provider's answer has begun to come; only the first call counts."""
        if self.first_byte_ns is None:
            self.first_byte_ns = time.time_ns()

    @property
    def upstream_dialect(self) -> str:
        """What the provider is spoken to in."""
        return (self.plan.dialect if self.plan is not None else "") or self.route.dialect

    @property
    def raw_headers(self) -> RawHeaders:
        """The request's headers as they came."""
        return self.request.raw_headers
