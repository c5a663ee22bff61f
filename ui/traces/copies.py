"""Copying out of a trace: its row as JSON, its last call as curl or Python, ids and values."""

from dataclasses import asdict
from typing import Any, Final

import msgspec

from app.errors import InputError
from app.export import FLAVOUR_TITLES, Flavour, SentRequest, as_text
from app.models.ids import span_hex
from app.models.span import Kind
from app.models.trace import SpanDetail, TraceRow
from ui.desk import Desk

CALL_FLAVOURS: Final[tuple[Flavour, ...]] = ("curl", "openai", "anthropic", "httpx")
CALL_KINDS: Final = frozenset({Kind.LLM, Kind.EMBEDDING, Kind.HTTP})


def row_json(row: TraceRow) -> str:
    """Return a trace's row as indented JSON, its id in hex."""
    values: dict[str, Any] = asdict(row) | {"trace_id": row.trace_id.hex(), "status": row.status.name.lower()}
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode()


async def copy_call(desk: Desk, span_id: int, flavour: Flavour) -> None:
    """Put a call's request on the clipboard in a flavour. Raises InputError where the span is no call."""
    span: SpanDetail = await desk.reader.ask("span", span_id)
    if not span.method:
        raise InputError("This span is not a call through the gateway.", hint="Choose a call in the tree.")
    body: bytes = await desk.reader.ask("body", span_id, "request")
    sent = SentRequest(span.method, desk.base_url, span.path, span.dialect, span.request_headers, body)
    desk.copy(as_text(sent, flavour), f"as {FLAVOUR_TITLES[flavour]}")


async def copy_last_call(desk: Desk, trace_row_id: int, flavour: Flavour) -> None:
    """Put the request of a trace's last call on the clipboard."""
    tree = await desk.reader.ask("tree", trace_row_id)
    for span_id, kind in zip(reversed(tree.id.tolist()), reversed(tree.kind.tolist()), strict=True):
        if kind in CALL_KINDS:
            await copy_call(desk, span_id, flavour)
            return
    raise InputError("This trace holds no call through the gateway.")


def copy_trace_id(desk: Desk, row: TraceRow) -> None:
    """Put a trace's id on the clipboard."""
    desk.copy(row.trace_id.hex(), "the trace id")


def copy_span_id(desk: Desk, span: SpanDetail) -> None:
    """Put a span's id on the clipboard."""
    desk.copy(span_hex(span.span_id), "the span id")
