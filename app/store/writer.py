"""The one thread that writes: records become rows every 50 ms.

Life of a record: `spool` puts it on disk, `submit` queues it, the thread prepares it (digest, placement), writes the
batch in one transaction, strikes it off the spool and tells `on_commit`. When much is queued, only a record's place in
the spool is, so that memory stays flat. A record that cannot be prepared or written is stored raw with a note. Where
the disk is full or the file unreadable, `problem` says so and the batch is tried again until it succeeds; the spool has
it meanwhile.
"""

import itertools
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from app.errors import StoreError
from app.memory import give_back
from app.models.call import CallRecord, CallWrite, ChainEntry
from app.paths import Paths
from app.store import chains, recovery
from app.store.connect import checkpoint, open_writer, transaction
from app.store.health import as_store_error, is_environment, note_damage
from app.store.inbox import LIMIT_BYTES, Inbox
from app.store.migrations import migrate
from app.store.payloads import Codec
from app.store.spans import write_calls
from app.store.spool import Spool, cleaned
from app.store.unread import as_unread

P = ParamSpec("P")
T = TypeVar("T")

Recall = Callable[[int], ChainEntry | None]
Prepare = Callable[[CallRecord], CallWrite]
IdleJob = Callable[[sqlite3.Connection], bool]
"""A slice of work for quiet times, in the writer's thread; True: there is more to do. It opens its own transactions."""

_FLUSH_S: Final = 0.05
_IN_MEMORY_BYTES: Final = 4_000_000
"""With more than this queued, further records wait in the spool alone."""
_BATCH_COUNT: Final = 256
_BATCH_BYTES: Final = 8_000_000
_RESTS: Final = 3.0
"""Seconds of rest a second of work, while calls are busy."""
_MOST_REST_S: Final = 0.5
_ROOM: Final = 0.5
"""Of the queue: with more than this waiting the thread no longer rests."""
_RETRY_S: Final = (0.5, 1, 2, 5, 10)
_IDLE_AFTER_S: Final = 0.25
_IDLE_AGAIN_S: Final = 30.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Commit:
    """What one transaction touched."""

    traces: tuple[int, ...]
    """Row ids, ascending."""
    n_calls: int


@dataclass(frozen=True, slots=True)
class _Spooled:
    """Stands in the queue for a record that waits in the spool."""

    span_id: int


class _Abandoned(Exception):
    """Told to stop while nothing could be written."""


