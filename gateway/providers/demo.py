"""The demo provider: models `demo/…`, inside the gateway, for trying everything without a key, a network or a cent.

It takes the place of the network and nothing more: its calls are authenticated, planned, recorded, linked and priced
like all others. A top-level `delay_ms` in the request sets the time between pieces.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.dialects.registry import reader_of
from gateway.exchange import Exchange
from gateway.providers import demo_anthropic, demo_openai
from gateway.providers.demo_script import Say, answer_to
from gateway.upstream.failures import UpstreamCut

NAME: Final = "demo"
"""Under which `resources/providers.toml` has it."""
_PACE_S: Final = 0.018
_SLOW_S: Final = 0.25
_FIRST_S: Final = 0.12
_SLOW_FIRST_S: Final = 2.0
_LONGEST_DELAY_MS: Final = 60_000.0
_MODELS: Final = ("chat", "agent", "reasoning", "slow", "flaky", "embed")
_MISHAPS: Final = ("error-midstream", "cut", "html")
_JSON: Final = b"application/json"
_EVENTS: Final = b"text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Fault:
    status: int
    openai: str
    anthropic: str
    message: str
    code: str | None = None


_FAULTS: Final = {
    "error-400": _Fault(400, "invalid_request_error", "invalid_request_error", "The demo model refuses this request."),
    "error-401": _Fault(401, "invalid_request_error", "authentication_error", "Incorrect API key.", "invalid_api_key"),
    "error-429": _Fault(429, "requests", "rate_limit_error", "Rate limit reached. Try again.", "rate_limit_exceeded"),
    "error-500": _Fault(500, "server_error", "api_error", "The demo model had an error while processing your request."),
    "error-503": _Fault(503, "server_error", "overloaded_error", "The demo model is overloaded."),
}


class _Ask(msgspec.Struct):
    """What of a request only we look at."""

    stream: Any = None
    stream_options: Any = None
    delay_ms: Any = None


class DemoUpstream:
    """An answer that comes piece by piece, as `gateway.exchange.Upstream` has it."""

    def __init__(self, status: int, kind: bytes, pieces: Iterable[bytes], pace_s: float, first_s: float) -> None:
        self.status = status
        self.headers = [(b"content-type", kind), (b"x-demo", b"1")]
        self.is_complete = False
        self.is_cut = False
        """It breaks off after its last piece."""
        self._pieces = iter(pieces)
        self._next: bytes | None = None
        self._pace_s = pace_s
        self._wait_s = first_s

    async def read(self) -> bytes:
        """Return the next piece when it is due; empty at the end. Raises UpstreamCut where it is to break off."""
        if self.is_complete:
            return b""
        if self._wait_s > 0:
            await asyncio.sleep(self._wait_s)
        self._wait_s = self._pace_s
        piece = self._next if self._next is not None else next(self._pieces, b"")
        self._next = next(self._pieces, None)
        if self._next is None and not self.is_cut:
            self.is_complete = True
        if not piece and self.is_cut:
            raise UpstreamCut("demo cut its answer off in the middle.", provider=NAME)
        if self._next is None and self.is_cut:
            self._next = b""
        return piece

    def release(self) -> None:
        """Nothing is held."""


async def answer_demo(exchange: Exchange, body: bytes) -> DemoUpstream:
    """Return the demo provider's answer to a call; `body` is what would have gone upstream."""
    plan, route = exchange.plan, exchange.route
    assert plan is not None
    model = (plan.model or "").removeprefix("demo-") or "chat"
    if route.operation == "models" or plan.path.rstrip("/").endswith("/models"):
        return _whole(200, _model_list())
    ask = _ask(body)
    pace_s, first_s = _pace(ask, model)
    if model == "flaky" and not _is_retry(exchange):
        return _fault(exchange, _FAULTS["error-429"])
    if model in _FAULTS:
        return _fault(exchange, _FAULTS[model])
    if model == "html":
        page = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
        return DemoUpstream(502, b"text/html", [page], 0, first_s)
    if model not in (*_MODELS, *_MISHAPS):
        known = ", ".join((*_MODELS, *_MISHAPS, *_FAULTS))
        message = f"The demo provider has no model {model!r}. It has {known}."
        return _fault(exchange, _Fault(404, "invalid_request_error", "not_found_error", message, "model_not_found"))
    if route.operation == "embeddings":
        return _whole(200, demo_openai.embeddings(body, model), first_s)
    dialect = exchange.upstream_dialect
    reader = reader_of(dialect)
    if reader is None or dialect not in ("openai_chat", "openai_responses", "anthropic"):
        message = f"The demo provider does not answer {plan.path}."
        return _fault(exchange, _Fault(404, "invalid_request_error", "not_found_error", message))
    say = answer_to(reader.read_request(body), model, exchange.request_id)
    if route.operation == "count_tokens":
        return _whole(200, demo_anthropic.token_count(say.input_tokens), first_s)
    if ask.stream is True:
        return _stream(exchange, model, say, ask, (pace_s, first_s))
    upstream = _whole(200, _written(dialect, say), first_s)
    upstream.is_cut = model in _MISHAPS
    return upstream


