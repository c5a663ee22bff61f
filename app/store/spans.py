"""Writes calls and spans: one batch, one unit of work.

A span is known by its trace and its sid. A call comes as running first and again with its end, or only with its end;
once ended it never changes, so a record that is written twice counts once. All rows of a batch are worked out in
memory and written with few statements.
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import msgspec

from app.models.call import CallWrite
from app.models.span import Kind, SpanWrite, Status
from app.store import chains, responses, rows, tally
from app.store.attributes import encode_attributes
from app.store.calls import COLUMNS as CALL_COLUMNS
from app.store.calls import call_row, entering, put_request
from app.store.payloads import Codec
from app.store.schema import SPAN_INFERRED, TRACE_SESSION_STATED
from app.store.tally import Tally

_COLUMNS: Final = ("id", "trace", "sid", "psid", "kind", "name", "status", "flags", "start_us", "dur_us", "inp",
                   "outp", "attrs")  # fmt: skip
_INFERRED_SESSION: Final = re.compile(r"s-[0-9a-f]{12}")
_NOT_COUNTED: Final = -1


def _upsert(columns: tuple[str, ...]) -> str:
    return "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns[1:])


_FIND_SPAN: Final = f"SELECT {', '.join(_COLUMNS)} FROM span WHERE trace = ? AND sid = ?"  # noqa: S608
_SAVE_SPANS: Final = f"INSERT INTO span ({', '.join(_COLUMNS)})"
_SAVE_CALLS: Final = f"INSERT INTO call ({', '.join(CALL_COLUMNS)})"
_UPDATE_SPANS: Final = _upsert(_COLUMNS)
_UPDATE_CALLS: Final = _upsert(CALL_COLUMNS)


@dataclass(slots=True)
class _Span:
    """A row of `span` in the making."""

    id: int
    trace: int
    sid: int
    psid: int | None
    kind: int
    name: int
    status: int
    flags: int
    start_us: int
    dur_us: int | None
    inp: int | None = None
    outp: int | None = None
    attrs: int | None = None


_row_of = attrgetter(*_COLUMNS)


def write_calls(conn: sqlite3.Connection, codec: Codec, writes: Sequence[CallWrite]) -> tuple[int, ...]:
    """Write calls with everything that was placed with them; return the row ids of the traces touched, ascending.

    The transaction is the caller's; after a rollback the caller tells the codec to `forget`.
    """
    batch = _Batch(conn, codec, max((write.record.start_ns for write in writes), default=0))
    batch.expect({write.placement.trace_id for write in writes})
    for write in writes:
        batch.add_call(write)
    return batch.flush()


def write_spans(conn: sqlite3.Connection, codec: Codec, writes: Sequence[SpanWrite]) -> tuple[int, ...]:
    """Write spans that are no calls; return the row ids of the traces touched, ascending. As `write_calls` else."""
    batch = _Batch(conn, codec, max((write.start_ns for write in writes), default=0))
    batch.expect({write.trace_id for write in writes})
    for write in writes:
        batch.add_span(write, 0)
    return batch.flush()


class _Batch:
    """The rows of one batch."""

    def __init__(self, conn: sqlite3.Connection, codec: Codec, newest_ns: int) -> None:
        self._conn = conn
        self._codec = codec
        codec.begin(newest_ns)
        used = conn.execute("SELECT name, seq FROM sqlite_sequence WHERE name IN ('trace', 'span')").fetchall()
        self._last_id: dict[str, int] = {"trace": 0, "span": 0} | dict(used)
        self._traces: dict[bytes, Tally] = {}
        self._known_tids: set[bytes] = set()
        self._old_traces: set[int] = set()
        self._spans: dict[tuple[int, int], _Span | None] = {}
        self._changed: dict[int, _Span] = {}
        self._calls: dict[int, rows.Row] = {}
        self._old_spans: set[int] = set()
        self._requests: dict[int, int | None] = {}
        self._previews: dict[int, rows.Row] = {}
        self._chains: dict[int, rows.Row] = {}
        self._uses: list[rows.Row] = []
        self._fresh: dict[int, rows.Row] = {}
        self._responses: list[rows.Row] = []

    def expect(self, tids: set[bytes]) -> None:
        """Load the rows of traces at once."""
        found = tally.load(self._conn, tuple(tids))
        self._traces |= found
        self._known_tids |= tids
        self._old_traces |= {trace.id for trace in found.values()}

    def add_call(self, write: CallWrite) -> None:
        """Add a call, its inferred spans and what moves because of it."""
        placed = write.placement
        trace = self._trace(placed.trace_id)
        if placed.session is not None:
            trace.session = self._codec.strings.id_of(placed.session)
            trace.flags = 0 if _INFERRED_SESSION.fullmatch(placed.session) else TRACE_SESSION_STATED
        if placed.trace_name:
            trace.name = self._codec.strings.id_of(placed.trace_name)
        self._put_call(trace, write)
        for span in placed.spans:
            self.add_span(span, SPAN_INFERRED)
        for sid, parent_sid in placed.moves:
            moved = self._span(trace, sid)
            if moved is not None and moved.psid != parent_sid:
                moved.psid = parent_sid
                self._changed[moved.id] = moved
                trace.must_recount = True

    def add_span(self, write: SpanWrite, flags: int) -> None:
        """Add or change a span that is no call. Bodies that `write` leaves out stay as they were."""
        trace = self._trace(write.trace_id)
        start_us = write.start_ns // 1000
        dur_us = None if write.end_ns is None else max(0, write.end_ns // 1000 - start_us)
        span = self._span(trace, write.span_id)
        if span is None:
            span = self._new_span(trace, write.span_id)
        span.kind, span.flags = write.kind, flags
        self._set(trace, span, write.parent_span_id, write.name, write.status, start_us, dur_us)
        span.inp = self._body(span.inp, write.input)
        span.outp = self._body(span.outp, write.output)
        if write.attributes is not None:
            span.attrs = self._body(span.attrs, msgspec.json.encode(write.attributes))
        if write.end_ns is not None:
            self._fresh[span.id] = (span.id,)

    def flush(self) -> tuple[int, ...]:
        """Write all rows: bodies first, then spans and calls, then what counts them."""
        conn = self._conn
        self._codec.flush()
        rows.insert(conn, _SAVE_SPANS, [_row_of(span) for span in self._changed.values()], _UPDATE_SPANS)
        rows.insert(conn, _SAVE_CALLS, list(self._calls.values()), _UPDATE_CALLS)
        rows.insert(conn, "INSERT OR REPLACE INTO preview (id, inp, outp)", list(self._previews.values()))
        rows.insert(conn, "INSERT OR IGNORE INTO item_use (item, span)", self._uses)
        rows.insert(conn, "INSERT OR IGNORE INTO fresh (span)", list(self._fresh.values()))
        chains.save(conn, list(self._chains.values()))
        responses.save(conn, self._responses)
        tallies = list(self._traces.values())
        tally.save(conn, tallies)
        for call_id in self._old_spans:
            conn.execute("DELETE FROM colseg WHERE seg >= 0 AND lo <= ? AND hi >= ?", (call_id, call_id))
        for trace_id in self._old_traces:
            conn.execute("DELETE FROM skel WHERE trace = ?", (trace_id,))
        return tuple(sorted(trace.id for trace in tallies))

    def _put_call(self, trace: Tally, write: CallWrite) -> None:
        record, digest = write.record, write.digest
        start_us = record.start_ns // 1000
        dur_us = None if record.end_ns is None else max(0, record.end_ns // 1000 - start_us)
        span = self._span(trace, record.span_id)
        if span is None:
            span = self._new_span(trace, record.span_id)
            trace.call_came(span.id, start_us)
        elif span.dur_us is not None:
            return
        elif span.status == Status.INTERRUPTED:
            trace.must_recount = True
        span.kind = digest.kind
        self._set(trace, span, write.placement.parent_span_id, digest.name, digest.status, start_us, dur_us)
        made = call_row(self._codec, write, span.id, trace.id, self._request(write, span))
        self._calls[span.id] = made.row
        self._previews[span.id] = (span.id, digest.input_preview, digest.output_preview)
        if record.end_ns is not None:
            trace.call_ended(span.id, made.used, self._conn)
            span.attrs = self._codec.put(encode_attributes(write))
            self._fresh[span.id] = (span.id,)
            if record.stored is not None:
                self._responses.append(responses.row_of(record.stored, span.id))
            if write.placement.chain_hash:
                self._chains |= chains.remember(self._codec, write, span.id)

    def _request(self, write: CallWrite, span: _Span) -> int | None:
        """The body id of a call's request: kept once, by whichever of its records comes first."""
        if span.id in self._requests:
            return self._requests[span.id]
        request_id: int | None = None
        if span.id in self._old_spans:
            row = self._conn.execute("SELECT req FROM call WHERE id = ?", (span.id,)).fetchone()
            request_id = row and row[0]
        if request_id is None:
            kept = put_request(self._codec, write)
            if kept is not None:
                request_id = kept.body_id
                self._uses += [(item_id, span.id) for item_id in entering(write, kept)]
        self._requests[span.id] = request_id
        return request_id

    def _body(self, before_id: int | None, body: bytes | None) -> int | None:
        """The body id of a span's payload, kept unless it is there already."""
        if body is None:
            return before_id
        return self._codec.put_text(body) if before_id is None else self._codec.replace(before_id, body)

    def _set(
        self, trace: Tally, span: _Span, psid: int | None, name: str, status: int, start_us: int, dur_us: int | None
    ) -> None:
        if span.status == _NOT_COUNTED:
            trace.span_came(span.id, psid, status, start_us, dur_us)
        else:
            ended_us = -1 if span.dur_us is None else span.start_us + span.dur_us
            ends_us = -1 if dur_us is None else start_us + dur_us
            trace.must_recount |= span.psid != psid or span.start_us != start_us or ended_us > ends_us
            trace.span_changed(span.id, span.status, status, start_us, dur_us)
        span.psid, span.status, span.start_us, span.dur_us = psid, status, start_us, dur_us
        span.name = self._codec.strings.id_of(name)
        self._changed[span.id] = span

    def _trace(self, tid: bytes) -> Tally:
        if tid not in self._known_tids:
            self.expect({tid})
        trace = self._traces.get(tid)
        if trace is None:
            self._last_id["trace"] += 1
            trace = self._traces[tid] = Tally(self._last_id["trace"], tid)
        return trace

    def _span(self, trace: Tally, sid: int) -> _Span | None:
        key = (trace.id, sid)
        if key in self._spans:
            return self._spans[key]
        row = None
        if trace.id in self._old_traces:
            row = self._conn.execute(_FIND_SPAN, key).fetchone()
        span = None if row is None else _Span(*row)
        if span is not None:
            self._old_spans.add(span.id)
        self._spans[key] = span
        return span

    def _new_span(self, trace: Tally, sid: int) -> _Span:
        self._last_id["span"] += 1
        span = _Span(self._last_id["span"], trace.id, sid, None, Kind.SPAN, 0, _NOT_COUNTED, 0, 0, None)
        self._spans[(trace.id, sid)] = span
        return span