class Writer:
    """Owns the read-write connection, the spool and the thread.

    `spool` and `wait_room` belong to the event loop; everything else public to any thread.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        make_prepare: Callable[[Recall], Prepare],
        on_commit: Callable[[Commit], None],
        idle_jobs: Sequence[IdleJob] = (),
        limit_bytes: int = LIMIT_BYTES,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_busy` says that many calls are in flight: then the thread leaves them most of the interpreter.

        It is asked in the writer's thread.
        """
        self._paths = Paths(data_dir)
        self._make_prepare = make_prepare
        self._on_commit = on_commit
        self._idle_jobs = tuple(idle_jobs)
        self._limit_bytes = limit_bytes
        self._spool = Spool(self._paths.spool)
        self._is_busy = is_busy
        self._inbox: Inbox[CallRecord | _Spooled | Callable[[], None]] = Inbox(limit_bytes)
        self._thread = threading.Thread(target=self._live, name="store writer", daemon=True)
        self._is_stopping = threading.Event()
        self._is_open = False
        self._conn: sqlite3.Connection
        self._codec: Codec
        self._prepare: Prepare
        self._left: list[CallRecord] = []
        self._is_dirty = False
        self.problem: str | None = None
        """Why nothing can be written at the moment, for a person; None while all is well."""
        self.n_recovered = 0
        """Calls that an earlier process had finished but not committed."""
        self.set_aside: tuple[Path, ...] = ()
        """Files with spooled bytes that could not be read."""

    def start(self) -> None:
        """Open the database, migrated, and begin to write; first of all what the spool still holds.

        The caller holds the data folder's lock. Raises SetupError or StoreError, and nothing has begun then.
        """
        try:
            self._paths.data.mkdir(parents=True, exist_ok=True)
            copy = migrate(self._paths.database)
            if copy is not None:
                _log.info("The database was migrated; %s is as it was before", copy)
            self._conn = open_writer(self._paths.database)
            with transaction(self._conn):
                self._codec = Codec(self._conn)
            found = self._spool.recover()
            left = recovery.not_committed(self._conn, found.records)
        except (sqlite3.Error, OSError) as error:
            raise as_store_error(error, self._paths.data) from error
        self._spool.done({record.span_id for record in found.records} - {record.span_id for record in left})
        self.n_recovered, self.set_aside = len(left), tuple(found.set_aside)
        if left or found.set_aside:
            _log.warning("Read back from the spool: %d calls; set aside: %d files", len(left), len(found.set_aside))
        self._left = left
        self._is_open = True
        self._thread.start()

    def spool(self, record: CallRecord) -> None:
        """Put a finished call on disk: when this returns, a killed process loses it no more. Raises StoreError."""
        try:
            self._spool.append(record)
        except OSError as error:
            raise as_store_error(error, self._paths.spool) from error

    def submit(self, record: CallRecord) -> None:
        """Queue a call, finished or running. Never waits."""
        is_here = self._inbox.queued_bytes < _IN_MEMORY_BYTES or not self._spool.has(record.span_id)
        self._inbox.put(record if is_here else _Spooled(record.span_id), _weight(record))

    @property
    def queued_bytes(self) -> int:
        """How much waits to be written."""
        return self._inbox.queued_bytes

    async def wait_room(self) -> None:
        """Return when the queue is below its limit."""
        await self._inbox.wait_room()

    def run(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Do other writing in the writer's thread, behind what is queued, in a transaction of its own."""
        future: Future[T] = Future()
        if not self._is_open:
            future.set_exception(StoreError("The store is closed."))
            return future

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            result, error = self._try(self._in_transaction, work)
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]
            else:
                future.set_exception(as_store_error(error, self._paths.data) if is_environment(error) else error)

        self._inbox.put(job, 0)
        self._inbox.hurry()
        return future

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Write what is queued and close. False: it took longer; the spool still has the rest."""
        self._is_open = False
        self._is_stopping.set()
        self._inbox.hurry()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._spool.close()
        return True

    def _live(self) -> None:
        """The thread."""
        self._prepare = self._make_prepare(self._recall)
        try:
            self._recover()
            self._serve()
        except _Abandoned:
            _log.warning("%d calls stay in the spool for the next start", self._spool.n_waiting)
        with suppress(sqlite3.Error):
            self._conn.execute("PRAGMA optimize")
            checkpoint(self._conn)
        self._conn.close()

    def _serve(self) -> None:
        """Write what comes until it is time to stop and nothing is left."""
        committed_s = 0.0
        wait_s = 0.0
        while True:
            if self._inbox.wait(wait_s):
                if not self._is_stopping.is_set():
                    self._inbox.gather(committed_s + _FLUSH_S)
                began_s = time.monotonic()
                self._write_taken()
                committed_s = time.monotonic()
                self._give_way(committed_s - began_s)
                wait_s = _IDLE_AFTER_S
            elif self._is_stopping.is_set():
                return
            else:
                wait_s = 0.0 if self._do_idle() else _IDLE_AGAIN_S
            if self._is_stopping.is_set():
                wait_s = 0.0

    def _give_way(self, worked_s: float) -> None:
        """Rest after work while calls are busy and the queue has room: the spool has what waits.

        This thread and the event loop share one interpreter; a burst is answered first and written after.
        """
        if self._inbox.queued_bytes < self._limit_bytes * _ROOM and self._is_busy():
            self._is_stopping.wait(min(worked_s * _RESTS, _MOST_REST_S))

    def _recover(self) -> None:
        """Write what the spool held, then mark what nobody will end any more."""
        left, self._left = self._left, []
        if left:
            self._try(self._in_transaction, lambda conn: recovery.forget_running(conn, left))
        for at in range(0, len(left), _BATCH_COUNT):
            self._write(left[at : at + _BATCH_COUNT])
        traces, error = self._try(self._in_transaction, recovery.interrupt_running)
        if error is not None:
            _log.error("Interrupted calls could not be marked", exc_info=error)
        elif traces:
            self._tell(traces, 0)

    def _recall(self, chain_hash: int) -> ChainEntry | None:
        return chains.recall(self._conn, chain_hash, self._codec.unpack)

    def _write_taken(self) -> None:
        """Write what is queued now: records in batches, other work in its place between them."""
        taken = self._inbox.take(_BATCH_COUNT, _BATCH_BYTES)
        records: list[CallRecord] = []
        for item, _ in taken:
            if isinstance(item, _Spooled):
                records.extend(self._read_back(item.span_id))
                continue
            if isinstance(item, CallRecord):
                records.append(item)
                continue
            self._write(records)
            records = []
            item()
        self._write(records)
        self._inbox.release(sum(size_bytes for _, size_bytes in taken))

    def _read_back(self, span_id: int) -> list[CallRecord]:
        """Return a record from the spool; none where it cannot be read: it stays there for the next start."""
        record, error = self._try(self._spool.read, span_id)
        if record is None:
            _log.error("Call %x cannot be read back from the spool", span_id, exc_info=error)
            return []
        return [record]

    def _write(self, records: Sequence[CallRecord]) -> None:
        """Prepare records and write them, whatever it takes."""
        writes = [write for record in records if (write := self._prepared(record)) is not None]
        if not writes:
            return
        traces, error = self._persist(writes)
        if error is not None:
            traces = self._write_singly(writes)
        self._is_dirty = True
        self._spool.done(write.record.span_id for write in writes if write.record.end_ns is not None)
        self._tell(traces or (), len(writes))

    def _tell(self, traces: tuple[int, ...], n_calls: int) -> None:
        _, error = self._try(self._on_commit, Commit(traces, n_calls))
        if error is not None:
            _log.error("A commit could not be told", exc_info=error)

    def _prepared(self, record: CallRecord) -> CallWrite | None:
        write, error = self._try(self._prepare, record)
        if error is not None:
            _log.error("Reading call %s failed; it is kept raw", record.request_id, exc_info=error)
            write = as_unread(cleaned(record), error) if record.end_ns is not None else None
        return write

    def _write_singly(self, writes: Sequence[CallWrite]) -> tuple[int, ...]:
        """Write each call by itself, because together they fail; one that fails alone is kept raw."""
        traces: set[int] = set()
        for write in writes:
            touched, error = self._persist([write])
            if error is not None and write.record.end_ns is not None:
                _log.error("Writing call %s failed; it is kept raw", write.record.request_id, exc_info=error)
                touched, error = self._persist([as_unread(cleaned(write.record), error)])
            if error is not None:
                _log.error("Call %s cannot be written", write.record.request_id, exc_info=error)
                self._spool.set_aside(write.record)
            traces.update(touched or ())
        return tuple(sorted(traces))

    def _persist(self, writes: Sequence[CallWrite]) -> tuple[tuple[int, ...] | None, Exception | None]:
        """Write in one transaction; wait and try again for as long as it is the disk's or the file's fault."""
        for attempt in itertools.count():
            touched, error = self._try(self._in_transaction, lambda conn: write_calls(conn, self._codec, writes))
            if error is None or not is_environment(error):
                self.problem = None
                return touched, error
            problem = str(as_store_error(error, self._paths.data))
            if problem != self.problem:
                _log.error("Calls wait in the spool: %s", problem)
                note_damage(error, self._paths.data)
            self.problem = problem
            if self._is_stopping.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)]):
                raise _Abandoned
        raise AssertionError("unreachable")

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        is_done = False
        try:
            with transaction(self._conn):
                result = work(self._conn)
            is_done = True
            return result
        finally:
            if not is_done:
                self._codec.forget()

    def _do_idle(self) -> bool:
        """One slice of each idle job; True: there is more to do."""
        more = False
        for job in self._idle_jobs:
            again, error = self._try(job, self._conn)
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")
            if error is not None:
                _log.error("Tidying up failed", exc_info=error)
            more |= bool(again)
            if self._inbox.wait(0):
                return True
        if not more and self._is_dirty:
            self._is_dirty = False
            checkpoint(self._conn)
            give_back()
        return more

    def _try(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T | None, Exception | None]:
        """Return the result and None, or None and what went wrong: the thread outlives every failure."""
        try:
            return work(*args, **kwargs), None
        except Exception as error:
            return None, error


def _weight(record: CallRecord) -> int:
    return len(record.request) + len(record.response) + 8 * len(record.chunks)
