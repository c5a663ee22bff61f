"""Embeddings, rankings and token counts between dialects: a question and its whole answer, no conversation.

Imported when first wanted. Nothing here waits.
"""

import dataclasses
from typing import Final

import msgspec

from app.catalog import target_of
from app.config import ProviderConfig
from app.dialects.embeddings import embedding_writer, read_openai_request, write_openai_reply
from app.dialects.registry import reader_of
from app.dialects.rerank import read_cohere_request, rerank_writer, write_cohere_reply
from app.dialects.token_count import count_request, estimate_request, read_count, write_count
from app.dialects.turns import identified
from app.dialects.writing import Asked, Written
from app.errors import Refused
from app.models.chat import ChatRequest, ReplyError
from app.models.embedding import EmbeddingRequest
from app.models.rerank import RerankRequest
from app.models.target import Target
from gateway.crossing import refusal, told_headers
from gateway.exchange import Crossing, Exchange, Plan, Reply

_JSON: Final = (b"content-type", b"application/json")
_ESTIMATED: Final = (b"x-gatescope-estimated", b"true")
_NO_COUNT: Final = "The provider's answer names no count of tokens."


def cross(exchange: Exchange, plan: Plan) -> Crossing | Reply:
    """Return the call in its provider's words, or the answer where nobody needs to be asked.

    Raises InputError for what cannot be carried, Refused where the provider does no such thing.
    """
    operation = exchange.route.operation
    if operation == "embeddings":
        return _embeddings(exchange, plan)
    return _rerank(exchange, plan) if operation == "rerank" else _count(exchange, plan)


def answer(exchange: Exchange, crossing: Crossing, body: bytes) -> Reply:
    """Return a provider's answer as the client reads it."""
    assert exchange.upstream is not None
    status, asked = exchange.upstream.status, crossing.aside
    if isinstance(asked, EmbeddingRequest):
        written, error = _embedded(exchange, asked, body, status)
    elif isinstance(asked, RerankRequest):
        written, error = _ranked(exchange, asked, body, status)
    else:
        written, error = _counted(exchange, body, status)
    if error is not None or status >= 400 or written is None:
        return refusal(exchange, crossing, error, status)
    return Reply(200, (_JSON, *told_headers(exchange, crossing)), written)


def _embeddings(exchange: Exchange, plan: Plan) -> Crossing:
    writer = embedding_writer(_embedding_dialect(plan.provider, plan.dialect))
    if writer is None:
        raise _cannot(plan, "embeds nothing")
    asked = read_openai_request(exchange.body)
    return _crossing(exchange, writer.write_request(asked, _target(plan)), asked)


def _embedded(
    exchange: Exchange, asked: EmbeddingRequest, body: bytes, status: int
) -> tuple[bytes | None, ReplyError | None]:
    plan = exchange.plan
    assert plan is not None
    writer = embedding_writer(_embedding_dialect(plan.provider, plan.dialect))
    assert writer is not None
    reply = writer.read_reply(body, status)
    return write_openai_reply(reply, exchange.model or "", asked.encoding), reply.error


def _embedding_dialect(provider: ProviderConfig, dialect: str) -> str:
    return "vertex" if provider.kind == "vertex" else dialect


def _rerank(exchange: Exchange, plan: Plan) -> Crossing:
    writer = rerank_writer(plan.dialect)
    if writer is None:
        raise _cannot(plan, "ranks nothing")
    asked = read_cohere_request(exchange.body)
    return _crossing(exchange, writer.write_request(asked, _target(plan)), asked)


def _ranked(
    exchange: Exchange, asked: RerankRequest, body: bytes, status: int
) -> tuple[bytes | None, ReplyError | None]:
    writer = rerank_writer(exchange.upstream_dialect)
    assert writer is not None
    reply = writer.read_reply(body, status)
    version = 1 if exchange.path.startswith("/v1/") else 2
    return write_cohere_reply(reply, asked, exchange.request_id.removeprefix("req_"), version), reply.error


def _count(exchange: Exchange, plan: Plan) -> Crossing | Reply:
    reader = reader_of(exchange.route.dialect)
    assert reader is not None
    asked = reader.read_request(exchange.body)
    request = msgspec.structs.replace(asked, model=plan.model, messages=tuple(identified(asked.messages)))
    written = count_request(request, _target(plan))
    if written is None:
        n_tokens = estimate_request(request)
        return Reply(200, (_JSON, _ESTIMATED), write_count(exchange.route.dialect, n_tokens))
    return _crossing(exchange, written, asked)


def _counted(exchange: Exchange, body: bytes, status: int) -> tuple[bytes | None, ReplyError | None]:
    n_tokens = read_count(exchange.upstream_dialect, body)
    if n_tokens is not None:
        return write_count(exchange.route.dialect, n_tokens), None
    reader = reader_of(exchange.upstream_dialect)
    error = reader.read_reply(body, status).error if reader is not None else None
    return None, error or ReplyError(None, _NO_COUNT)


def _crossing(exchange: Exchange, written: Written, aside: object) -> Crossing:
    about = Asked(ChatRequest(exchange.model, ()), exchange.model or "", exchange.request_id.removeprefix("req_"), 0)
    return dataclasses.replace(Crossing(written, about, list(written.losses)), aside=aside)


def _target(plan: Plan) -> Target:
    return target_of(plan.provider_name, plan.provider, plan.model or "", plan.dialect)


def _cannot(plan: Plan, what: str) -> Refused:
    return Refused(f"The provider {plan.provider_name!r} {what} that we know of.", rule="dialect")
