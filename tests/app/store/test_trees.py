"""The tree of one trace."""

import numpy as np
import pytest
from factories import START_NS
from filled_store import SECOND_NS, FilledStore, call_write, running, span_write

from app.errors import StoreError
from app.models.ids import new_trace_id
from app.models.span import Kind, Status
from app.store import skeleton, trees


def test_a_turn_hangs_its_calls_and_tools_under_its_root(store: FilledStore) -> None:
    tid = new_trace_id()
    tool = span_write(tid, 12, 10, start_ns=START_NS + 2 * SECOND_NS)
    root = span_write(tid, 10, None, kind=Kind.AGENT, name="turn", end_ns=START_NS + 9 * SECOND_NS)
    first = call_write(span_id=11, trace_id=tid, parent_span_id=10, start_ns=START_NS, spans=(root, tool))
    second = call_write(
        span_id=13, trace_id=tid, parent_span_id=10, start_ns=START_NS + 4 * SECOND_NS, cost_nusd=None, tokens=(7, None)
    )
    (trace,) = store.add(first, second)
    tree = store.reader.tree(trace)
    names = [tree.names[at] for at in tree.name]
    assert names == ["turn", "chat gpt-4o-mini", "run_sql", "chat gpt-4o-mini"]
    assert tree.depth.tolist() == [0, 1, 1, 1]
    assert tree.size.tolist() == [4, 1, 1, 1]
    assert tree.kind.tolist() == [Kind.AGENT, Kind.LLM, Kind.TOOL, Kind.LLM]
    assert tree.start_ns.tolist() == [0, 0, 2 * SECOND_NS, 4 * SECOND_NS]
    assert tree.duration_ns.tolist() == [9 * SECOND_NS, SECOND_NS // 2, SECOND_NS, SECOND_NS // 2]
    assert tree.input_tokens.tolist() == [-1, 10, -1, 7]
    assert tree.output_tokens.tolist() == [-1, 3, -1, -1]
    assert tree.cost_nusd.tolist() == [-1, 1000, -1, -1]
    assert tree.is_inferred.tolist() == [True, False, True, False]
    assert not tree.is_orphan.any()
    assert tree.row == store.reader.trace_rows([trace])[0]
    assert store.reader.span(int(tree.id[2])).name == "run_sql"


def test_a_span_whose_parent_never_came_is_drawn_as_an_orphan(store: FilledStore) -> None:
    (trace,) = store.add(call_write(parent_span_id=77))
    tree = store.reader.tree(trace)
    assert tree.is_orphan.tolist() == [True]
    assert tree.depth.tolist() == [0]


def test_a_running_call_has_no_duration(store: FilledStore) -> None:
    (trace,) = store.add(running(call_write()))
    tree = store.reader.tree(trace)
    assert tree.duration_ns.tolist() == [-1]
    assert tree.status.tolist() == [Status.RUNNING]
    assert tree.row.duration_ns is None


def test_a_packed_tree_is_the_tree(store: FilledStore) -> None:
    tid = new_trace_id()
    (trace,) = store.add_spans(*(span_write(tid, sid, sid // 3, start_ns=START_NS + sid) for sid in range(1, 400)))
    before = store.reader.tree(trace)
    skeleton.seal(store.conn, trace)
    packed = skeleton.packed(store.conn, trace, before.row.n_spans)
    assert packed is not None
    drawn = trees.unpack(packed, before.row.n_spans)
    after = trees.tree(before.row, drawn, trees.read_names(store.conn, drawn))
    for name in ("id", "depth", "size", "kind", "status", "name", "start_ns", "duration_ns", "cost_nusd", "is_orphan"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    assert after.names == before.names


def test_a_trace_that_is_gone_says_so(store: FilledStore) -> None:
    with pytest.raises(StoreError, match="not in the store"):
        store.reader.tree(5)
