"""Carrying a provider's answer to the client, and keeping its bytes and their times: nothing more, nothing parsed.

A piece goes to the client first. The last one waits for `keep`: once the client has the whole answer, its record is
on disk. That holds for `[DONE]` too, as OpenAI's SDK hangs up on it: it goes out together with the end behind it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from app.errors import UpstreamError
from gateway.errors import error_event, problem_of
from gateway.exchange import Exchange, Upstream
from gateway.routing.planner import response_id_in
from gateway.upstream.send import answer_headers, close_attempt, content_type_of

WHOLE_BYTES: Final = 8 * 1024 * 1024
"""A JSON answer up to this size is sent in one go, so that one which is cut never reaches the client in part."""
_DONE: Final = (b"data: [DONE]\n\n", b"data: [DONE]\r\n\r\n", b"data:[DONE]\n\n")
_END_WAIT_S: Final = 0.05
"""How long `[DONE]` is held back for the end of the body, which comes at once with nearly all providers."""

Keep = Callable[[Exchange], None]
Tag = Callable[[Exchange, bytes], list[tuple[bytes, bytes]]]


async def deliver(exchange: Exchange, keep: Keep, extra: list[tuple[bytes, bytes]], tag: Tag) -> None:
    """Bring the answer to the client; `keep` is called right before its end. `extra` headers are added.

    `tag` gives the headers that only the body of a whole answer can tell.

    Raises UpstreamError where the provider failed before the client got anything, ConnectionError where the client
    left.
    """
    upstream = exchange.upstream
    assert upstream is not None
    headers = answer_headers(exchange) + extra
    kind = content_type_of(upstream.headers)
    is_whole = kind == "application/json" or upstream.is_complete
    if is_whole and not exchange.is_stream and exchange.request.method != "HEAD":
        first = await _read_whole(exchange, upstream)
        if upstream.is_complete:
            close_attempt(exchange)
            exchange.pieces.append(first)
            exchange.response_size = len(first)
            headers += tag(exchange, first)
            exchange.answer.foretell(upstream.status, headers)
            keep(exchange)
            exchange.answer.whole(upstream.status, headers, first)
            return
        exchange.answer.begin(upstream.status, headers, _size_of(upstream.headers))
        _note(exchange, first)
        exchange.answer.write(first)
    else:
        exchange.answer.begin(upstream.status, headers, _size_of(upstream.headers))
    try:
        await _copy(exchange, upstream, keep)
    except UpstreamError as error:
        _break_off(exchange, error, kind == "text/event-stream", keep)


async def _read_whole(exchange: Exchange, upstream: Upstream) -> bytes:
    data = await upstream.read()
    exchange.first_byte_ns = time.time_ns()
    if upstream.is_complete:
        return data
    parts, size = [data], len(data)
    while data and size <= WHOLE_BYTES:
        data = await upstream.read()
        parts.append(data)
        size += len(data)
        exchange.response_size = size
        if upstream.is_complete:
            break
    return b"".join(parts)


async def _copy(exchange: Exchange, upstream: Upstream, keep: Keep) -> None:
    answer = exchange.answer
    while True:
        data = await upstream.read()
        if data:
            _note(exchange, data)
        if data.endswith(_DONE) and not upstream.is_complete:
            data += await _behind_done(exchange, upstream, data)
        if upstream.is_complete:
            break
        answer.write(data)
        if answer.must_drain:
            await answer.drain()
    close_attempt(exchange)
    keep(exchange)
    answer.end(data)


async def _behind_done(exchange: Exchange, upstream: Upstream, data: bytes) -> bytes:
    """Return what follows a stream's last event, most often nothing. `data` goes out where the provider fails now."""
    try:
        async with asyncio.timeout(_END_WAIT_S):
            rest = await upstream.read()
    except TimeoutError:
        return b""
    except UpstreamError:
        exchange.answer.write(data)
        raise
    if rest:
        _note(exchange, rest)
    return rest


def _note(exchange: Exchange, data: bytes) -> None:
    now_ns = time.time_ns()
    if exchange.first_byte_ns is None:
        exchange.first_byte_ns = now_ns
    exchange.pieces.append(data)
    exchange.response_size += len(data)
    exchange.chunks += (now_ns - exchange.first_byte_ns, len(data))


def _break_off(exchange: Exchange, error: UpstreamError, is_events: bool, keep: Keep) -> None:
    """End an answer that cannot go on, so that nobody takes it for whole: by an error event, else by a cut."""
    problem = problem_of(error)
    exchange.failure = problem.failure()
    close_attempt(exchange, exchange.failure)
    if not is_events:
        keep(exchange)
        exchange.answer.cut()
        return
    exchange.upstream_response = b"".join(exchange.pieces)
    route = exchange.route
    tail = exchange.upstream_response[-4:]
    gap = b"" if not tail or tail.endswith((b"\n\n", b"\r\n\r\n")) else b"\n\n"
    event = gap + error_event(
        route.family, route.dialect, problem, exchange.request_id, response_id_in(exchange.pieces)
    )
    exchange.pieces.append(event)
    exchange.response_size += len(event)
    keep(exchange)
    exchange.answer.end(event)


def _size_of(headers: list[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if len(name) == 14 and name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return None
