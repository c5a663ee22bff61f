"""Sealed columns."""

from filled_store import FilledStore, call_write, running

from app.models.ids import new_trace_id
from app.models.query import parse
from app.store import segments
from app.store.columns import Columns
from app.store.lists import Lists
from app.store.segments import SealJob


def seal_all(store: FilledStore, rows: int = 4) -> None:
    job = SealJob(rows)
    for _ in range(200):
        if not job(store.conn):
            return
    raise AssertionError("the job never ends")


def loaded(store: FilledStore) -> Columns:
    columns = Columns()
    columns.refresh(store.conn)
    return columns


def as_rows(columns: Columns) -> tuple[dict[str, list[int]], dict[str, list[int]], list[int]]:
    tables = (columns.calls, columns.traces)
    calls, traces = ({name: table[name].tolist() for name in table.table.columns} for table in tables)
    return calls, traces, columns.trace_of.tolist()


def expected(store: FilledStore) -> tuple[dict[str, list[int]], dict[str, list[int]], list[int]]:
    """What a reader without any segment holds."""
    kept = store.conn.execute("SELECT seg, lo, hi, n, ver, cols FROM colseg").fetchall()
    store.conn.execute("DELETE FROM colseg")
    rows = as_rows(loaded(store))
    store.conn.executemany("INSERT INTO colseg VALUES (?, ?, ?, ?, ?, ?)", kept)
    return rows


def test_whole_segments_are_sealed_and_the_rest_stays(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(10)))
    seal_all(store)
    calls, traces, seen = segments.sealed(store.conn)
    assert [(one.lo, one.hi, one.n) for one in calls] == [(1, 4, 4), (5, 8, 4)]
    assert [(one.lo, one.hi, one.n) for one in traces] == [(1, 4, 4), (5, 8, 4)]
    assert seen == 10


def test_a_reader_that_loads_segments_holds_what_the_rows_say(store: FilledStore) -> None:
    store.add(*(call_write(session=f"s{n}", cost_nusd=n or None) for n in range(11)))
    seal_all(store)
    assert as_rows(loaded(store)) == expected(store)


def test_a_trace_that_grows_after_it_was_sealed_is_read_again(store: FilledStore) -> None:
    tids = [new_trace_id() for _ in range(9)]
    store.add(*(call_write(trace_id=tid) for tid in tids))
    seal_all(store)
    store.add(call_write(trace_id=tids[1], cost_nusd=77), *(call_write() for _ in range(3)))
    assert as_rows(loaded(store)) == expected(store)
    seal_all(store)
    store.add(call_write(trace_id=tids[6], cost_nusd=78))
    assert as_rows(loaded(store)) == expected(store)
    assert segments.sealed(store.conn)[2] == 13


def test_nothing_is_sealed_from_a_running_call_on(store: FilledStore) -> None:
    runs = running(call_write())
    store.add(*(call_write() for _ in range(5)), runs, *(call_write() for _ in range(5)))
    seal_all(store)
    assert [one.hi for one in segments.sealed(store.conn)[0]] == [4]
    store.add(call_write(runs.record, trace_id=runs.placement.trace_id))
    assert as_rows(loaded(store)) == expected(store)


def test_a_trace_that_was_sealed_while_it_ran_is_read_again_when_it_ended(store: FilledStore) -> None:
    write = call_write()
    store.add(running(write), *(call_write() for _ in range(4)))
    seal_all(store)
    assert segments.sealed(store.conn)[1]
    store.add(write)
    rows = as_rows(loaded(store))
    assert rows == expected(store)
    assert rows[1]["status"][0] == 1


def test_a_missing_segment_is_read_from_the_rows(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(12)))
    seal_all(store)
    store.conn.execute("DELETE FROM colseg WHERE lo <= 5 AND hi >= 5")
    assert as_rows(loaded(store)) == expected(store)


def test_without_its_state_a_trace_segment_says_nothing(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(5)))
    seal_all(store)
    store.conn.execute("DELETE FROM colseg WHERE seg = ?", (segments.STATE,))
    assert segments.sealed(store.conn)[1] == []
    store.add(*(call_write() for _ in range(5)))
    seal_all(store)
    assert [one.lo for one in segments.sealed(store.conn)[1]] == [1, 5]
    assert as_rows(loaded(store)) == expected(store)


def test_a_segment_of_another_version_is_ignored(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(5)))
    seal_all(store)
    store.conn.execute("UPDATE colseg SET ver = 99, cols = x''")
    assert as_rows(loaded(store)) == expected(store)


def test_traces_deleted_under_a_segment_are_gone_from_the_lists(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(9)))
    seal_all(store)
    store.forget([2, 7])
    assert Lists().count(store.conn, parse("", 0), {}) == (7, 7)
    assert as_rows(loaded(store)) == expected(store)
