"""A call between two dialects: the request written for its provider, the answer written for its client.

Imported when first wanted, as it brings all dialects with it. Nothing here waits.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from app.catalog import target_of
from app.dialects.registry import reader_of
from app.dialects.restore import Restorer
from app.dialects.turns import identified
from app.dialects.writers import client_writer, upstream_writer
from app.dialects.writing import Asked, ClientWriter, UpstreamWriter, Written
from app.errors import Refused
from app.models.chat import ChatRequest, ReplyError
from app.models.loss import Loss
from app.models.target import Target
from gateway.errors import Problem, error_body, error_headers
from gateway.exchange import Crossing, Exchange, Plan, Reply
from gateway.upstream.send import crossing_headers
from gateway.vault import Vault

_KEPT_HEADERS: Final = (b"retry-after", b"x-request-id", b"request-id")
_KEPT_STARTS: Final = (b"x-ratelimit-", b"anthropic-ratelimit-")
_STATUS_OF: Final = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "throttlingException": 429,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "serviceUnavailableException": 503,
    "timeout_error": 504,
    "DEADLINE_EXCEEDED": 504,
    "invalid_request_error": 400,
    "INVALID_ARGUMENT": 400,
    "validationException": 400,
}
"""What an error that came under status 200 would have had as its own."""
_NO_ANSWER: Final = 502


def cross(exchange: Exchange, plan: Plan, vault: Vault) -> Crossing:
    """Return the call in its provider's words. Any thread.

    Raises InputError for what can be neither carried nor left out, Refused where nobody here speaks the dialect.
    """
    reader = reader_of(exchange.route.dialect)
    if reader is None or client_writer(exchange.route.dialect) is None:
        raise Refused(f"{exchange.route.dialect} cannot be translated.", rule="dialect")
    asked = msgspec.structs.replace(reader.read_request(exchange.body), is_stream=exchange.is_stream)
    told = asked
    if exchange.continued is not None:
        told = msgspec.structs.replace(reader.read_request(exchange.continued), is_stream=exchange.is_stream)
    told = msgspec.structs.replace(told, messages=vault.restored(exchange, told.messages))
    written = write(told, target_of(plan.provider_name, plan.provider, plan.model or "", plan.dialect))
    name = exchange.model or plan.model or ""
    reply_id = exchange.request_id.removeprefix("req_")
    about = Asked(asked, name, reply_id, exchange.start_ns // 1_000_000_000)
    return Crossing(written, about, list(written.losses))


def write(asked: ChatRequest, target: Target) -> Written:
    """Return a client's request in the words of its target. Raises as `cross`."""
    writer = upstream_writer(target.dialect)
    if writer is None:
        raise Refused(f"Nothing can be translated into {target.dialect}.", rule="dialect")
    messages = tuple(identified(asked.messages))
    return writer.write_request(msgspec.structs.replace(asked, model=target.model, messages=messages), target)


def writer_back(exchange: Exchange) -> ClientWriter:
    """Return what answers the client of a call that was crossed."""
    writer = client_writer(exchange.route.dialect)
    assert writer is not None
    return writer


def writer_there(exchange: Exchange) -> UpstreamWriter:
    """Return what reads the provider's stream of a call that was crossed."""
    writer = upstream_writer(exchange.upstream_dialect)
    assert writer is not None
    return writer


def answer(exchange: Exchange, crossing: Crossing, body: bytes, kind: str, vault: Vault) -> Reply:
    """Return a provider's whole answer as the client reads it; `kind` is its content type."""
    assert exchange.upstream is not None
    reader = reader_of(exchange.upstream_dialect)
    assert reader is not None
    status = exchange.upstream.status
    reply = reader.read_answer(body, kind, status)
    if reply.error is not None or status >= 400:
        return refusal(exchange, crossing, reply.error, status)
    restorer = Restorer(crossing.written.restore, crossing.asked.reply_id)
    restored = restorer.reply(reply)
    note_problem(crossing, restorer.problem)
    vault.note(exchange, restored)
    written = writer_back(exchange).write_reply(restored, crossing.asked)
    return Reply(200, ((b"content-type", b"application/json"), *told_headers(exchange, crossing)), written)


def refusal(exchange: Exchange, crossing: Crossing, error: ReplyError | None, status: int) -> Reply:
    """Return a provider's error as the client reads one; a status of success says that the error came inside."""
    error = error or ReplyError(None, f"The provider answered with status {status}.")
    if status < 400:
        status = _STATUS_OF.get(error.type or "", _STATUS_OF.get(error.code or "", _NO_ANSWER))
    problem = Problem(status, error.code or error.type or "provider_error", error.message, "provider")
    family = exchange.route.family
    headers = [*error_headers(family, problem, exchange.request_id), *told_headers(exchange, crossing)]
    named = {name for name, _ in headers[:3]}
    unique = headers[:3] + [pair for pair in headers[3:] if pair[0] not in named]
    return Reply(status, tuple(unique), error_body(family, problem, exchange.request_id))


def told_headers(exchange: Exchange, crossing: Crossing) -> list[tuple[bytes, bytes]]:
    """Return the headers of a translated answer but for its content type: the provider's that still hold, then ours."""
    plan = exchange.plan
    assert exchange.upstream is not None and plan is not None
    pairs = kept_headers(exchange.upstream.headers)
    pairs.append((b"x-gatescope-provider", plan.provider_name.encode("latin-1", "replace")))
    if plan.model is not None:
        pairs.append((b"x-gatescope-model", plan.model.encode("ascii", "replace")))
    pairs.append((b"x-gatescope-attempts", b"%d" % max(1, len(exchange.attempts))))
    return pairs + crossing_headers(crossing, plan)


def kept_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return those of a provider's headers that hold for the translated answer too."""
    kept: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered in _KEPT_HEADERS or lowered.startswith(_KEPT_STARTS):
            kept.append((lowered, value))
    return kept


def note_problem(crossing: Crossing, problem: str | None) -> None:
    """Keep what is wrong with a structured output that nobody but us checks."""
    if problem is not None:
        crossing.losses.append(Loss("response_format", problem, "broken"))
