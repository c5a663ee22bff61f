"""What the screens read: rows of a list, the columns of a tree, one span in full. Plain values that pickle well."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.models.call import Attempt, Headers
from app.models.chat import ChatRequest, Reply
from app.models.loss import Loss
from app.models.span import Failure, Kind, Link, Status
from app.models.usage import Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One line of the traces list."""

    id: int
    """Row id in the store: rising with arrival, the keyset's tie-break."""
    trace_id: bytes
    name: str
    status: Status
    start_ns: int
    duration_ns: int | None
    """None while it runs."""
    session: str | None
    model: str | None
    """Of its last call."""
    n_models: int
    provider: str | None
    key: str | None
    """The virtual key's name."""
    input_preview: str
    output_preview: str
    ttft_ns: int | None
    """Of its first call."""
    input_tokens: int | None
    output_tokens: int | None
    cost_nusd: int | None
    """Sum of the calls whose price is known; None if none is."""
    n_unpriced: int
    """Calls whose price is not known."""
    n_spans: int
    n_errors: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the sessions list."""

    session: str
    is_stated: bool
    """False: inferred from the chain of calls."""
    first_ns: int
    last_ns: int
    n_traces: int
    n_calls: int
    n_errors: int
    input_tokens: int | None
    output_tokens: int | None
    cost_nusd: int | None
    first_preview: str
    last_preview: str


@dataclass(frozen=True, slots=True)
class TraceTree:
    """The spans of one trace in preorder, a column each. Row i's subtree is rows [i, i + size[i])."""

    row: TraceRow
    names: list[str]
    """Distinct names; `name` indexes it."""
    id: "NDArray[np.int64]"
    """Store row id, what `Reader.span` takes."""
    depth: "NDArray[np.int32]"
    size: "NDArray[np.int32]"
    kind: "NDArray[np.uint8]"
    status: "NDArray[np.uint8]"
    name: "NDArray[np.int32]"
    start_ns: "NDArray[np.int64]"
    """Since the trace's start; below zero for a child that began before its trace (clock skew)."""
    duration_ns: "NDArray[np.int64]"
    """-1 while running."""
    ttft_ns: "NDArray[np.int64]"
    """-1 where none."""
    input_tokens: "NDArray[np.int64]"
    """-1 unknown, here and below."""
    output_tokens: "NDArray[np.int64]"
    cost_nusd: "NDArray[np.int64]"
    is_inferred: "NDArray[np.bool_]"
    """Drawn from the wire, not stated by anyone."""
    is_orphan: "NDArray[np.bool_]"
    """Its parent was named but never came."""


@dataclass(frozen=True, slots=True)
class SpanDetail:
    """One span in full, without its bodies."""

    id: int
    span_id: int
    trace_id: bytes
    parent_span_id: int | None
    kind: Kind
    name: str
    status: Status
    start_ns: int
    duration_ns: int | None
    ttft_ns: int | None
    session: str | None
    requested_model: str | None
    model: str | None
    provider: str | None
    key: str | None
    dialect: str
    operation: str
    method: str
    path: str
    http_status: int | None
    request_id: str | None
    finish_reason: str | None
    usage: Usage | None
    cost_nusd: int | None
    cost_parts: dict[str, int]
    failure: Failure | None
    attempts: tuple[Attempt, ...]
    links: tuple[Link, ...]
    request_headers: Headers
    response_headers: Headers
    content_type: str
    request_size_bytes: int | None
    response_size_bytes: int | None
    has_upstream_request: bool
    """What went upstream differs from what the client sent."""
    has_upstream_response: bool
    attributes: dict[str, object] = field(default_factory=dict)
    upstream_dialect: str = ""
    """What the provider was spoken to in, where that is another than `dialect`."""
    losses: tuple[Loss, ...] = ()
    """What the translation could not carry."""
    """Everything else that was stored, under its own names."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a span's bodies say, read by its dialect. None: not readable, look at the raw bytes."""

    request: ChatRequest | None
    reply: Reply | None
    entered_from: int
    """Messages before this index were already part of the chain's earlier calls."""
    note: str = ""
    """Why something is missing, for a person; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event of a recorded stream."""

    at_ns: int | None
    """Since the call's start; None where the record has no time for it."""
    name: str
    data: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The status line's numbers, and the store's."""

    n_traces: int
    n_calls: int
    size_bytes: int
    calls_last_minute: int
    cost_today_nusd: int | None
    """Local calendar day. None: nothing priced yet."""
    unpriced_today: int
    unindexed: int
    """Calls not yet in the full-text index."""
