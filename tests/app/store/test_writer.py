import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from factories import call_record, chat_request
from filled_store import call_write

from app.errors import SetupError, StoreError
from app.models.call import CallRecord, CallWrite
from app.models.ids import new_trace_id
from app.models.span import Status
from app.store import writer as writer_module
from app.store.connect import open_reader
from app.store.governance import create_key, list_keys
from app.store.spool import Spool
from app.store.writer import Commit, Writer

ROOT = Path(__file__).resolve().parents[3]


def prepared(record: CallRecord) -> CallWrite:
    """Each call is a trace of its own, the same each time."""
    write = call_write(record, trace_id=record.span_id.to_bytes(8, "big", signed=True) * 2)
    if record.end_ns is None:
        write = replace(write, digest=replace(write.digest, status=Status.RUNNING))
    return write


class Written:
    """Writers on one folder, and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commits: list[Commit] = []
        self.came = threading.Event()
        self.writers: list[Writer] = []

    def start(self, prepare: Callable[[CallRecord], CallWrite] = prepared, **options: Any) -> Writer:
        writer = Writer(self.folder, make_prepare=lambda _: prepare, on_commit=self.on_commit, **options)
        self.writers.append(writer)
        writer.start()
        return writer

    def on_commit(self, commit: Commit) -> None:
        self.commits.append(commit)
        self.came.set()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(open_reader(self.folder / "traces.db")) as conn:
            return conn.execute(sql).fetchall()

    def n_calls(self) -> int:
        return int(self.rows("SELECT count(*) FROM call WHERE dur_us IS NOT NULL")[0][0])


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path)
    yield made
    for writer in made.writers:
        writer.stop()


def keep(writer: Writer, *records: CallRecord) -> None:
    for record in records:
        writer.spool(record)
        writer.submit(record)


def test_a_call_is_written_and_told(written: Written) -> None:
    writer = written.start()
    keep(writer, call_record())
    assert written.came.wait(10)
    assert written.commits == [Commit((1,), 1)]
    assert written.n_calls() == 1


def test_stopping_writes_all_that_is_queued_and_empties_the_spool(written: Written) -> None:
    writer = written.start()
    keep(writer, *[call_record() for _ in range(700)])
    assert writer.stop()
    assert written.n_calls() == 700
    assert writer.queued_bytes == 0
    assert list((written.folder / "spool").iterdir()) == []


def test_other_writing_comes_in_its_turn_and_fails_alone(written: Written) -> None:
    writer = written.start()
    keep(writer, call_record())
    seen = writer.run(lambda conn: conn.execute("SELECT count(*) FROM call").fetchone()[0])
    assert seen.result(10) == 1
    key, _ = writer.run(lambda conn: create_key(conn, "laptop", 1)).result(10)

    def broken(conn: sqlite3.Connection) -> None:
        conn.execute("DELETE FROM vkey")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.run(broken).result(10)
    assert writer.run(list_keys).result(10) == [key]


def test_a_closed_store_takes_no_work(written: Written) -> None:
    writer = written.start()
    writer.stop()
    with pytest.raises(StoreError):
        writer.run(list_keys).result(1)


def test_what_a_killed_process_spooled_is_written_at_the_next_start(written: Written) -> None:
    spool = Spool(written.folder / "spool")
    spool.recover()
    records = [call_record() for _ in range(300)]
    for record in records:
        spool.append(record)
    writer = written.start()
    assert writer.n_recovered == 300
    writer.stop()
    assert written.n_calls() == 300
    assert list((written.folder / "spool").iterdir()) == []


def test_a_record_that_was_committed_before_the_kill_is_not_written_again(written: Written) -> None:
    record = call_record()
    first = written.start()
    keep(first, record)
    first.stop()
    spool = Spool(written.folder / "spool")
    spool.recover()
    spool.append(record)
    again = written.start(lambda record: call_write(record, trace_id=new_trace_id()))
    assert again.n_recovered == 0
    again.stop()
    assert written.rows("SELECT count(*) FROM trace") == [(1,)]


def test_a_call_that_ran_when_the_process_died_is_one_row_wherever_its_end_is_placed(written: Written) -> None:
    record, other = call_record(), call_record()
    first = written.start()
    for one in (record, other):
        first.submit(msgspec.structs.replace(one, end_ns=None, status=None, response=b""))
    first.stop()
    spool = Spool(written.folder / "spool")
    spool.recover()
    spool.append(record)
    again = written.start(lambda record: call_write(record, trace_id=new_trace_id()))
    again.stop()
    found = dict(written.rows("SELECT sid, status FROM span"))
    assert found == {record.span_id: Status.OK, other.span_id: Status.INTERRUPTED}
    assert written.rows("SELECT count(*), sum(n_running) FROM trace") == [(2, 0)]


def test_a_record_that_cannot_be_read_is_kept_raw(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    def stumbling(record: CallRecord) -> CallWrite:
        if record.path == "/odd":
            raise KeyError("odd")
        return prepared(record)

    writer = written.start(stumbling)
    odd = call_record(path="/odd", request=chat_request(("user", "x" * 5000)))
    keep(writer, call_record(), odd, call_record())
    writer.stop()
    assert written.n_calls() == 3
    assert "kept raw" in caplog.text
    with closing(open_reader(written.folder / "traces.db")) as conn:
        assert conn.execute("SELECT count(*) FROM call WHERE rid = ?", (odd.request_id,)).fetchone() == (1,)


def test_a_record_that_cannot_be_written_does_not_take_the_batch_with_it(
    written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    def unwritable(record: CallRecord) -> CallWrite:
        write = prepared(record)
        return replace(write, digest=replace(write.digest, input_preview="\udcff")) if record.path == "/odd" else write

    writer = written.start(unwritable)
    keep(writer, call_record(), call_record(path="/odd"), call_record())
    writer.stop()
    assert written.n_calls() == 3
    assert "kept raw" in caplog.text


def test_a_full_disk_is_told_and_nothing_is_lost(
    written: Written, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_full = threading.Event()
    is_full.set()
    failed = threading.Event()
    write = writer_module.write_calls

    def full(conn: sqlite3.Connection, *rest: Any) -> tuple[int, ...]:
        if is_full.is_set():
            failed.set()
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
            raise error
        return write(conn, *rest)

    monkeypatch.setattr(writer_module, "write_calls", full)
    monkeypatch.setattr(writer_module, "_RETRY_S", (0.01,))
    writer = written.start()
    keep(writer, *[call_record() for _ in range(20)])
    assert failed.wait(10)
    while writer.problem is None:
        assert not written.came.wait(0.01)
    assert "full" in writer.problem
    is_full.clear()
    assert written.came.wait(10)
    writer.stop()
    assert writer.problem is None
    assert written.n_calls() == 20


def test_stopping_on_a_full_disk_leaves_the_calls_in_the_spool(
    written: Written, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "write_calls", full)
        writer = written.start()
        keep(writer, *[call_record() for _ in range(5)])
        writer.stop()
    assert "stay in the spool" in caplog.text
    again = written.start()
    assert again.n_recovered == 5
    again.stop()
    assert written.n_calls() == 5


def test_idle_jobs_run_when_nothing_is_to_be_written_and_outlive_their_failures(
    written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()
    slices: list[int] = []

    def broken(conn: sqlite3.Connection) -> bool:
        conn.execute("BEGIN")
        raise ValueError("broken job")

    def job(conn: sqlite3.Connection) -> bool:
        assert not conn.in_transaction
        slices.append(1)
        if len(slices) == 3:
            done.set()
        return len(slices) < 3

    writer = written.start(idle_jobs=(broken, job))
    assert done.wait(10)
    keep(writer, call_record())
    writer.stop()
    assert written.n_calls() == 1
    assert "broken job" in caplog.text


def test_a_full_queue_makes_its_caller_wait(written: Written) -> None:
    hold = threading.Event()

    def slow(record: CallRecord) -> CallWrite:
        hold.wait(10)
        return prepared(record)

    async def main() -> None:
        writer = written.start(slow, limit_bytes=50_000)
        keep(writer, *[call_record(request=b"x" * 30_000) for _ in range(3)])
        waiting = asyncio.ensure_future(writer.wait_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        hold.set()
        await asyncio.wait_for(waiting, 10)

    asyncio.run(main())


def test_a_folder_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    writer = Writer(tmp_path / "file", make_prepare=lambda _: prepared, on_commit=lambda _: None)
    with pytest.raises(SetupError):
        writer.start()


CHILD = """
import os, sys
from pathlib import Path
from test_writer import call_record, prepared
from app.store.writer import Writer
writer = Writer(Path(sys.argv[1]), make_prepare=lambda _: prepared, on_commit=lambda _: None)
writer.start()
for number in range(100_000):
    record = call_record(request=b'{"n": %d, "x": "%s"}' % (number, b"y" * (number * 37 % 5000)))
    writer.spool(record)
    writer.submit(record)
    os.write(1, b"%d\\n" % record.span_id)
