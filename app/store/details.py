"""One span in full: its facts, its bodies, its conversation, its timing."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from app.dialects.registry import reader_of
from app.errors import InputError, StoreError
from app.models.chat import ChatRequest, Reply
from app.models.span import Kind, Status
from app.models.timing import Timing
from app.models.trace import Conversation, SpanDetail
from app.store.attributes import Attributes, decode_attributes
from app.store.bodies import Bodies
from app.store.timing import decode_timing

Which = Literal["request", "response", "upstream_request", "upstream_response", "input", "output"]

_SPAN: Final = """
SELECT s.id, s.sid, t.tid, s.psid, s.kind, name.s, s.status, s.start_us, s.dur_us, s.inp, s.outp, s.attrs,
       c.id, c.ttft_us, session.s, model.s, provider.s, vkey.name, c.status, c.rid, c.cost_nano,
       c.req, c.resp, c.up_req, c.up_resp, (SELECT len FROM body WHERE id = ifnull(c.req, s.inp)),
       (SELECT len FROM body WHERE id = ifnull(c.resp, s.outp)), traced.s
FROM span s JOIN trace t ON t.id = s.trace
LEFT JOIN call c ON c.id = s.id
LEFT JOIN str name ON name.id = s.name
LEFT JOIN str session ON session.id = c.session
LEFT JOIN str traced ON traced.id = t.session
LEFT JOIN str model ON model.id = c.model
LEFT JOIN str provider ON provider.id = c.provider
LEFT JOIN vkey ON vkey.id = c.key
WHERE s.id = ?
"""


@dataclass(frozen=True, slots=True)
class _Facts:
    """A row of `_SPAN`."""

    id: int
    sid: int
    tid: bytes
    psid: int | None
    kind: int
    name: str | None
    status: int
    start_us: int
    dur_us: int | None
    inp: int | None
    outp: int | None
    attrs: int | None
    call: int | None
    ttft_us: int | None
    session: str | None
    model: str | None
    provider: str | None
    key: str | None
    http_status: int | None
    rid: str | None
    cost_nano: int | None
    req: int | None
    resp: int | None
    up_req: int | None
    up_resp: int | None
    request_size: int | None
    response_size: int | None
    trace_session: str | None


def span(conn: sqlite3.Connection, bodies: Bodies, span_id: int) -> SpanDetail:
    """Return a span by its row id. Raises StoreError where it is gone."""
    facts = _facts(conn, span_id)
    call, own = _attributes(bodies, facts)
    return SpanDetail(
        id=facts.id,
        span_id=facts.sid,
        trace_id=facts.tid,
        parent_span_id=facts.psid,
        kind=Kind(facts.kind),
        name=facts.name or "",
        status=Status(facts.status),
        start_ns=facts.start_us * 1000,
        duration_ns=None if facts.dur_us is None else facts.dur_us * 1000,
        ttft_ns=None if facts.ttft_us is None else facts.ttft_us * 1000,
        session=facts.session or facts.trace_session,
        requested_model=call.requested_model,
        model=facts.model,
        provider=facts.provider,
        key=facts.key,
        dialect=call.dialect,
        operation=call.operation,
        method=call.method,
        path=call.path,
        http_status=facts.http_status,
        request_id=facts.rid,
        finish_reason=call.finish_reason,
        usage=call.usage,
        cost_nusd=facts.cost_nano,
        cost_parts=call.cost_parts,
        failure=call.failure,
        attempts=call.attempts,
        links=call.links,
        request_headers=call.request_headers,
        response_headers=call.response_headers,
        content_type=call.content_type,
        request_size_bytes=facts.request_size,
        response_size_bytes=facts.response_size,
        has_upstream_request=facts.up_req is not None,
        has_upstream_response=facts.up_resp is not None,
        attributes=own,
        upstream_dialect=call.upstream_dialect,
        losses=call.losses,
    )


def body(conn: sqlite3.Connection, bodies: Bodies, span_id: int, which: Which) -> bytes:
    """Return the bytes of one body, b"" where there are none: for an unchanged upstream side, the client's.

    Raises StoreError where the span is gone.
    """
    facts = _facts(conn, span_id)
    by_name = {
        "request": facts.req,
        "response": facts.resp,
        "upstream_request": facts.req if facts.up_req is None else facts.up_req,
        "upstream_response": facts.resp if facts.up_resp is None else facts.up_resp,
        "input": facts.inp,
        "output": facts.outp,
    }
    if which not in by_name:
        raise InputError(f"There is no body {which!r}.", hint=f"One of {', '.join(by_name)}.")
    return _bytes(bodies, by_name[which])


def conversation(conn: sqlite3.Connection, bodies: Bodies, span_id: int) -> Conversation:
    """Return what a call's bodies say; what cannot be read is None, and `note` says why. Raises StoreError."""
    facts = _facts(conn, span_id)
    if facts.call is None:
        return Conversation(None, None, 0, "This span is not a model call.")
    call, _ = _attributes(bodies, facts)
    reader = reader_of(call.dialect)
    if reader is None:
        said = f"The format {call.dialect} cannot be read" if call.dialect else "This path has no format we can read"
        return Conversation(None, None, 0, f"{said}: look at the raw bytes.")
    notes: list[str] = []
    request: ChatRequest | None = None
    sent = _bytes(bodies, facts.req)
    try:
        request = reader.read_request(sent) if sent else None
    except InputError as error:
        notes.append(f"The request cannot be read: {error.message}")
    reply: Reply | None = None
    got = _bytes(bodies, facts.resp)
    if got:
        reply = reader.read_answer(got, call.content_type, facts.http_status or 0)
    elif facts.status != Status.RUNNING:
        notes.append("There was no answer.")
    return Conversation(request, reply, call.entered_from, " ".join(notes))


def timing(conn: sqlite3.Connection, span_id: int) -> Timing:
    """Return when a stream's pieces came; without pieces, only the first byte. Raises StoreError."""
    row = conn.execute("SELECT timing, ttft_us FROM call WHERE id = ?", (span_id,)).fetchone()
    if row is None:
        _facts(conn, span_id)
        return Timing(None, (), ())
    blob, ttft_us = row
    if blob is not None:
        return decode_timing(blob)
    return Timing(None if ttft_us is None else ttft_us * 1000, (), ())


def _facts(conn: sqlite3.Connection, span_id: int) -> _Facts:
    row = conn.execute(_SPAN, (span_id,)).fetchone()
    if row is None:
        raise StoreError(f"Span {span_id} is not in the store.", hint="Retention may have removed its trace.")
    return _Facts(*row)


def _attributes(bodies: Bodies, facts: _Facts) -> tuple[Attributes, dict[str, Any]]:
    """Return a call's attributes, and those of another span under their own names."""
    data = _bytes(bodies, facts.attrs)
    if not data:
        return Attributes(), {}
    try:
        if facts.call is not None:
            return decode_attributes(data), {}
        return Attributes(), msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise StoreError(f"The attributes of span {facts.id} cannot be read: {error}.") from error


def _bytes(bodies: Bodies, body_id: int | None) -> bytes:
    return b"" if body_id is None else bodies.get(body_id)
