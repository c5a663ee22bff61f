"""A call as a row of table `call`, and the bodies it points at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.models.call import CallWrite
from app.models.span import Kind, Status
from app.store import rows
from app.store.payloads import Codec, Kept
from app.store.schema import CALL_ESTIMATED, CALL_RETRIED, CALL_STREAM, CALL_UNPRICED
from app.store.tally import Used
from app.store.timing import encode_timing

COLUMNS: Final = ("id", "ts_us", "trace", "session", "thread", "model", "provider", "key", "name", "path", "status",
                  "flags", "dur_us", "ttft_us", "tok_in", "tok_out", "tok_cache", "cost_nano", "rid", "req", "resp",
                  "up_req", "up_resp", "timing")  # fmt: skip
_PRICED_KINDS: Final = frozenset({Kind.LLM, Kind.EMBEDDING, Kind.RERANKER})
_SERVED: Final = frozenset({Status.OK, Status.ABORTED})


@dataclass(frozen=True, slots=True)
class CallRow:
    """A row of `call` and its part of the trace's sums."""

    row: rows.Row
    used: Used


def put_request(codec: Codec, write: CallWrite) -> Kept | None:
    """Keep what the client sent; None if it sent nothing."""
    if not write.record.request:
        return None
    return codec.put_request(write.record.request, write.placement.thread_span_id)


def entering(write: CallWrite, kept: Kept) -> Iterator[int]:
    """The items of a request that no earlier call of its chain had.

    `entered_from` counts elements as the dialect does, instructions in fields of their own first; `kept.messages` has
    the conversation only.
    """
    placed = write.placement
    n_before = max(0, placed.n_messages - len(kept.messages))
    yield from kept.messages[max(0, placed.entered_from - n_before) :]
    if placed.entered_from < max(n_before, 1):
        yield from kept.instructions


def call_row(codec: Codec, write: CallWrite, span_id: int, trace_id: int, request_id: int | None) -> CallRow:
    """Return the row of a call whose request is kept already; its other bodies are put now."""
    record, digest, placed = write.record, write.digest, write.placement
    id_or_none, usage = codec.strings.id_or_none, digest.usage
    is_over = record.end_ns is not None
    start_us = record.start_ns // 1000
    flags = _flags(write)
    used = Used(
        model=id_or_none(digest.model or record.model),
        tok_in=usage.input_tokens if usage else None,
        tok_out=usage.output_tokens if usage else None,
        cost_nano=digest.cost_nusd,
        is_unpriced=bool(flags & CALL_UNPRICED),
    )
    row = (
        span_id,
        start_us,
        trace_id,
        id_or_none(placed.session),
        None if placed.thread_span_id == record.span_id else placed.thread_span_id,
        used.model,
        id_or_none(record.provider),
        record.key_id,
        codec.strings.id_of(digest.name),
        codec.strings.id_of(record.path.partition("?")[0]),
        record.status,
        flags,
        max(0, record.end_ns // 1000 - start_us) if record.end_ns is not None else None,
        None if record.first_byte_ns is None else max(0, record.first_byte_ns // 1000 - start_us),
        used.tok_in,
        used.tok_out,
        usage.cache_read_tokens if usage else None,
        used.cost_nano,
        record.request_id,
        request_id,
        codec.put_answer(record.response) if is_over and record.response else None,
        _upstream_request(codec, write, request_id) if is_over else None,
        codec.put_answer(record.upstream_response) if is_over and record.upstream_response is not None else None,
        encode_timing(record) if is_over else None,
    )
    return CallRow(row, used)


def _flags(write: CallWrite) -> int:
    record, digest = write.record, write.digest
    is_unpriced = (
        record.end_ns is not None
        and digest.cost_nusd is None
        and digest.kind in _PRICED_KINDS
        and digest.status in _SERVED
    )
    return (
        (CALL_STREAM if record.chunks else 0)
        | (CALL_RETRIED if len(record.attempts) > 1 else 0)
        | (CALL_ESTIMATED if digest.usage is not None and digest.usage.is_estimated else 0)
        | (CALL_UNPRICED if is_unpriced else 0)
    )


def _upstream_request(codec: Codec, write: CallWrite, request_id: int | None) -> int | None:
    record = write.record
    if record.upstream_request is not None:
        return codec.put_request(record.upstream_request, ("upstream", write.placement.thread_span_id)).body_id
    if record.upstream_edit is None or request_id is None:
        return None
    return codec.put_edit(request_id, record.request, record.upstream_edit)
