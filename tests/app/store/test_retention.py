from pathlib import Path

import pytest
from factories import START_NS, chat_request
from filled_store import FilledStore, call_write, running, span_write

from app.models.ids import new_span_id
from app.store.connect import open_reader
from app.store.payloads import NS_A_DAY, Codec
from app.store.retention import Limits, Retention, delete_items, give_back_pages

TABLES = ("trace", "span", "call", "body", "item", "preview", "chain", "item_use", "fresh")
LONG = "word " * 150


def counts(store: FilledStore) -> dict[str, int]:
    return {name: store.conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}  # noqa: S608


def add_day(store: FilledStore, day: int, n_calls: int = 3, **fields: object) -> None:
    """Calls that were made, and written, on a day after the start."""
    at_ns = START_NS + day * NS_A_DAY
    store.codec = Codec(store.conn, lambda: at_ns)
    for number in range(n_calls):
        request = chat_request(*[("user", f"{day} {number} {at} {LONG}") for at in range(5)])
        write = call_write(
            request=request, start_ns=at_ns, end_ns=at_ns + 1, chain_hash=day * 100 + number + 1, **fields
        )
        tool = span_write(write.placement.trace_id, new_span_id(), start_ns=at_ns, input=b"in", output=b"out")
        store.add(write)
        store.add_spans(tool)


def sweep(store: FilledStore, limits: Limits, day: int) -> None:
    job = Retention(store.folder, lambda: limits, lambda: START_NS + day * NS_A_DAY)
    for _ in range(1000):
        if not job(store.conn):
            return
    pytest.fail("it never ends")


def test_what_is_too_old_goes_with_all_that_hangs_on_it(store: FilledStore) -> None:
    add_day(store, 10)
    kept = counts(store)
    store.conn.execute("DELETE FROM trace")
    for name in TABLES:
        store.conn.execute(f"DELETE FROM {name}")  # noqa: S608
    add_day(store, 0)
    add_day(store, 10)
    sweep(store, Limits(max_age_days=5), day=11)
    assert counts(store) == kept


def test_items_of_a_kept_call_stay_however_old_they_are(store: FilledStore) -> None:
    add_day(store, 0)
    items = counts(store)["item"]
    at_ns = START_NS + 10 * NS_A_DAY
    store.codec = Codec(store.conn, lambda: at_ns)
    request = chat_request(*[("user", f"0 0 {at} {LONG}") for at in range(5)])
    write = call_write(request=request, start_ns=at_ns, end_ns=at_ns + 1)
    store.add(write)
    sweep(store, Limits(max_age_days=5), day=11)
    assert counts(store)["item"] == 6 < items
    assert store.reader.body(store.span_of(write), "request") == request
    assert store.conn.execute("SELECT count(*) FROM gone").fetchone()[0] == items - 6


def test_a_long_trace_is_kept_whole_while_its_end_is_young(store: FilledStore) -> None:
    trace_id = b"t" * 16
    for day in (0, 10):
        add_day(store, day, n_calls=1, trace_id=trace_id)
    sweep(store, Limits(max_age_days=5), day=11)
    assert counts(store)["call"] == 2


def test_a_running_call_is_not_forgotten(store: FilledStore) -> None:
    store.add(running(call_write(start_ns=START_NS)))
    sweep(store, Limits(max_age_days=1), day=11)
    assert counts(store)["call"] == 1


def test_too_much_goes_oldest_first_and_the_file_shrinks(store: FilledStore) -> None:
    for day in range(8):
        add_day(store, day, n_calls=40)
    size = store.conn.execute("PRAGMA page_count").fetchone()[0] * 8192
    limit_bytes = size * 0.6
    sweep(store, Limits(max_size_gb=limit_bytes / 1e9), day=9)
    left = store.conn.execute("SELECT min(start_us), max(start_us) FROM trace").fetchone()
    assert left[0] > START_NS // 1000
    assert left[1] == (START_NS + 7 * NS_A_DAY) // 1000
    store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (store.folder / "traces.db").stat().st_size < limit_bytes + 300 * 8192


def test_without_limits_nothing_goes(store: FilledStore) -> None:
    add_day(store, 0)
    before = counts(store)
    sweep(store, Limits(), day=10_000)
    assert counts(store) == before


def test_an_empty_store_has_nothing_to_do(store: FilledStore) -> None:
    assert not delete_items(store.conn)
    assert not give_back_pages(store.conn)
    sweep(store, Limits(max_age_days=1, max_size_gb=1e-9), day=1)


def test_a_trace_of_many_spans_goes_in_slices(store: FilledStore, tmp_path: Path) -> None:
    write = call_write(start_ns=START_NS)
    store.add(write)
    store.add_spans(*[span_write(write.placement.trace_id, new_span_id()) for _ in range(1200)])
    job = Retention(store.folder, lambda: Limits(max_age_days=1), lambda: START_NS + 9 * NS_A_DAY)
    seen = []
    while job(store.conn):
        with_reader = open_reader(store.folder / "traces.db")
        seen.append(with_reader.execute("SELECT count(*) FROM span").fetchone()[0])
        with_reader.close()
    assert seen[:3] == [701, 201, 0]
