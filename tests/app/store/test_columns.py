"""Columns in memory, kept up with the rows."""

import numpy as np
from filled_store import FilledStore, call_write, running, span_write

from app.models.ids import new_trace_id
from app.models.span import Kind, Status
from app.store.columns import Columns, Growing
from app.store.segments import TRACES


def test_columns_follow_what_is_written(store: FilledStore) -> None:
    columns = Columns()
    columns.refresh(store.conn)
    assert (columns.calls.n, columns.traces.n) == (0, 0)
    tid = new_trace_id()
    store.add(call_write(trace_id=tid), call_write())
    columns.refresh(store.conn)
    store.add(call_write(trace_id=tid, cost_nusd=5))
    columns.refresh(store.conn)
    assert columns.trace_of.tolist() == [0, 1, 0]
    assert columns.traces["calls"].tolist() == [2, 1]
    assert columns.traces["cost"].tolist() == [1005, 1000]


def test_a_running_call_is_read_again_until_it_ends(store: FilledStore) -> None:
    write = call_write(http_status=429, model="gpt-4o")
    columns = Columns()
    store.add(running(write))
    columns.refresh(store.conn)
    assert columns.traces["status"].tolist() == [Status.RUNNING]
    store.add(write)
    columns.refresh(store.conn)
    assert columns.traces["status"].tolist() == [Status.OK]
    assert columns.calls["status"].tolist() == [429]


def test_nothing_new_is_no_new_version(store: FilledStore) -> None:
    columns = Columns()
    store.add(call_write())
    columns.refresh(store.conn)
    version = columns.version
    columns.refresh(store.conn)
    assert columns.version == version
    store.add(call_write())
    columns.refresh(store.conn)
    assert columns.version != version


def test_deleted_rows_leave_at_the_next_look(store: FilledStore) -> None:
    columns = Columns()
    store.add(*(call_write() for _ in range(4)))
    columns.refresh(store.conn)
    store.forget([1, 3])
    columns.doubt()
    columns.refresh(store.conn)
    assert columns.traces["id"].tolist() == [2, 4]
    assert columns.trace_of.tolist() == [0, 1]
    store.add(call_write())
    columns.refresh(store.conn)
    assert columns.trace_of.tolist() == [0, 1, 2]


def test_kinds_follow_the_spans_of_a_trace(store: FilledStore) -> None:
    tid = new_trace_id()
    columns = Columns()
    store.add(call_write(), call_write(trace_id=tid))
    columns.refresh(store.conn)
    assert columns.read_kinds(store.conn).tolist() == [1 << Kind.LLM, 1 << Kind.LLM]
    store.add_spans(span_write(tid, 5, kind=Kind.TOOL), span_write(tid, 6, kind=Kind.TOOL))
    columns.refresh(store.conn)
    assert columns.read_kinds(store.conn).tolist() == [1 << Kind.LLM, 1 << Kind.LLM | 1 << Kind.TOOL]


def test_places_of_ids_that_are_not_there_are_minus_one() -> None:
    table = Growing(TRACES)
    assert table.places([3]).tolist() == [-1]
    table.append([np.array([2, 5])] + [np.zeros(2)] * (len(TRACES.columns) - 1))
    assert table.places([1, 2, 3, 5, 9]).tolist() == [-1, 0, -1, 1, -1]
