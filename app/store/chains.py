"""How a conversation's next call finds the one before it, when memory no longer has it."""

import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec

from app.models.call import CallWrite, ChainEntry
from app.store import rows
from app.store.compression import Unpacker
from app.store.payloads import Codec

Unpack = Callable[[int, bytes, int], bytes]
_Facts = tuple[int, tuple[tuple[str, str, str], ...]]
_DECODER: Final = msgspec.msgpack.Decoder(_Facts)
_ENCODER: Final = msgspec.msgpack.Encoder()
_FIND: Final = """
    SELECT s.sid, t.tid, c.thread, r.sid, z.s, c.ts_us, c.dur_us, n.s, h.enc, h.len, h.facts,
        r.start_us
    FROM chain h JOIN call c ON c.id = h.call JOIN span s ON s.id = c.id JOIN trace t ON t.id = c.trace
    LEFT JOIN span r ON r.id = t.root LEFT JOIN str z ON z.id = c.session LEFT JOIN str n ON n.id = t.name
    WHERE h.hash = ?
"""


def remember(codec: Codec, write: CallWrite, call_id: int) -> dict[int, rows.Row]:
    """Return, by hash, the rows of `chain` by which the next call finds this one."""
    answer = write.digest.answer
    asked = tuple((call.id or "", call.name, call.arguments) for call in answer.tool_calls()) if answer else ()
    facts = _ENCODER.encode((write.placement.n_messages, asked))
    packed_with, data = codec.pack(facts)
    hashes = (write.placement.chain_hash, *write.placement.also_hashes)
    return {known_by: (known_by, call_id, packed_with, len(facts), data) for known_by in hashes}


def save(conn: sqlite3.Connection, chain_rows: list[rows.Row]) -> None:
    """Write such rows. Of two calls that left the same conversation behind, the newer is kept."""
    rows.insert(conn, "INSERT OR REPLACE INTO chain (hash, call, enc, len, facts)", chain_rows)


def recall(conn: sqlite3.Connection, chain_hash: int, unpack: Unpack | None = None) -> ChainEntry | None:
    """Return the newest call that left the conversation `chain_hash` behind, None where there is none.

    `unpack` is that of an `Unpacker` of this connection, for those who ask often.
    """
    row = conn.execute(_FIND, (chain_hash,)).fetchone()
    if row is None:
        return None
    sid, tid, thread, root_sid, session, ts_us, dur_us, trace_name, packed_with, size_bytes, data, root_us = row
    facts = (unpack or Unpacker(conn).unpack)(packed_with, data, size_bytes)
    n_messages, tool_calls = _DECODER.decode(facts)
    return ChainEntry(
        span_id=sid,
        trace_id=tid,
        thread_span_id=sid if thread is None else thread,
        root_span_id=sid if root_sid is None else root_sid,
        session=session,
        start_ns=ts_us * 1000,
        end_ns=(ts_us + (dur_us or 0)) * 1000,
        n_messages=n_messages,
        tool_calls=tool_calls,
        trace_name=trace_name or "",
        root_start_ns=None if root_us is None else root_us * 1000,
    )
