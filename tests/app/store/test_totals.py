"""The numbers of the status line."""

from datetime import datetime, timedelta

from filled_store import SECOND_NS, FilledStore, call_write, running

from app.store.totals import Counter

NOON = datetime(2026, 6, 15, 12, 0).astimezone()
NOON_NS = int(NOON.timestamp()) * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


def _at(ago_s: float, **fields: object) -> object:
    start_ns = NOON_NS - int(ago_s * SECOND_NS)
    return call_write(start_ns=start_ns, end_ns=start_ns + SECOND_NS // 10, **fields)


def _totals(store: FilledStore, counter: Counter, now_ns: int = NOON_NS) -> tuple[int, int, int, int | None, int]:
    found = counter.totals(store.conn, now_ns)
    return found.n_traces, found.n_calls, found.calls_last_minute, found.cost_today_nusd, found.unpriced_today


def test_an_empty_store_has_nothing_and_an_unknown_cost(store: FilledStore) -> None:
    assert _totals(store, Counter(())) == (0, 0, 0, None, 0)


def test_today_begins_at_local_midnight(store: FilledStore) -> None:
    since_midnight_s = (NOON - NOON.replace(hour=0)).total_seconds()
    store.add(_at(5, cost_nusd=1), _at(since_midnight_s - 1, cost_nusd=2), _at(since_midnight_s + 1, cost_nusd=4))
    assert _totals(store, Counter(())) == (3, 3, 1, 3, 0)


def test_what_is_priced_later_is_counted_once(store: FilledStore) -> None:
    counter = Counter(())
    late = _at(30, cost_nusd=8)
    store.add(_at(40, cost_nusd=1), running(late), _at(20, cost_nusd=2))
    assert _totals(store, counter) == (3, 3, 3, 3, 0)
    assert _totals(store, counter) == (3, 3, 3, 3, 0)
    store.add(late, _at(10, cost_nusd=None))
    assert _totals(store, counter) == (4, 4, 4, 11, 1)
    assert _totals(store, counter) == _totals(store, Counter(()))


def test_a_new_day_begins_anew_and_so_does_a_store_that_lost_its_oldest(store: FilledStore) -> None:
    counter = Counter(())
    store.add(_at(40, cost_nusd=1), _at(20, cost_nusd=2))
    assert _totals(store, counter)[3] == 3
    assert _totals(store, counter, NOON_NS + DAY_NS) == (2, 2, 0, None, 0)
    store.forget([1])
    assert _totals(store, counter)[:2] == (1, 1)


def test_the_size_is_that_of_the_files_there_are(store: FilledStore) -> None:
    database = store.folder / "traces.db"
    counter = Counter((database, store.folder / "missing"))
    assert counter.totals(store.conn, NOON_NS).size_bytes == database.stat().st_size


def test_a_clock_that_went_back_counts_anew(store: FilledStore) -> None:
    counter = Counter(())
    store.add(_at(1))
    earlier_ns = NOON_NS - int(timedelta(hours=2).total_seconds()) * SECOND_NS
    assert _totals(store, counter)[1] == _totals(store, counter, earlier_ns)[1] == 1
