import pytest
from filled_store import FilledStore

from app.errors import InputError
from app.secrets import key_sha256
from app.store.connect import transaction
from app.store.governance import create_key, list_keys, revoke_key, touch_keys


def test_a_keys_text_is_told_once_and_never_kept(store: FilledStore) -> None:
    key, text = create_key(store.conn, "laptop", 5_000)
    assert text.startswith("gs-")
    assert key.sha256 == key_sha256(text)
    assert list_keys(store.conn) == [key]
    assert text not in "".join(store.conn.iterdump())


def test_a_revoked_key_keeps_the_time_it_was_revoked_first(store: FilledStore) -> None:
    key, _ = create_key(store.conn, "laptop", 5_000)
    assert key.is_live
    revoke_key(store.conn, key.id, 7_000)
    assert revoke_key(store.conn, key.id, 9_000).revoked_ns == 7_000


def test_an_unknown_key_cannot_be_revoked(store: FilledStore) -> None:
    with pytest.raises(InputError, match="no key with the id 7"):
        revoke_key(store.conn, 7, 1)


def test_last_use_only_moves_forward(store: FilledStore) -> None:
    key, _ = create_key(store.conn, "laptop", 5_000)
    touch_keys(store.conn, {key.id: 9_000, 99: 1})
    touch_keys(store.conn, {key.id: 8_000})
    assert list_keys(store.conn)[0].last_used_ns == 9_000


def test_a_keys_id_is_never_given_twice(store: FilledStore) -> None:
    with transaction(store.conn):
        first, _ = create_key(store.conn, "a", 1)
        store.conn.execute("DELETE FROM vkey")
        second, _ = create_key(store.conn, "b", 1)
    assert second.id > first.id
