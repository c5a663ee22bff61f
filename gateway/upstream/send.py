"""The stage that sends a call to its provider: the client's own bytes but for the model's name and the key."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.config import Config
from app.errors import UpstreamError
from app.models.call import Attempt
from app.models.ids import parse_traceparent
from app.models.span import Failure
from app.redact import redact_url
from gateway.exchange import Crossing, Exchange, Plan, RawHeaders, Upstream
from gateway.providers.adapter import Adapter, Outgoing
from gateway.providers.adapters import adapter_of
from gateway.upstream.client import Ask, Client
from gateway.upstream.origin import Origin, split_url
from gateway.upstream.unframed import Unframed

KEY_HEADERS: Final = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"})
_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_OURS_TO_SAY: Final = _HOP | {
    b"host",
    b"content-length",
    b"accept-encoding",
    b"expect",
    b"cookie",
    b"origin",
    b"referer",
}
_ANSWER_DROPS: Final = _HOP | {b"content-length"}
_NEUTRAL: Final = frozenset({b"user-agent", b"traceparent", b"tracestate"})
_REMEMBERED: Final = 1024
_LOSSES_CHARS: Final = 2000

Inside = Callable[[Exchange, bytes], Awaitable[Upstream]]
"""A provider within the program: given the call and the body that would go upstream."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What is the same for every call to one address with one key."""

    origin: Origin
    url: str
    """For the record, without secrets."""
    head: bytes
    """Request line and our own headers."""
    dropped: frozenset[bytes]
    """Client headers that must not go on."""