"""


def kill_and_look(folder: Path, n_finished: int) -> None:
    """Kill a process that writes, after so many calls, and find each of them."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
    )
    assert child.stdout is not None
    finished = {int(child.stdout.readline()) for _ in range(n_finished)}
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split(b"\n")[:-1]
    finished |= {int(line) for line in rest}
    child.stdout.close()
    child.wait()
    writer = Writer(folder, make_prepare=lambda _: prepared, on_commit=lambda _: None)
    writer.start()
    writer.stop()
    with closing(open_reader(folder / "traces.db")) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = {
            row[0] for row in conn.execute("SELECT sid FROM span JOIN call USING (id) WHERE call.dur_us IS NOT NULL")
        }
        dangling = conn.execute("SELECT count(*) FROM call LEFT JOIN body ON body.id = req WHERE body.id IS NULL")
        assert dangling.fetchone() == (0,)
    assert finished <= found


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_kill_9_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    kill_and_look(tmp_path, 400)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("n_finished", [1, 10, 50, 777, 1500, 2999, 5000, 8000])
def test_kill_9_at_any_time_loses_nothing(tmp_path: Path, n_finished: int) -> None:
    for _ in range(2):
        kill_and_look(tmp_path, n_finished)


def test_what_is_queued_beyond_the_memory_for_it_is_read_back_from_the_spool(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_IN_MEMORY_BYTES", 1)
    back: list[int] = []
    read = Spool.read
    monkeypatch.setattr(Spool, "read", lambda self, span_id: back.append(span_id) or read(self, span_id))
    go_on = threading.Event()
    writer = written.start()
    writer.run(lambda _: go_on.wait(10))
    records = [call_record(request=chat_request(("user", f"question {n}"))) for n in range(20)]
    for record in records:
        writer.spool(record)
        writer.submit(record)
    unspooled = call_record()
    writer.submit(unspooled)
    go_on.set()
    assert writer.stop()
    assert written.n_calls() == 21
    assert set(back) >= {record.span_id for record in records[1:]}
    assert unspooled.span_id not in back