def _written(dialect: str, say: Say) -> bytes:
    if dialect == "anthropic":
        return demo_anthropic.whole(say)
    return demo_openai.chat_whole(say) if dialect == "openai_chat" else demo_openai.responses_whole(say)


def _stream(exchange: Exchange, model: str, say: Say, ask: _Ask, pace: tuple[float, float]) -> DemoUpstream:
    dialect = exchange.upstream_dialect
    if dialect == "anthropic":
        events = demo_anthropic.stream(say)
    elif dialect == "openai_chat":
        wants_usage = isinstance(ask.stream_options, dict) and ask.stream_options.get("include_usage") is True
        events = demo_openai.chat_stream(say, wants_usage)
    else:
        events = demo_openai.responses_stream(say)
    if model in _MISHAPS:
        events = _half(events, dialect, model)
    upstream = DemoUpstream(200, _EVENTS, events, *pace)
    upstream.is_cut = model == "cut"
    return upstream


def _half(events: Iterator[bytes], dialect: str, model: str) -> Iterator[bytes]:
    """Yield the first half of a stream, and how it ends badly."""
    listed = list(events)
    yield from listed[: len(listed) // 2]
    if model == "error-midstream":
        message = "The demo model was overloaded in the middle of its answer."
        is_anthropic = dialect == "anthropic"
        yield demo_anthropic.error_event(message) if is_anthropic else demo_openai.error_event(message, dialect)


def _fault(exchange: Exchange, fault: _Fault) -> DemoUpstream:
    if exchange.upstream_dialect == "anthropic":
        body = demo_anthropic.error(fault.anthropic, fault.message, exchange.request_id)
    else:
        body = demo_openai.error(fault.openai, fault.message, fault.code)
    upstream = _whole(fault.status, body)
    if fault.status == 429:
        upstream.headers += [(b"retry-after", b"1"), (b"x-ratelimit-remaining-requests", b"0")]
    return upstream


def _whole(status: int, body: bytes, first_s: float = 0.0) -> DemoUpstream:
    return DemoUpstream(status, _JSON, [body], 0, first_s)


def _ask(body: bytes) -> _Ask:
    try:
        return msgspec.json.decode(body, type=_Ask)
    except msgspec.DecodeError:
        return _Ask()


def _pace(ask: _Ask, model: str) -> tuple[float, float]:
    """Return the seconds between two pieces, and before the first one."""
    if isinstance(ask.delay_ms, int | float) and 0 <= ask.delay_ms <= _LONGEST_DELAY_MS:
        return ask.delay_ms / 1000, ask.delay_ms / 1000
    return (_SLOW_S, _SLOW_FIRST_S) if model == "slow" else (_PACE_S, _FIRST_S)


def _is_retry(exchange: Exchange) -> bool:
    return (exchange.header("x-stainless-retry-count") or "0") != "0"


def _model_list() -> bytes:
    names = (*_MODELS, *_MISHAPS, *_FAULTS)
    items = [{"id": name, "object": "model", "created": 0, "owned_by": NAME} for name in names]
    return msgspec.json.encode({"object": "list", "data": items})
