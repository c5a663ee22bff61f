"""Questions that touch every trace."""

from array import array

from factories import START_NS
from filled_store import SECOND_NS, FilledStore, call_write

from app.models.query import Query, parse
from app.store.lists import Lists
from app.store.traces import Cursor


def _paged(store: FilledStore, query: Query, size: int) -> list[int]:
    lists, found = Lists(), list[int]()
    before: Cursor | None = None
    while True:
        ids = lists.page_ids(store.conn, query, {}, before, size)
        if not ids:
            return found
        found += ids
        row = store.reader.trace_rows(ids[-1:])[0]
        before = (row.start_ns, row.id)


def test_pages_follow_each_other_without_gap_or_overlap(store: FilledStore) -> None:
    starts = [3, 1, 2, 2, 2, 5, 1, 4]
    store.add(*(call_write(start_ns=START_NS + start * SECOND_NS) for start in starts))
    newest_first = sorted(range(1, 9), key=lambda trace: (starts[trace - 1], trace), reverse=True)
    for size in (1, 3, 8):
        assert _paged(store, parse("model:gpt*", 0), size) == newest_first
    assert array("q", store.reader.trace_ids(parse("", 0))).tolist() == newest_first
    cursor: Cursor | None = None
    by_rows: list[int] = []
    while rows := store.reader.traces(parse("", 0), cursor, 3):
        by_rows += [row.id for row in rows]
        cursor = (rows[-1].start_ns, rows[-1].id)
    assert by_rows == newest_first


def test_names_are_those_of_the_calls(store: FilledStore) -> None:
    store.add(call_write(model="b", provider="y"), call_write(model="a", provider=None), call_write(model="b"))
    assert store.reader.models() == ["a", "b"]
    assert store.reader.providers() == ["openai", "y"]


def test_count_is_of_traces_and_their_calls(store: FilledStore) -> None:
    tid = bytes(range(1, 17))
    store.add(call_write(trace_id=tid, model="a"), call_write(trace_id=tid, model="b"), call_write(model="b"))
    assert store.reader.count(parse("model:a", 0)) == (1, 2)
    assert store.reader.count(parse("", 0)) == (2, 3)
