"""The tree of one trace as columns in drawing order."""

import sqlite3
from itertools import chain
from typing import Final

import numpy as np

from app.models.span import Status
from app.models.trace import TraceRow, TraceTree
from app.store.preorder import Ints, preorder
from app.store.schema import SPAN_INFERRED

Spans = dict[str, Ints]
"""Spans of a trace, a column each, in the order of their ids; a tree's columns with `depth` and `size`."""

_SPANS: Final = """
SELECT s.id, s.sid, ifnull(s.psid, 0), s.kind, s.status, s.flags, s.name, s.start_us, ifnull(s.dur_us, -1),
       ifnull(c.ttft_us, -1), ifnull(c.tok_in, -1), ifnull(c.tok_out, -1), ifnull(c.cost_nano, -1)
FROM (SELECT id FROM span WHERE trace = ? ORDER BY id) own CROSS JOIN span s ON s.id = own.id
LEFT JOIN call c ON c.id = s.id ORDER BY s.id
"""
"""The ids come from the index alone, so that the rows are read in the order they lie in."""
_COLUMNS: Final = ("id", "sid", "psid", "kind", "status", "flags", "name", "start", "dur", "ttft", "in", "out", "cost")
_PACKED: Final = {
    "id": "<i8",
    "depth": "<i4",
    "size": "<i4",
    "kind": "u1",
    "status": "u1",
    "flags": "<i4",
    "name": "<i4",
    "start": "<i8",
    "dur": "<i8",
    "ttft": "<i8",
    "in": "<i8",
    "out": "<i8",
    "cost": "<i8",
}
_ORPHAN: Final = 1 << 16
"""In `flags` of a drawn tree, beside those of span.flags."""


def tree(row: TraceRow, drawn: Spans, names: dict[int, str]) -> TraceTree:
    """Return the tree whose columns are `drawn`; `names` holds the text of every name id in it."""
    name_ids, name = np.unique(drawn["name"], return_inverse=True)
    duration_us = np.where(drawn["status"] == Status.RUNNING, -1, drawn["dur"])
    return TraceTree(
        row=row,
        names=[names.get(name_id, "") for name_id in name_ids.tolist()],
        id=drawn["id"],
        depth=drawn["depth"].astype(np.int32),
        size=drawn["size"].astype(np.int32),
        kind=drawn["kind"].astype(np.uint8),
        status=drawn["status"].astype(np.uint8),
        name=name.astype(np.int32),
        start_ns=drawn["start"] * 1000 - row.start_ns,
        duration_ns=_nanos(duration_us),
        ttft_ns=_nanos(drawn["ttft"]),
        input_tokens=drawn["in"],
        output_tokens=drawn["out"],
        cost_nusd=drawn["cost"],
        is_inferred=(drawn["flags"] & SPAN_INFERRED) != 0,
        is_orphan=(drawn["flags"] & _ORPHAN) != 0,
    )


def read_spans(conn: sqlite3.Connection, trace: int) -> Spans:
    """Return the spans of a trace as the rows have them."""
    rows = conn.execute(_SPANS, (trace,)).fetchall()
    numbers = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows) * len(_COLUMNS))
    table = numbers.reshape(-1, len(_COLUMNS))
    return {name: np.ascontiguousarray(table[:, at]) for at, name in enumerate(_COLUMNS)}


def draw(spans: Spans) -> Spans:
    """Return the spans in drawing order, with `depth` and `size`, orphans marked in `flags`."""
    found = preorder(spans["sid"], spans["psid"], spans["start"])
    drawn = {name: column[found.order] for name, column in spans.items() if name not in ("sid", "psid")}
    drawn["flags"] = np.where(found.is_orphan, drawn["flags"] | _ORPHAN, drawn["flags"])
    drawn["depth"], drawn["size"] = found.depth.astype(np.int64), found.size.astype(np.int64)
    return drawn


def pack(drawn: Spans) -> bytes:
    """Return drawn columns as bytes; `skeleton.VERSION` names the form."""
    return b"".join(drawn[name].astype(dtype).tobytes() for name, dtype in _PACKED.items())


def unpack(packed: bytes, n_spans: int) -> Spans:
    """Return what `pack` was given, for so many spans."""
    drawn: Spans = {}
    at = 0
    for name, dtype in _PACKED.items():
        column = np.frombuffer(packed, dtype=dtype, count=n_spans, offset=at)
        at += column.nbytes
        drawn[name] = column.astype(np.int64)
    return drawn


def read_names(conn: sqlite3.Connection, drawn: Spans) -> dict[int, str]:
    """Return the text of each name id of a tree."""
    ids = np.unique(drawn["name"]).tolist()
    text = "[" + ",".join(map(str, ids)) + "]"
    found = conn.execute("SELECT id, s FROM str WHERE id IN (SELECT value FROM json_each(?))", (text,))
    return dict(found.fetchall())


def _nanos(micros: Ints) -> Ints:
    return np.where(micros < 0, -1, micros * 1000)
