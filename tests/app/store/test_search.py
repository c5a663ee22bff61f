"""Full text: the index, filled late, and what it finds."""

import sqlite3

import msgspec
import pytest
from factories import chat_reply, chat_request
from filled_store import FilledStore, call_write, span_write

from app.models.ids import new_trace_id
from app.models.query import parse
from app.store.bodies import Bodies
from app.store.documents import Documents, documents
from app.store.search import IndexJob


def index(store: FilledStore, job: IndexJob | None = None) -> None:
    """Let the index catch up."""
    own = job or IndexJob(store.folder)
    for _ in range(500):
        if not own(store.conn):
            break
    else:
        raise AssertionError("the job never ends")
    if job is None:
        own.close()


def found(store: FilledStore, text: str) -> list[int]:
    rows = store.reader.traces(parse(text, 0), None, 100)
    ids = [row.id for row in rows]
    assert store.reader.count(parse(text, 0))[0] == len(ids)
    return ids


@pytest.fixture
def words(store: FilledStore) -> FilledStore:
    """Traces 1 to 4 with different words in them."""
    long = "The invoice for order 88121 was never paid. " * 80
    store.add(
        call_write(request=chat_request(("system", "Be kind."), ("user", "Où est le café Crème brûlée?"))),
        call_write(response=chat_reply("A blue whale weighs 150 tonnes.")),
        call_write(request=chat_request(("user", long), ("user", "And run_sql please"))),
        call_write(trace_name="Nightly settlement", response=b"<html>bad gateway</html>", content_type="text/html"),
    )
    return store


@pytest.mark.parametrize("is_indexed", [False, True])
@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("whale", [2]),
        ("WHALE", [2]),
        ('"blue whale"', [2]),
        ('"whale blue"', []),
        ("whale blue", [2]),
        ("wha*", [2]),
        ("wha", []),
        ("cafe", [1]),
        ("brulee", [1]),
        ("invoice", [3]),
        ("88121", [3]),
        ("run_sql", [3]),
        ("settlement", [4]),
        ("gpt", [4, 3, 2, 1]),
        ("-whale", [4, 3, 1]),
        ("whale invoice", []),
        ("nothing", []),
        ('"o\\"clock"', []),
        ("whale model:gpt*", [2]),
        ("whale model:claude*", []),
    ],
)
def test_words_are_found_as_soon_as_a_call_ended_and_after(
    words: FilledStore, text: str, ids: list[int], is_indexed: bool
) -> None:
    if is_indexed:
        index(words)
        assert words.conn.execute("SELECT count(*) FROM fresh").fetchone() == (0,)
    assert found(words, text) == ids


def test_what_comes_after_the_index_is_found_with_what_is_in_it(words: FilledStore) -> None:
    index(words)
    words.add(call_write(response=chat_reply("Another whale.")))
    assert found(words, "whale") == [5, 2]
    index(words)
    assert found(words, "whale") == [5, 2]
    assert words.reader.totals().unindexed == 0


def test_a_message_is_found_in_every_thread_it_entered_and_indexed_once(store: FilledStore) -> None:
    shared = ("system", "You settle invoices with zeal. " * 100)
    store.add(*(call_write(request=chat_request(shared, ("user", f"Number {n}"))) for n in range(3)))
    index(store)
    assert found(store, "zeal") == [3, 2, 1]
    (items,) = store.conn.execute("SELECT count(DISTINCT item) FROM item_use").fetchone()
    assert 1 <= items < 6


def test_a_later_turn_is_found_by_what_is_new_in_it(store: FilledStore) -> None:
    first = [("user", "Tell me of whales. " * 150)]
    second = [*first, ("assistant", "They are large."), ("user", "And of ravens? " * 20)]
    one = call_write(request=chat_request(*first), response=chat_reply("They are large."))
    thread = one.record.span_id
    two = call_write(request=chat_request(*second), thread_span_id=thread, entered_from=2, n_messages=3)
    store.add(one, two)
    for _ in range(2):
        assert found(store, "ravens") == [2]
        assert found(store, "whales") == [1]
        index(store)


