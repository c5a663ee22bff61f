import random
import sqlite3
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from factories import START_NS, chat_request
from filled_store import SECOND_NS, FilledStore, call_write, running, span_write

from app.models.call import CallWrite, Edit
from app.models.ids import new_span_id, new_trace_id
from app.models.span import Kind, Status
from app.models.usage import Usage
from app.store import tally
from app.store.bodies import Bodies

LONG = "word " * 150


def trace_row(store: FilledStore, trace_id: bytes) -> dict[str, Any]:
    cursor = store.conn.execute("SELECT * FROM trace WHERE tid = ?", (trace_id,))
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))


def count(conn: sqlite3.Connection, table: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def long_chat(n_messages: int) -> bytes:
    return chat_request(*[("user", f"{number} {LONG}") for number in range(n_messages)])


def test_a_running_call_becomes_an_ended_one_and_counts_once(store: FilledStore) -> None:
    write = call_write(request=long_chat(9), n_messages=9)
    store.add(running(write))
    row = trace_row(store, write.placement.trace_id)
    assert (row["status"], row["n_running"], row["n_calls"], row["tok_in"]) == (Status.RUNNING, 1, 1, None)
    bodies = count(store.conn, "body")
    store.add(write)
    row = trace_row(store, write.placement.trace_id)
    assert (row["status"], row["n_running"], row["n_calls"], row["tok_in"]) == (Status.OK, 0, 1, 10)
    assert count(store.conn, "body") == bodies + 2  # answer and attributes: the request was there
    assert count(store.conn, "item_use") == 9


def test_both_in_one_batch_is_the_same_as_one_after_the_other(store: FilledStore) -> None:
    write = call_write()
    store.add(running(write), write, write)
    row = trace_row(store, write.placement.trace_id)
    assert (row["n_spans"], row["n_running"], row["cost_nano"]) == (1, 0, 1_000)


def test_a_record_written_twice_counts_once(store: FilledStore) -> None:
    write = call_write(request=long_chat(9))
    store.add(write)
    tables = ("span", "call", "body", "item", "item_use", "preview", "str")
    before = trace_row(store, write.placement.trace_id), [count(store.conn, table) for table in tables]
    store.add(write)
    assert (trace_row(store, write.placement.trace_id), [count(store.conn, table) for table in tables]) == before


def test_unknown_is_null_and_a_known_zero_is_zero(store: FilledStore) -> None:
    trace_id = new_trace_id()
    store.add(call_write(trace_id=trace_id, usage=None, cost_nusd=None))
    row = trace_row(store, trace_id)
    assert (row["tok_in"], row["cost_nano"], row["n_unpriced"]) == (None, None, 1)
    store.add(call_write(trace_id=trace_id, usage=Usage(input_tokens=0, output_tokens=0), cost_nusd=0))
    row = trace_row(store, trace_id)
    assert (row["tok_in"], row["cost_nano"], row["n_unpriced"]) == (0, 0, 1)


def test_the_bodies_of_a_call_come_back(store: FilledStore) -> None:
    request = long_chat(5)
    at = request.index(b'"gpt-4o-mini"')
    write = call_write(
        request=request, upstream_edit=Edit(at, at + 13, b'"other"'), upstream_response=b"\x00 raw", response=b"answer"
    )
    store.add(write)
    ids = store.conn.execute("SELECT req, resp, up_req, up_resp FROM call").fetchone()
    bodies = Bodies(store.conn)
    edited = request[:at] + b'"other"' + request[at + 13 :]
    assert [bodies.get(body_id) for body_id in ids] == [request, b"answer", edited, b"\x00 raw"]


def test_a_call_without_bodies_has_none(store: FilledStore) -> None:
    store.add(call_write(request=b"", response=b"", method="GET"))
    assert store.conn.execute("SELECT req, resp, up_req, up_resp FROM call").fetchone() == (None, None, None, None)


def test_messages_lead_to_the_call_they_entered_with(store: FilledStore) -> None:
    first = call_write(request=long_chat(6), n_messages=6)
    thread = {"trace_id": first.placement.trace_id, "thread_span_id": first.record.span_id}
    second = call_write(request=long_chat(8), n_messages=8, entered_from=7, **thread)
    store.add(first)
    store.add(second)
    uses = store.conn.execute("SELECT span, count(*) FROM item_use GROUP BY span").fetchall()
    assert uses == [(store.span_of(first), 6), (store.span_of(second), 1)]
    assert store.conn.execute("SELECT thread FROM call ORDER BY id").fetchall() == [(None,), (first.record.span_id,)]


def test_instructions_of_their_own_enter_with_the_first_call(store: FilledStore) -> None:
    body = msgspec.json.encode({"system": LONG, "messages": [{"role": "user", "content": LONG}] * 3})
    first = call_write(request=body, dialect="anthropic", n_messages=4)
    store.add(first)
    assert count(store.conn, "item_use") == 2  # the system text, and the message that came three times
    store.add(call_write(request=body, dialect="anthropic", n_messages=4, entered_from=3))
    assert count(store.conn, "item_use") == 3


def test_tool_spans_hang_where_they_are_put_and_keep_what_is_left_out(store: FilledStore) -> None:
    write = call_write()
    trace_id, tool = write.placement.trace_id, new_span_id()
    begun = span_write(trace_id, tool, write.record.span_id, status=Status.RUNNING, end_ns=None, input=b'{"q": 1}')
    store.add(replace(write, placement=replace(write.placement, spans=(begun,))))
    ended = span_write(trace_id, tool, write.record.span_id, output=b"42", attributes={"is_error": False})
    store.add(call_write(trace_id=trace_id, spans=(ended,)))
    inp, outp, attrs, flags, status = store.conn.execute(
        "SELECT inp, outp, attrs, flags, status FROM span WHERE sid = ?", (tool,)
    ).fetchone()
    bodies = Bodies(store.conn)
    assert (bodies.get(inp), bodies.get(outp), bodies.get(attrs)) == (b'{"q": 1}', b"42", b'{"is_error":false}')
    assert (flags, status) == (1, Status.OK)


def test_a_moved_call_changes_the_root(store: FilledStore) -> None:
    write = call_write()
    trace_id, agent = write.placement.trace_id, new_span_id()
    store.add(write)
    root = span_write(trace_id, agent, None, kind=Kind.AGENT, start_ns=write.record.start_ns, name="turn")
    later = call_write(trace_id=trace_id, parent_span_id=agent, spans=(root,), moves=((write.record.span_id, agent),))
    store.add(later)
    root_sid = store.conn.execute("SELECT s.sid FROM trace t JOIN span s ON s.id = t.root").fetchone()[0]
    assert root_sid == agent
    assert store.conn.execute("SELECT psid FROM span WHERE sid = ?", (write.record.span_id,)).fetchone() == (agent,)


def test_the_first_and_the_last_call_are_known_by_their_start(store: FilledStore) -> None:
    trace_id = new_trace_id()
    late, early = (call_write(trace_id=trace_id, start_ns=START_NS + second * SECOND_NS) for second in (9, 1))
    store.add(late)
    store.add(early)
    row = trace_row(store, trace_id)
    assert (row["first_call"], row["last_call"]) == (store.span_of(early), store.span_of(late))
    assert row["start_us"] == early.record.start_ns // 1000


@pytest.mark.parametrize(("session", "flags"), [("s-0123456789ab", 0), ("my-session", 1), (None, 0)])
def test_a_stated_session_is_told_from_an_inferred_one(store: FilledStore, session: str | None, flags: int) -> None:
    write = call_write(session=session)
    store.add(write)
    assert trace_row(store, write.placement.trace_id)["flags"] == flags


def test_a_late_change_drops_what_was_sealed(store: FilledStore) -> None:
    write = call_write()
    store.add(running(write))
    call_id, trace = store.conn.execute("SELECT id, trace FROM call").fetchone()
    store.conn.execute("INSERT INTO colseg VALUES (1, ?, ?, 1, 1, x'')", (call_id, call_id + 5))
    store.conn.execute("INSERT INTO colseg VALUES (2, ?, ?, 1, 1, x'')", (call_id + 6, call_id + 9))
    store.conn.execute("INSERT INTO skel VALUES (?, 1, 1, x'')", (trace,))
    store.add(write)
    assert store.conn.execute("SELECT seg FROM colseg").fetchall() == [(2,)]
    assert count(store.conn, "skel") == 0


def random_writes(chance: random.Random, trace_ids: list[bytes]) -> list[CallWrite]:
    writes = []
    for _ in range(30):
        trace_id = chance.choice(trace_ids)
        agent = int.from_bytes(trace_id[:7], "big")
        start_ns = START_NS + chance.randrange(50) * SECOND_NS
        status = chance.choice([Status.OK, Status.OK, Status.ERROR, Status.ABORTED])
        end_ns = start_ns + chance.randrange(9) * SECOND_NS
        root = span_write(trace_id, agent, None, kind=Kind.AGENT, status=status, start_ns=START_NS, end_ns=end_ns)
        write = call_write(
            trace_id=trace_id, start_ns=start_ns, end_ns=end_ns, status=200, model=chance.choice(["a", "b", "c"]),
            parent_span_id=chance.choice([None, agent]), cost_nusd=chance.choice([None, 0, 7]),
            spans=(root,) if chance.random() < 0.5 else (),
            moves=((writes[-1].record.span_id, agent),) if writes and chance.random() < 0.3 else (),
        )  # fmt: skip
        writes.append(replace(write, digest=replace(write.digest, status=status)))
    return writes


@pytest.mark.parametrize("seed", range(8))
def test_the_aggregate_is_what_counting_anew_gives(store: FilledStore, seed: int) -> None:
    chance = random.Random(seed)
    trace_ids = [bytes([seed, number]) * 8 for number in range(1, 4)]
    writes = random_writes(chance, trace_ids)
    steps = [step for write in writes for step in ((running(write), write) if chance.random() < 0.6 else (write,))]
    while steps:
        size = chance.randrange(1, 6)
        store.add(*steps[:size])
        steps = steps[size:]
    for trace_id in trace_ids:
        kept = trace_row(store, trace_id)
        tally.recount(store.conn, kept["id"])
        assert kept == trace_row(store, trace_id)
