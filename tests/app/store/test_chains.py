import random

from filled_store import FilledStore, call_write

from app.models.message import Message, Text, ToolCall
from app.store.chains import recall


def test_a_call_is_found_by_the_conversation_it_left_behind(store: FilledStore) -> None:
    calls = (ToolCall("c1", "run_sql", '{"q": "' + "select " * 90 + '"}'), ToolCall(None, "stop", ""))
    answer = Message("assistant", (Text("I look."), *calls))
    first = call_write(chain_hash=5, n_messages=2, trace_name="count users", session="s-0123456789ab")
    write = call_write(
        trace_id=first.placement.trace_id, thread_span_id=first.record.span_id, parent_span_id=first.record.span_id,
        chain_hash=-7, n_messages=4, answer=answer, trace_name="count users", session="s-0123456789ab",
    )  # fmt: skip
    store.add(first, write)
    entry = recall(store.conn, -7)
    assert entry is not None
    assert (entry.span_id, entry.trace_id) == (write.record.span_id, write.placement.trace_id)
    assert (entry.thread_span_id, entry.root_span_id) == (first.record.span_id, first.record.span_id)
    assert entry.tool_calls == (("c1", "run_sql", calls[0].arguments), ("", "stop", ""))
    assert (entry.n_messages, entry.trace_name, entry.session) == (4, "count users", "s-0123456789ab")
    assert entry.end_ns == write.record.end_ns


def test_the_newest_call_with_a_conversation_is_found(store: FilledStore) -> None:
    old, new = call_write(chain_hash=9), call_write(chain_hash=9)
    store.add(old)
    store.add(new)
    entry = recall(store.conn, 9)
    assert entry is not None
    assert entry.span_id == new.record.span_id
    assert recall(store.conn, random.getrandbits(60)) is None
