"""A store with whatever a test wants in it, written by the real writing functions."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from factories import START_NS, call_record

from app.models.call import CallRecord, CallWrite, Digest, Placement
from app.models.ids import new_trace_id
from app.models.message import Message, Text
from app.models.span import Kind, Link, LinkMethod, SpanWrite, Status
from app.models.usage import Usage
from app.store.connect import open_writer
from app.store.migrations import migrate
from app.store.payloads import Codec
from app.store.reader import Reader
from app.store.spans import write_calls, write_spans

SECOND_NS = 1_000_000_000


def call_write(record: CallRecord | None = None, **fields: Any) -> CallWrite:
    """A call ready to be stored; fields of its record, digest and placement can be given, and `tokens` as a pair."""
    tokens = fields.pop("tokens", (10, 3))
    digest, placement = _digest(tokens), _placement()
    given = {
        cls: {name: fields.pop(name) for name in list(fields) if name in cls.__dataclass_fields__ and name != "model"}
        for cls in (Digest, Placement)
    }
    kind_status = given[Digest]
    http_status = fields.pop("http_status", None)
    if http_status is not None:
        fields["status"] = http_status
    record = record or call_record(**fields)
    if "model" in fields:
        kind_status["model"] = fields["model"]
    placed = {"trace_id": new_trace_id(), "thread_span_id": record.span_id} | given[Placement]
    return CallWrite(record, replace(digest, **kind_status), replace(placement, **placed))


def running(write: CallWrite) -> CallWrite:
    """The same call while it still runs."""
    record = msgspec.structs.replace(write.record, end_ns=None, status=None, response=b"", first_byte_ns=None)
    digest = replace(write.digest, status=Status.RUNNING, usage=None, cost_nusd=None, output_preview="")
    return CallWrite(record, digest, write.placement)


def span_write(trace_id: bytes, span_id: int, parent: int | None = None, **fields: Any) -> SpanWrite:
    """A span that is no call; it lasts a second."""
    values: dict[str, Any] = {
        "kind": Kind.TOOL,
        "name": "run_sql",
        "status": Status.OK,
        "start_ns": START_NS,
        "end_ns": fields.get("start_ns", START_NS) + SECOND_NS,
    }
    return SpanWrite(trace_id, span_id, parent, **(values | fields))


class FilledStore:
    """A data folder's database, open for writing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        migrate(folder / "traces.db")
        self.conn = open_writer(folder / "traces.db")
        self.conn.execute("BEGIN IMMEDIATE")
        with self.conn:
            self.codec = Codec(self.conn)
        self.reader = Reader(folder)

    def add(self, *writes: CallWrite) -> tuple[int, ...]:
        """Write calls in one transaction; return the traces' row ids."""
        self.conn.execute("BEGIN IMMEDIATE")
        with self.conn:
            return write_calls(self.conn, self.codec, writes)

    def add_spans(self, *writes: SpanWrite) -> tuple[int, ...]:
        """Write spans in one transaction; return the traces' row ids."""
        self.conn.execute("BEGIN IMMEDIATE")
        with self.conn:
            return write_spans(self.conn, self.codec, writes)

    def add_key(self, key_id: int, name: str) -> None:
        """Write a virtual key."""
        sql = "INSERT INTO vkey (id, name, sha256, hint, created_us) VALUES (?, ?, ?, 'gs-…', 0)"
        self.conn.execute(sql, (key_id, name, key_id.to_bytes(32, "big")))

    def forget(self, traces: Sequence[int]) -> None:
        """Delete traces with their spans and calls, as retention does."""
        for trace in traces:
            for table, column in (("call", "trace"), ("span", "trace"), ("trace", "id")):
                self.conn.execute(f"DELETE FROM {table} WHERE {column} = ?", (trace,))  # noqa: S608

    def span_of(self, write: CallWrite) -> int:
        """Return the row id of a call."""
        row = self.conn.execute("SELECT id FROM span WHERE sid = ?", (write.record.span_id,)).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close everything."""
        self.reader.close()
        self.conn.close()


def _digest(tokens: tuple[int | None, int | None]) -> Digest:
    return Digest(
        kind=Kind.LLM,
        name="chat gpt-4o-mini",
        status=Status.OK,
        model="gpt-4o-mini",
        response_id=None,
        answer=Message("assistant", (Text("Hi!"),)),
        finish_reason="stop",
        usage=Usage(input_tokens=tokens[0], output_tokens=tokens[1]),
        cost_nusd=1_000,
        cost_parts={"input": 600, "output": 400},
        failure=None,
        input_preview="Hello",
        output_preview="Hi!",
    )


def _placement() -> Placement:
    return Placement(
        trace_id=b"",
        parent_span_id=None,
        session=None,
        thread_span_id=0,
        links=(Link(LinkMethod.ALONE, 1.0, "Nothing to join it to."),),
        entered_from=0,
        chain_hash=0,
        trace_name="chat gpt-4o-mini",
    )