class Send:
    """Opens the way to the provider and waits for its status."""

    def __init__(self, config: Callable[[], Config], client: Client, inside: Mapping[str, Inside]) -> None:
        self._config = config
        self._client = client
        self._inside = inside
        self._lines: dict[tuple[str | bool | None, ...], _Line] = {}
        self._lines_of: Config | None = None

    async def admit(self, exchange: Exchange) -> None:
        """Send the request; the exchange then has an upstream. Raises UpstreamError."""
        plan = exchange.plan
        assert plan is not None
        crossing = exchange.crossing
        body = upstream_body(exchange.body, plan) if crossing is None else crossing.written.body
        adapter = adapter_of(plan.provider.kind) if plan.provider.kind is not None else None
        if adapter is not None:
            await self._send_adapted(exchange, plan, adapter, body)
            return
        exchange.attempt_start_ns = time.time_ns()
        line = self._line(exchange.request.method, plan)
        exchange.attempt_url = line.url
        inside = self._inside.get(plan.provider_name)
        if inside is not None:
            exchange.upstream = await inside(exchange, body)
            return
        client = exchange.raw_headers if crossing is None else _neutral(exchange.raw_headers)
        head = request_head(line.head, line.dropped, client, body, exchange.request.method)
        await self._ask(exchange, Ask(plan.provider_name, line.origin, head, body, exchange.request.method != "HEAD"))

    async def _ask(self, exchange: Exchange, ask: Ask) -> None:
        try:
            exchange.upstream = await self._client.send(ask)
        except UpstreamError as error:
            close_attempt(exchange, Failure(error.code, error.message))
            raise

    async def _send_adapted(self, exchange: Exchange, plan: Plan, adapter: Adapter, body: bytes) -> None:
        """Send to a provider whose address, sign-in or frames need code. Raises also what its adapter raises."""
        method, dialect = exchange.request.method, exchange.upstream_dialect
        client = exchange.raw_headers if exchange.crossing is None else _neutral(exchange.raw_headers)
        named = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in client if _is_dialects(name))
        headers = (*plan.provider.headers.items(), *plan.headers, *named)
        url = plan.provider.address(plan.path)
        ready = await adapter.prepare(
            plan.provider,
            Outgoing(method, url, headers, body, plan.model or "", dialect, exchange.is_stream, plan.secret),
        )
        if ready.body != body:
            exchange.upstream_request = ready.body
        exchange.attempt_start_ns, exchange.attempt_url = time.time_ns(), redact_url(ready.url)
        origin, target = split_url(ready.url)
        head = self._head(method, origin, target, ready.headers)
        dropped = _OURS_TO_SAY | KEY_HEADERS | {name.lower().encode() for name, _ in ready.headers}
        rest = tuple(pair for pair in client if not _is_dialects(pair[0]))
        full = request_head(head, dropped, rest, ready.body, method)
        await self._ask(exchange, Ask(plan.provider_name, origin, full, ready.body, method != "HEAD"))
        assert exchange.upstream is not None
        unframer = adapter.unframer(plan.provider, dialect, content_type_of(exchange.upstream.headers))
        if unframer is not None:
            exchange.upstream = Unframed(exchange.upstream, unframer)

    def _head(self, method: str, origin: Origin, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
        """Return the request line and our own headers, through a proxy where one stands between."""
        pairs = [("host", origin.netloc), ("accept-encoding", "identity"), *headers]
        proxy = self._client.proxy_of(origin)
        if proxy is not None and not origin.is_tls:
            target = f"http://{origin.netloc}{target}"
            if proxy.authorization:
                pairs.append(("proxy-authorization", proxy.authorization))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
        return "\r\n".join([*lines, ""]).encode("latin-1", "replace")

    async def settle(self, exchange: Exchange) -> None:
        """Let the connection go."""
        if exchange.upstream is not None:
            exchange.upstream.release()

    def _line(self, method: str, plan: Plan) -> _Line:
        config = self._config()
        if config is not self._lines_of:
            self._lines, self._lines_of = {}, config
        own = str(plan.headers) if plan.headers else None
        key = (method, plan.provider_name, plan.path, plan.secret, plan.sends_key_as, plan.keeps_client_key, own)
        line = self._lines.get(key)
        if line is None:
            line = self._make_line(method, plan)
            if len(self._lines) < _REMEMBERED:
                self._lines[key] = line
        return line

    def _make_line(self, method: str, plan: Plan) -> _Line:
        url = plan.provider.address(plan.path)
        origin, target = split_url(url)
        pairs = list(plan.provider.headers.items())
        pairs += [pair for pair in plan.headers if pair[0] not in plan.provider.headers]
        dropped = _OURS_TO_SAY | {name.lower().encode() for name in plan.provider.headers}
        if not plan.keeps_client_key:
            dropped |= KEY_HEADERS
        if plan.secret is not None:
            how = plan.sends_key_as
            pairs.append(("authorization", f"Bearer {plan.secret}") if how == "bearer" else (how, plan.secret))
        return _Line(origin, redact_url(url), self._head(method, origin, target, pairs), dropped)


def content_type_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the content type, lower case and without parameters; empty without one."""
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            return value.partition(b";")[0].strip().lower().decode("latin-1")
    return ""


def _is_dialects(name: bytes) -> bool:
    """Whether a client's header belongs to its dialect: an adapter may have to put it into the body."""
    return name[:10].lower() == b"anthropic-"


def _neutral(headers: RawHeaders) -> RawHeaders:
    """Return those of a client's headers that mean the same in every dialect."""
    return tuple(pair for pair in headers if pair[0].lower() in _NEUTRAL)


def upstream_body(body: bytes, plan: Plan) -> bytes:
    """Return the body for the provider: the client's, with the model's name put in where the plan says so."""
    edit = plan.edit
    return body if edit is None else b"".join((body[: edit.start], edit.text, body[edit.end :]))


def request_head(head: bytes, dropped: frozenset[bytes], headers: RawHeaders, body: bytes, method: str) -> bytes:
    """Return a request's head: ours, then the client's end-to-end headers in their order and case."""
    parts = [head]
    for name, value in headers:
        lowered = name.lower()
        if lowered in dropped:
            if lowered == b"connection" and value.lower() not in (b"keep-alive", b"close"):
                named = {token.strip().lower() for token in value.split(b",")}
                rest = tuple(pair for pair in headers if pair[0].lower() != lowered)
                return request_head(head, dropped | named, rest, body, method)
        elif not lowered.startswith(b"x-gatescope-"):
            parts.append(b"%b: %b\r\n" % (name, value))
    if body or method in ("POST", "PUT", "PATCH"):
        parts.append(b"content-length: %d\r\n\r\n" % len(body))
    else:
        parts.append(b"\r\n")
    return b"".join(parts)


def answer_headers(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """Return the headers for the client: the provider's end-to-end ones, then ours."""
    assert exchange.upstream is not None and exchange.plan is not None
    pairs = [pair for pair in exchange.upstream.headers if pair[0].lower() not in _ANSWER_DROPS]
    plan = exchange.plan
    pairs.append((b"x-gatescope-request-id", exchange.request_id.encode()))
    pairs.append((b"x-gatescope-provider", plan.provider_name.encode("latin-1", "replace")))
    if plan.model is not None:
        pairs.append((b"x-gatescope-model", plan.model.encode("ascii", "replace")))
    pairs.append((b"x-gatescope-attempts", b"%d" % (len(exchange.attempts) + 1)))
    stated = exchange.header("traceparent")
    if stated is not None and (parent := parse_traceparent(stated)) is not None:
        pairs.append((b"x-gatescope-trace-id", parent.trace_id.hex().encode()))
    if exchange.crossing is not None:
        pairs += crossing_headers(exchange.crossing, plan)
    return pairs


def crossing_headers(crossing: Crossing, plan: Plan) -> list[tuple[bytes, bytes]]:
    """Return what a client is told of a translation: into which dialect, and what could not be carried."""
    pairs = [(b"x-gatescope-translated", plan.dialect.encode())]
    if crossing.losses:
        told = "; ".join(map(str, crossing.losses))[:_LOSSES_CHARS]
        pairs.append((b"x-gatescope-dropped", told.encode("ascii", "replace").replace(b"\n", b" ")))
    return pairs


def close_attempt(exchange: Exchange, failure: Failure | None = None) -> None:
    """Write down how the running attempt went. Once for each attempt; a second call changes nothing."""
    plan = exchange.plan
    if plan is None or not exchange.attempt_start_ns:
        return
    status = exchange.upstream.status if exchange.upstream is not None else None
    start_ns, exchange.attempt_start_ns = exchange.attempt_start_ns, 0
    tried = Attempt(plan.provider_name, plan.model, exchange.attempt_url, start_ns, time.time_ns(), status, failure)
    exchange.attempts.append(tried)
