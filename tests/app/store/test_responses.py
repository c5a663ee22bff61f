import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from factories import START_NS
from filled_store import FilledStore, call_write

from app.models.stored_response import Conversation, StoredResponse
from app.store import responses
from app.store.connect import open_reader, open_writer, transaction
from app.store.migrations import SCHEMA, begin, migrate
from app.store.payloads import NS_A_DAY
from app.store.retention import Limits, Retention


def add(store: FilledStore, response_id: str, previous: str | None = None, conversation: str | None = None) -> None:
    about = StoredResponse(response_id, "virtual:1", previous, conversation)
    store.add(call_write(stored=about, request=b'{"q":"%s"}' % response_id.encode(), response=b'{"a":1}'))


def ids(store: FilledStore, response_id: str, owner: str = "virtual:1") -> list[str]:
    return [turn.about.id for turn in responses.load_chain(store.conn, response_id, owner)]


def test_a_chain_comes_oldest_first_with_the_bytes_of_its_calls(store: FilledStore) -> None:
    add(store, "resp_1")
    add(store, "resp_2", "resp_1")
    add(store, "resp_3", "resp_2")
    assert ids(store, "resp_3") == ["resp_1", "resp_2", "resp_3"]
    turn = responses.load_chain(store.conn, "resp_1", "virtual:1")[0]
    assert (turn.request, turn.response) == (b'{"q":"resp_1"}', b'{"a":1}')


def test_another_owner_finds_nothing(store: FilledStore) -> None:
    add(store, "resp_1")
    assert ids(store, "resp_1", "virtual:2") == []
    assert not responses.delete_response(store.conn, "resp_1", "virtual:2")


def test_a_deleted_response_ends_the_chains_that_lead_to_it(store: FilledStore) -> None:
    add(store, "resp_1")
    add(store, "resp_2", "resp_1")
    assert responses.delete_response(store.conn, "resp_1", "virtual:1")
    assert ids(store, "resp_1") == []
    assert ids(store, "resp_2") == ["resp_2"]


def test_a_response_is_forgotten_with_its_call(store: FilledStore) -> None:
    add(store, "resp_1")
    job = Retention(store.folder, lambda: Limits(max_age_days=1), lambda: START_NS + 30 * NS_A_DAY)
    while job(store.conn):
        pass
    assert store.conn.execute("SELECT count(*) FROM response").fetchone() == (0,)


def test_a_conversation_has_its_items_and_turns_in_order(store: FilledStore) -> None:
    made = Conversation("conv_1", "virtual:1", START_NS // 1_000_000_000, {"topic": "x"})
    with transaction(store.conn):
        responses.create_conversation(store.conn, made, [("msg_1", b'{"n":1}'), ("msg_2", b'{"n":2}')])
    add(store, "resp_1", conversation="conv_1")
    later_ns = START_NS + NS_A_DAY
    with transaction(store.conn):
        responses.add_items(store.conn, "conv_1", [("msg_3", b'{"n":3}')], later_ns)
        responses.delete_item(store.conn, "conv_1", "msg_2")
    parts, gone = responses.conversation_parts(store.conn, "conv_1")
    assert [part.item or part.turn.about.id for part in parts if part.item or part.turn] == [
        b'{"n":1}',
        "resp_1",
        b'{"n":3}',
    ]
    assert gone == {"msg_2"}
    assert responses.find_conversation(store.conn, "conv_1", "virtual:1") == made
    assert responses.find_conversation(store.conn, "conv_1", "virtual:2") is None


def test_a_conversation_is_forgotten_when_nothing_came_for_long(store: FilledStore) -> None:
    made = Conversation("conv_1", "virtual:1", START_NS // 1_000_000_000)
    with transaction(store.conn):
        responses.create_conversation(store.conn, made, [("msg_1", b"{}")])
    job = Retention(store.folder, lambda: Limits(max_age_days=5), lambda: START_NS + 4 * NS_A_DAY)
    while job(store.conn):
        pass
    assert responses.find_conversation(store.conn, "conv_1", "virtual:1") is not None
    job = Retention(store.folder, lambda: Limits(max_age_days=5), lambda: START_NS + 6 * NS_A_DAY)
    while job(store.conn):
        pass
    assert responses.find_conversation(store.conn, "conv_1", "virtual:1") is None
    assert store.conn.execute("SELECT count(*) FROM body").fetchone() == (0,)


def test_a_file_of_schema_1_gets_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with closing(open_writer(path)) as conn, transaction(conn):
        begin(conn)
        conn.execute("INSERT INTO str (s) VALUES ('kept')")
        conn.execute("PRAGMA user_version = 1")
    with closing(open_reader(path)) as conn, pytest.raises(sqlite3.OperationalError):
        conn.execute("SELECT * FROM response")
    assert migrate(path) == tmp_path / "traces.db.schema-1"
    with closing(open_reader(path)) as conn:
        assert conn.execute("SELECT s FROM str").fetchone() == ("kept",)
        assert conn.execute("SELECT * FROM response, conversation, conversation_item").fetchall() == []
        assert conn.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
