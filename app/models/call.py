"""A gateway call as it is recorded: bytes and times first, what they mean second.

`CallRecord` is made by the gateway's recorder on the event loop, crosses the spool and the writer's queue, and is
never changed. `Digest` (what the bytes say) and `Placement` (where the call belongs) are worked out in the writer's
thread; a `CallWrite` is all three, ready for the store.
"""

from dataclasses import dataclass, field

import msgspec

from app.models.loss import Loss
from app.models.message import Message
from app.models.span import Failure, Kind, Link, SpanWrite, Status
from app.models.stored_response import StoredResponse
from app.models.usage import Usage

Headers = tuple[tuple[str, str], ...]
"""Header names and values in wire order, secrets already masked."""


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """What went upstream differs from what the client sent in this one place: bytes [start, end) became `text`."""

    start: int
    end: int
    text: bytes


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """One try at one provider."""

    provider: str
    model: str | None
    url: str
    """Without query secrets."""
    start_ns: int
    end_ns: int
    status: int | None = None
    """The provider's HTTP status, None where it gave none."""
    failure: Failure | None = None


class CallRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Everything the gateway saw of one exchange. All bytes are as they went over the wire."""

    span_id: int
    request_id: str
    start_ns: int
    """UTC, when the request's head was read."""
    end_ns: int | None
    """None: still running. The same span_id comes again with the end."""
    method: str
    path: str
    """With its query, secrets masked."""
    dialect: str
    """A name of `app.dialects.registry`, or "" for a pass-through path we cannot read."""
    operation: str
    """chat, completion, embeddings, count_tokens, models, images, audio, files, moderation, response_get,
    conversation, other …"""
    status: int | None
    """What the client got; None while running or if it left before the head."""
    request: bytes
    response: bytes
    """What the client got, as far as it got."""
    request_headers: Headers
    response_headers: Headers
    content_type: str
    """Of the response, lower case, without parameters."""
    requested_model: str | None
    model: str | None
    """What was asked of the provider."""
    provider: str | None
    key_id: int | None
    """None: the client's own provider key passed through, or no key."""
    client: str
    """One client's fingerprint: key, user agent, peer address. Never shown, only compared."""
    attempts: tuple[Attempt, ...] = ()
    first_byte_ns: int | None = None
    """UTC, first byte of the response body from the provider."""
    chunks: tuple[int, ...] = ()
    """Streams only: flat pairs (ns since first_byte_ns, bytes) of each piece as it arrived."""
    upstream_edit: Edit | None = None
    upstream_request: bytes | None = None
    """Only where an edit cannot say it (translation)."""
    upstream_response: bytes | None = None
    """Only where it differs from `response`."""
    failure: Failure | None = None
    """What the gateway itself knows went wrong; the bytes may tell more (`Digest.failure`)."""
    upstream_dialect: str = ""
    """Of `upstream_request` and `upstream_response`, where it is another than the client's."""
    losses: tuple[Loss, ...] = ()
    """What a translation could not carry."""
    stored: StoredResponse | None = None
    """The answer is a response that may be named later; None: it is none, or its provider keeps it."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a record's bytes say. Made by `app.digest`; cheap enough for every call."""

    kind: Kind
    name: str
    """For the tree: `chat gpt-4o-mini`."""
    status: Status
    model: str | None
    """As the answer names it, else as asked."""
    response_id: str | None
    answer: Message | None
    """The first choice; None without one."""
    finish_reason: str | None
    usage: Usage | None
    cost_nusd: int | None
    """None: unknown price or unknown usage."""
    cost_parts: dict[str, int]
    """Nano-USD by rate (input, cache_read, output …); empty where unknown."""
    failure: Failure | None
    input_preview: str
    """First 120 characters of the newest user text or tool result, one line."""
    output_preview: str
    elements: tuple[bytes, ...] = field(default=(), repr=False, compare=False)
    """The request's conversation, a verbatim slice an element, as its dialect splits it; not stored."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a call belongs. Made by `app.linking.stitch`."""

    trace_id: bytes
    parent_span_id: int | None
    session: str | None
    """A stated session id as it was sent, or `s-` and 12 hex digits for an inferred one."""
    thread_span_id: int
    """The first call of the chain that this one extends; its own span_id for a first call."""
    links: tuple[Link, ...]
    entered_from: int
    """Index of the first request message that no earlier call of the chain had; 0 for a first call."""
    chain_hash: int
    """Signed 64-bit hash of the conversation after this call, for the next one to find; 0: nothing to continue."""
    trace_name: str
    spans: tuple[SpanWrite, ...] = ()
    """Inferred spans (the turn's root, tool spans) to insert or update."""
    moves: tuple[tuple[int, int], ...] = ()
    """(span_id, new parent span_id) of spans of this trace that now hang elsewhere."""
    also_hashes: tuple[int, ...] = ()
    """Other hashes by which the next call may find this one (its response id); as `chain_hash`, which 0 leaves out."""
    n_messages: int = 0
    """How many messages the request had: `ChainEntry.n_messages` of the next call."""


@dataclass(frozen=True, slots=True)
class CallWrite:
    """A call ready to be stored."""

    record: CallRecord
    digest: Digest
    placement: Placement


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """What the stitcher must know of an earlier call to continue it; found by `chain_hash`."""

    span_id: int
    trace_id: bytes
    thread_span_id: int
    root_span_id: int
    """The span at the top of its trace."""
    session: str | None
    start_ns: int
    end_ns: int
    n_messages: int
    """How many request messages it had."""
    tool_calls: tuple[tuple[str, str, str], ...]
    """(id, name, arguments) of what its answer asked for."""
    trace_name: str
    root_start_ns: int | None = None
    """When the span at the top began; None: not known, take `start_ns`."""