def test_tool_calls_errors_and_span_names_are_found(store: FilledStore) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "lookup_order", "arguments": '{"city": "Reykjavik"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    reply = msgspec.json.encode({"choices": [{"index": 0, "message": message}]})
    refused = msgspec.json.encode({"error": {"message": "Quota exhausted for today", "type": "insufficient_quota"}})
    tid = new_trace_id()
    store.add(
        call_write(response=reply),
        call_write(response=refused, http_status=429),
        call_write(trace_id=tid, spans=(span_write(tid, 7, name="weather_tool"),)),
    )
    index(store)
    assert found(store, "lookup_order") == [1]
    assert found(store, "reykjavik") == [1]
    assert found(store, "exhausted") == [2]
    assert found(store, "weather_tool") == [3]


def test_a_lost_index_is_made_again_from_the_newest_down(words: FilledStore) -> None:
    index(words)
    for name in ("search.db", "search.db-wal", "search.db-shm"):
        (words.folder / name).unlink(missing_ok=True)
    assert words.reader.totals().unindexed == 4
    index(words)
    assert found(words, "whale") == [2]
    assert words.reader.totals().unindexed == 0


def test_a_broken_index_is_begun_anew(words: FilledStore) -> None:
    (words.folder / "search.db").write_bytes(b"This is no database at all. " * 100)
    assert found(words, "whale") == [2]
    assert words.reader.totals().unindexed == 4
    index(words)
    assert found(words, "whale") == [2]


def test_an_index_of_another_version_is_begun_anew(words: FilledStore) -> None:
    index(words)
    job = IndexJob(words.folder)
    job(words.conn)
    assert job._index is not None
    job._index.execute("PRAGMA user_version = 99")
    job.close()
    assert found(words, "whale") == []
    index(words)
    assert found(words, "whale") == [2]


def test_what_retention_deleted_is_found_no_more(words: FilledStore) -> None:
    index(words)
    words.forget([3])
    assert found(words, "invoice") == []
    assert found(words, "whale") == [2]


def test_an_index_of_which_a_third_is_dead_is_made_again(words: FilledStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.search._FEW_DEAD", 1)
    index(words)
    items = words.conn.execute("SELECT item FROM item_use").fetchall()
    words.forget([3])
    words.conn.execute("DELETE FROM item_use")
    words.conn.executemany("INSERT INTO gone VALUES (?)", [*items, (901,), (902,), (903,)])
    job = IndexJob(words.folder)
    index(words, job)
    assert job._index is not None
    dead = job._index.execute("SELECT count(*) FROM fts WHERE fts MATCH 'invoice'").fetchone()
    job.close()
    assert dead == (0,)
    assert words.conn.execute("SELECT count(*) FROM gone").fetchone() == (0,)
    assert found(words, "whale") == [2]


def test_a_slice_stops_when_its_time_is_over(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(10)))
    ticks = iter(range(1000))
    job = IndexJob(store.folder, clock_s=lambda: float(next(ticks)))
    assert job(store.conn)
    assert store.conn.execute("SELECT count(*) FROM fresh").fetchone() == (9,)
    index(store, job)
    assert store.conn.execute("SELECT count(*) FROM fresh").fetchone() == (0,)
    job.close()


def test_a_call_whose_body_is_damaged_does_not_hold_up_the_index(store: FilledStore) -> None:
    store.add(call_write(), call_write(response=chat_reply("whale")))
    store.conn.execute("UPDATE body SET data = x'00' WHERE id = (SELECT req FROM call WHERE id = 1)")
    assert found(store, "whale") == [2]
    index(store)
    assert found(store, "whale") == [2]


def test_a_span_that_brings_a_bug_to_light_does_so_once(store: FilledStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(call_write(), call_write(response=chat_reply("whale")))

    def read(conn: sqlite3.Connection, bodies: Bodies, span: int) -> Documents | None:
        if span == 1:
            raise RecursionError
        return documents(conn, bodies, span)

    monkeypatch.setattr("app.store.search.documents", read)
    monkeypatch.setattr("app.store.hits.documents", read)
    job = IndexJob(store.folder)
    for ask in (lambda: found(store, "whale"), lambda: job(store.conn)):
        with pytest.raises(RecursionError):
            ask()
        store.conn.rollback()
        assert found(store, "whale") == [2]
    index(store, job)
    job.close()
    assert found(store, "whale") == [2]
    assert store.reader.totals().unindexed == 0
