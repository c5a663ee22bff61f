import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.store import migrations
from app.store.connect import open_reader, open_writer, reading_schema, transaction
from app.store.migrations import SCHEMA, migrate

NAMED = {
    "zdict", "str", "item", "body", "trace", "span", "call", "item_use", "tagged", "score", "run", "colseg", "skel",
}  # fmt: skip


def test_a_new_file_has_every_table_and_says_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    assert migrate(path) is None
    with closing(open_reader(path)) as conn:
        tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables >= NAMED
        assert conn.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert reading_schema(path) == SCHEMA


def test_a_file_of_this_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    migrate(path)
    before = path.read_bytes()
    assert migrate(path) is None
    assert path.read_bytes() == before


def test_an_old_file_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "traces.db"
    migrate(path)
    with closing(open_writer(path)) as conn:
        conn.execute("INSERT INTO str (s) VALUES ('kept')")
    steps = (*migrations.STEPS, lambda conn: conn.execute("CREATE TABLE added (id INTEGER)"))
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr(migrations, "SCHEMA", SCHEMA + 1)
    copy = migrate(path)
    assert copy == tmp_path / f"traces.db.schema-{SCHEMA}"
    assert (reading_schema(path), reading_schema(copy)) == (SCHEMA + 1, SCHEMA)
    with closing(open_reader(copy)) as conn:
        assert conn.execute("SELECT s FROM str").fetchone() == ("kept",)


def test_a_step_that_fails_leaves_the_schema_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "traces.db"
    migrate(path)

    def broken(conn: sqlite3.Connection) -> None:
        conn.execute("CREATE TABLE half (id INTEGER)")
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, broken))
    monkeypatch.setattr(migrations, "SCHEMA", SCHEMA + 1)
    with pytest.raises(RuntimeError):
        migrate(path)
    assert reading_schema(path) == SCHEMA
    with closing(open_reader(path)) as conn:
        assert not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    migrate(tmp_path / "traces.db")
    with closing(open_reader(tmp_path / "traces.db")) as conn, pytest.raises(sqlite3.OperationalError):
        conn.execute("DELETE FROM str")


def test_a_reader_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        open_reader(tmp_path / "missing.db")
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_is_taken_back_whole(tmp_path: Path) -> None:
    migrate(tmp_path / "traces.db")
    with closing(open_writer(tmp_path / "traces.db")) as conn:
        with pytest.raises(RuntimeError), transaction(conn):
            conn.execute("INSERT INTO str (s) VALUES ('x')")
            raise RuntimeError
        assert conn.execute("SELECT count(*) FROM str").fetchone() == (0,)
        assert not conn.in_transaction
