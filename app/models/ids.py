"""Trace and span ids, as W3C trace context and OTLP have them.

A trace id is 16 bytes. A span id is 8 bytes, held as a signed 64-bit integer (the store's form); neither is ever zero.
"""

import os
import random
import re
from dataclasses import dataclass
from typing import Final

_RANDOM: Final = random.Random(os.urandom(32))
"""Ids must not collide; they need not be secret. Asking the system for every id costs 50 times as much."""

_TRACEPARENT: Final = re.compile(r"^\s*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?\s*$", re.I)


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A parsed `traceparent` header."""

    trace_id: bytes
    span_id: int
    is_sampled: bool


def new_trace_id() -> bytes:
    """Return 16 random bytes."""
    return (_RANDOM.getrandbits(128) or 1).to_bytes(16, "big")


def new_span_id() -> int:
    """Return a random span id, never zero."""
    return (_RANDOM.getrandbits(64) or 1) - (1 << 63) or 1


def span_hex(span_id: int) -> str:
    """Return the 16 hex digits of a span id."""
    return f"{span_id & 0xFFFFFFFFFFFFFFFF:016x}"


def span_from_hex(text: str) -> int:
    """Return the span id that 16 hex digits stand for.

    Raises ValueError on anything else.
    """
    if len(text) != 16:
        raise ValueError(f"a span id has 16 hex digits, not {len(text)}")
    return int.from_bytes(bytes.fromhex(text), "big", signed=True)


def parse_traceparent(header: str) -> TraceParent | None:
    """Return what a `traceparent` header says, None where it is malformed (W3C: then it is ignored)."""
    match = _TRACEPARENT.match(header)
    if match is None:
        return None
    version, trace, span, flags = match.groups()
    if version.lower() == "ff" or not int(trace, 16) or not int(span, 16):
        return None
    return TraceParent(bytes.fromhex(trace), span_from_hex(span), bool(int(flags, 16) & 1))
