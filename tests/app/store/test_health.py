import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from filled_store import FilledStore, call_write

from app.errors import SetupError
from app.store.health import as_store_error, check, is_environment, note_damage
from app.store.migrations import SCHEMA, migrate


def filled(folder: Path, n_calls: int = 50) -> Path:
    store = FilledStore(folder)
    store.add(*[call_write() for _ in range(n_calls)])
    store.close()
    return folder / "traces.db"


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    assert check(tmp_path / "a" / "b") is None
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_good_database_is_left_alone(tmp_path: Path) -> None:
    database = filled(tmp_path)
    before = database.read_bytes()
    assert check(tmp_path) is None
    assert database.read_bytes() == before


def test_a_newer_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    database = filled(tmp_path)
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE")
        conn.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = database.read_bytes(), database.stat().st_mtime_ns, sorted(tmp_path.iterdir())
    for work in (lambda: check(tmp_path), lambda: migrate(database)):
        with pytest.raises(SetupError, match=f"newer Gatescope \\(schema {SCHEMA + 1}"):
            work()
    assert (database.read_bytes(), database.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before


@pytest.mark.parametrize("damage", ["garbage", "header", "middle", "cut"])
def test_a_corrupt_database_is_set_aside_with_its_log(tmp_path: Path, damage: str) -> None:
    database = filled(tmp_path, 300)
    data = bytearray(database.read_bytes())
    match damage:
        case "garbage":
            data = bytearray(b"this is no database " * 1000)
        case "header":
            data[:16] = b"x" * 16
        case "middle":
            data[8192 * 3 : 8192 * 40] = b"\xee" * 8192 * 37
        case "cut":
            del data[len(data) // 2 :]
    database.write_bytes(data)
    log = tmp_path / "traces.db-wal"
    log.write_bytes(b"log")
    aside = check(tmp_path)
    assert aside is not None
    assert aside.name.startswith("traces.db.corrupt-")
    assert aside.read_bytes() == data
    assert not database.exists()
    assert not log.exists()
    migrate(database)


def test_two_corrupt_databases_have_two_names(tmp_path: Path) -> None:
    names = set()
    for _ in range(2):
        (tmp_path / "traces.db").write_bytes(b"no database at all" * 100)
        names.add(check(tmp_path))
    assert len(names) == 2


def test_damage_found_while_running_is_looked_for_at_the_next_start(tmp_path: Path) -> None:
    database = filled(tmp_path)
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT  # type: ignore[misc]
    note_damage(error, tmp_path)
    assert (tmp_path / "traces.db.suspect").exists()
    assert check(tmp_path) is None
    assert not (tmp_path / "traces.db.suspect").exists()
    assert database.exists()


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="is not a folder"):
        check(tmp_path / "file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SetupError, match="cannot be written"):
            check(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    full = OSError(28, "No space left on device")
    told = as_store_error(full, tmp_path)
    assert isinstance(told, SetupError)
    assert "full" in told.message
    assert told.hint
    assert is_environment(full)
    assert not is_environment(ValueError())
    assert not is_environment(sqlite3.IntegrityError())
