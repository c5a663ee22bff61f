"""Packed trees of big traces."""

from collections.abc import Callable

from factories import START_NS
from filled_store import SECOND_NS, FilledStore, call_write, running, span_write

from app.models.ids import new_trace_id
from app.store import skeleton
from app.store.skeleton import SEAL_FROM_SPANS, SkeletonJob


def _big(store: FilledStore, tid: bytes, n: int = SEAL_FROM_SPANS) -> int:
    (trace,) = store.add_spans(*(span_write(tid, sid, 1 if sid > 1 else None) for sid in range(1, n + 1)))
    return trace


def _later(seconds: float) -> Callable[[], int]:
    return lambda: START_NS + int(seconds * SECOND_NS)


def test_a_big_trace_is_sealed_once_it_is_idle(store: FilledStore) -> None:
    trace = _big(store, new_trace_id())
    _big(store, new_trace_id(), 10)
    assert not SkeletonJob(_later(5))(store.conn)
    assert skeleton.packed(store.conn, trace, SEAL_FROM_SPANS) is None
    assert not SkeletonJob(_later(60))(store.conn)
    assert skeleton.packed(store.conn, trace, SEAL_FROM_SPANS) is not None
    assert store.conn.execute("SELECT count(*) FROM skel").fetchone() == (1,)


def test_several_big_traces_are_sealed_one_a_run(store: FilledStore) -> None:
    for _ in range(3):
        _big(store, new_trace_id())
    job = SkeletonJob(_later(60))
    assert [job(store.conn) for _ in range(3)] == [True, True, False]


def test_a_trace_with_a_running_call_is_not_sealed(store: FilledStore) -> None:
    tid = new_trace_id()
    _big(store, tid)
    store.add(running(call_write(trace_id=tid, span_id=5000)))
    SkeletonJob(_later(60))(store.conn)
    assert store.conn.execute("SELECT count(*) FROM skel").fetchone() == (0,)


def test_a_sealed_trace_that_grows_is_read_from_its_rows(store: FilledStore) -> None:
    tid = new_trace_id()
    trace = _big(store, tid)
    SkeletonJob(_later(60))(store.conn)
    store.add_spans(span_write(tid, 9999, 1, name="late"))
    assert "late" in store.reader.tree(trace).names
    assert skeleton.packed(store.conn, trace, SEAL_FROM_SPANS) is None


def test_a_sealed_tree_is_what_the_reader_gives(store: FilledStore) -> None:
    trace = _big(store, new_trace_id())
    SkeletonJob(_later(60))(store.conn)
    store.conn.execute("DELETE FROM span")
    assert len(store.reader.tree(trace).id) == SEAL_FROM_SPANS
