"""What is known of a span as groups of name and value, for the Attributes tab. Pure; no Qt."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.models.call import Attempt
from app.models.ids import span_hex
from app.models.query import term
from app.models.span import LinkMethod
from app.models.trace import SpanDetail
from app.models.usage import Usage
from ui import format

LINK_WORDS: Final = {
    LinkMethod.STATED: "stated by an id on the wire",
    LinkMethod.CHAIN: "continues an earlier call's conversation",
    LinkMethod.TOOL_CALL_ID: "same tool call id",
    LinkMethod.OPEN_TOOL: "began inside an open tool call",
    LinkMethod.EDITED: "edited history, what survives matches",
    LinkMethod.ALONE: "nothing to join it to",
}
_PART_WORDS: Final = {
    "input": "Input",
    "output": "Output",
    "cache_read": "Cache read",
    "cache_write": "Cache write",
    "reasoning": "Reasoning",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line. `claim` is the filter term it makes, "" where it makes none."""

    group: str
    name: str
    value: str
    claim: str = ""


def facts_of(span: SpanDetail) -> list[Fact]:
    """Return everything known of a span, grouped, unknown values left out."""
    return [*_call(span), *_translation(span), *_usage(span.usage), *_cost(span), *_attempts(span), *_links(span),
            *_ids(span), *_headers(span), *_rest(span)]  # fmt: skip


def _call(span: SpanDetail) -> Iterator[Fact]:
    pairs = (
        ("Kind", span.kind.name.lower(), "kind", span.kind.name.lower()),
        ("Status", span.status.name.lower(), "status", span.status.name.lower()),
        ("Model", span.model, "model", span.model),
        ("Model asked for", _differs(span.requested_model, span.model), "model", span.requested_model),
        ("Provider", span.provider, "provider", span.provider),
        ("Key", span.key, "key", span.key),
        ("Dialect", span.dialect, "", None),
        ("Operation", span.operation, "", None),
        ("Request", f"{span.method} {span.path}".strip(), "path", span.path.partition("?")[0]),
        ("HTTP status", None if span.http_status is None else str(span.http_status), "status", str(span.http_status)),
        ("Finish reason", span.finish_reason, "", None),
        ("Content type", span.content_type, "", None),
        ("Began", format.absolute(span.start_ns), "", None),
        ("Duration", _known(format.duration(span.duration_ns)), "", None),
        ("Time to first token", _known(format.duration(span.ttft_ns)), "", None),
        ("Request size", _known(format.size(span.request_size_bytes)), "", None),
        ("Response size", _known(format.size(span.response_size_bytes)), "", None),
    )
    if span.failure is not None:
        where = f" (HTTP {span.failure.status})" if span.failure.status else ""
        yield Fact("Failure", span.failure.kind, span.failure.message + where, "has:error")
    for name, shown, field, value in pairs:
        if shown:
            yield Fact("Call", name, shown, term(field, value) if field and value else "")


def _translation(span: SpanDetail) -> Iterator[Fact]:
    if not span.upstream_dialect:
        return
    yield Fact("Translation", "Spoken to the provider", span.upstream_dialect)
    if not span.losses:
        yield Fact("Translation", "Carried", "everything")
    for loss in span.losses:
        yield Fact("Translation", f"{loss.kind.capitalize()}: {loss.field}", loss.reason)


def _usage(usage: Usage | None) -> Iterator[Fact]:
    if usage is None:
        return
    counts = (
        ("Input", usage.input_tokens),
        ("· read from cache", usage.cache_read_tokens),
        ("· written to cache", usage.cache_write_tokens),
        ("· written for an hour", usage.cache_write_1h_tokens),
        ("· audio", usage.input_audio_tokens),
        ("· images", usage.input_image_tokens),
        ("Output", usage.output_tokens),
        ("· reasoning", usage.reasoning_tokens),
        ("· audio out", usage.output_audio_tokens),
        ("· images out", usage.output_image_tokens),
        ("Web searches", usage.web_searches),
    )
    for name, count in counts:
        if count is not None:
            yield Fact("Tokens", name, format.tokens(count))
    if usage.service_tier:
        yield Fact("Tokens", "Service tier", usage.service_tier)
    if usage.is_estimated:
        yield Fact("Tokens", "Counted by", "us, the provider reported none")


def _cost(span: SpanDetail) -> Iterator[Fact]:
    if span.usage is None and span.cost_nusd is None:
        return
    yield Fact("Cost", "Total", format.money(span.cost_nusd) if span.cost_nusd is not None else "unknown price")
    for name, nusd in span.cost_parts.items():
        yield Fact("Cost", _PART_WORDS.get(name, name.replace("_", " ").capitalize()), format.money(nusd))
    if span.usage is not None and span.usage.stated_cost_nusd is not None:
        yield Fact("Cost", "As the provider says", format.money(span.usage.stated_cost_nusd))


def _attempts(span: SpanDetail) -> Iterator[Fact]:
    for number, attempt in enumerate(span.attempts, 1):
        yield Fact("Attempts", f"{number}. {attempt.provider}", _attempt(attempt))


def _attempt(attempt: Attempt) -> str:
    parts = [
        attempt.model or "",
        f"HTTP {attempt.status}" if attempt.status is not None else "no answer",
        format.duration(attempt.end_ns - attempt.start_ns),
        attempt.failure.message if attempt.failure else "",
        attempt.url,
    ]
    return " · ".join(part for part in parts if part)


def _links(span: SpanDetail) -> Iterator[Fact]:
    for link in span.links:
        surety = "certain" if link.confidence >= 1 else f"{link.confidence:.0%} sure"
        yield Fact("Why it hangs here", LINK_WORDS[link.method], f"{link.evidence} · {surety}".lstrip(" ·"))


def _ids(span: SpanDetail) -> Iterator[Fact]:
    yield Fact("Ids", "Trace", span.trace_id.hex())
    yield Fact("Ids", "Span", span_hex(span.span_id))
    if span.parent_span_id is not None:
        yield Fact("Ids", "Parent", span_hex(span.parent_span_id))
    if span.request_id:
        yield Fact("Ids", "Request", span.request_id)
    if span.session:
        yield Fact("Ids", "Session", span.session, term("session", span.session))


def _headers(span: SpanDetail) -> Iterator[Fact]:
    for group, headers in (("Request headers", span.request_headers), ("Response headers", span.response_headers)):
        for name, value in headers:
            yield Fact(group, name, value)


def _rest(span: SpanDetail) -> Iterator[Fact]:
    for name, value in sorted(span.attributes.items()):
        yield Fact("Attributes", name, value if isinstance(value, str) else json.dumps(value, default=str))


def _differs(value: str | None, other: str | None) -> str | None:
    return value if value != other else None


def _known(text: str) -> str | None:
    return None if text == format.UNKNOWN else text
