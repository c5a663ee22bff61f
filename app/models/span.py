"""A span: one thing that happened, with a start, an end and a parent."""

from dataclasses import dataclass
from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What a span is. The numbers are stored: never renumber."""

    SPAN = 0
    AGENT = 1
    CHAIN = 2
    LLM = 3
    TOOL = 4
    RETRIEVER = 5
    EMBEDDING = 6
    RERANKER = 7
    GUARDRAIL = 8
    EVALUATOR = 9
    PROMPT = 10
    HTTP = 11
    DB = 12
    ATTEMPT = 13


class Status(IntEnum):
    """How a span stands. The numbers are stored: never renumber."""

    RUNNING = 0
    OK = 1
    ERROR = 2
    ABORTED = 3
    """The client left, or cancelled."""
    INTERRUPTED = 4
    """The gateway died while it ran."""


class LinkMethod(IntEnum):
    """How we know that a span belongs where it hangs, surest first. Stored: never renumber."""

    STATED = 0
    """An id on the wire said so: traceparent, previous_response_id, a session header."""
    CHAIN = 1
    """The request begins with an earlier call's messages and its answer."""
    TOOL_CALL_ID = 2
    """Both sides carry the same tool call id."""
    OPEN_TOOL = 3
    """It began inside an open tool span of the same client, and nothing contradicts."""
    EDITED = 4
    """The history was rewritten; what survives matches."""
    ALONE = 5
    """Nothing to join it to: a trace of its own."""


@dataclass(frozen=True, slots=True)
class Link:
    """Why a span hangs where it hangs. `confidence` is 0 to 1; `evidence` is one line for a person to read."""

    method: LinkMethod
    confidence: float
    evidence: str


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """What went wrong in the user's call: data, not an exception."""

    kind: str
    """One word: refused, upstream, timeout, cut, aborted, invalid, provider, interrupted."""
    message: str
    status: int | None = None
    """The HTTP status it came with, None where there was none."""


@dataclass(frozen=True, slots=True)
class SpanWrite:
    """A span that is not a gateway call, to be inserted or updated by (trace_id, span_id)."""

    trace_id: bytes
    span_id: int
    parent_span_id: int | None
    kind: Kind
    name: str
    status: Status
    start_ns: int
    end_ns: int | None
    """None while it runs."""
    input: bytes | None = None
    output: bytes | None = None
    attributes: dict[str, object] | None = None
