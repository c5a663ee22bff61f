"""Everything that is asked of the store by those who only read.

A `Reader` may be used by any number of threads: each gets a connection of its own, opened on its first question. No
question holds a transaction, or a cursor, when it is answered.
"""

import sqlite3
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Final

from app.bodytext import as_text, events, readable
from app.errors import StoreError
from app.models.ids import parse_traceparent, span_from_hex
from app.models.query import Query
from app.models.trace import Conversation, SessionRow, SpanDetail, StreamEvent, Timing, Totals, TraceRow, TraceTree
from app.paths import Paths
from app.store import details, sessions, skeleton, traces
from app.store.bodies import Bodies
from app.store.connect import open_reader, reading_schema
from app.store.details import Which
from app.store.filters import where
from app.store.migrations import SCHEMA
from app.store.totals import Counter

_BY_SPAN: Final = "SELECT trace FROM span WHERE sid = ? LIMIT 1"


class _Opened:
    """One thread's connection, and which file it is open on."""

    def __init__(self, conn: sqlite3.Connection, file: tuple[int, int]) -> None:
        self.conn = conn
        self.file = file
        self.bodies = Bodies(conn)


class Reader:
    """Reads one data folder. Any thread.

    Every method may raise StoreError: the database is missing, is of another version, or cannot be read.
    """

    def __init__(self, data_dir: Path) -> None:
        self._paths = Paths(data_dir)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[sqlite3.Connection] = []
        self._watch: _Opened | None = None
        database = self._paths.database
        self._counter = Counter((database, database.with_name(f"{database.name}-wal"), self._paths.search))

    def traces(self, query: Query, before: traces.Cursor | None, limit: int) -> list[TraceRow]:
        """Return a page of the traces list, newest first; `before` is (start_ns, id) of the last row above it."""
        with self._reading() as at:
            return traces.page(at.conn, where(query, {}), before, limit)

    def trace_rows(self, ids: Sequence[int]) -> list[TraceRow]:
        """Return these traces' rows in the order given; those that are gone are left out."""
        with self._reading() as at:
            return traces.rows(at.conn, ids)

    def trace_ids(self, query: Query) -> bytes:
        """Return the row ids of all traces that meet the query, newest first, as 64-bit integers."""
        with self._reading() as at:
            return array("q", traces.page_ids(at.conn, where(query, {}), None, -1)).tobytes()

    def count(self, query: Query) -> tuple[int, int]:
        """Return how many traces meet the query, and how many calls they hold."""
        with self._reading() as at:
            return traces.count(at.conn, where(query, {}))

    def tree(self, trace: int) -> TraceTree:
        """Return the tree of a trace by its row id."""
        from app.store import trees  # brings numpy, which the first list does without

        with self._reading() as at:
            found = traces.rows(at.conn, [trace])
            if not found:
                raise StoreError(f"Trace {trace} is not in the store.", hint="Retention may have removed it.")
            packed = skeleton.packed(at.conn, trace, found[0].n_spans)
            if packed is None:
                drawn = trees.draw(trees.read_spans(at.conn, trace))
            else:
                drawn = trees.unpack(packed, found[0].n_spans)
            return trees.tree(found[0], drawn, trees.read_names(at.conn, drawn))

    def find(self, text: str) -> int | None:
        """Return the trace that an id leads to: trace id, span id, request id or traceparent. None: to none."""
        with self._reading() as at:
            return _find(at.conn, text.strip())

    def span(self, span: int) -> SpanDetail:
        """Return one span by its row id."""
        with self._reading() as at:
            return details.span(at.conn, at.bodies, span)

    def conversation(self, span: int) -> Conversation:
        """Return what a call's bodies say."""
        with self._reading() as at:
            return details.conversation(at.conn, at.bodies, span)

    def body(self, span: int, which: Which) -> bytes:
        """Return one body, byte for byte; b"" where there is none."""
        with self._reading() as at:
            return details.body(at.conn, at.bodies, span, which)

    def text(self, span: int, which: Which, *, is_pretty: bool) -> str:
        """Return a body as text: as it was sent, or indented where it is JSON; binary as a hex dump."""
        body = self.body(span, which)
        return readable(body) if is_pretty else as_text(body)

    def events(self, span: int) -> list[StreamEvent]:
        """Return the server-sent events of a call's response, with their times of arrival."""
        return events(self.body(span, "response"), self.timing(span))

    def timing(self, span: int) -> Timing:
        """Return when the pieces of a call's stream came."""
        with self._reading() as at:
            return details.timing(at.conn, span)

    def sessions(self, before: str | None = None, limit: int = 50) -> list[SessionRow]:
        """Return a page of the sessions list, latest first; `before` is the last session above it."""
        with self._reading() as at:
            return sessions.page(at.conn, before, limit)

    def session(self, session: str) -> SessionRow | None:
        """Return one session, None where there is no such."""
        with self._reading() as at:
            return sessions.find(at.conn, session)

    def totals(self) -> Totals:
        """Return the numbers of the status line."""
        with self._reading() as at:
            return self._counter.totals(at.conn, time_ns())

    def data_version(self) -> int:
        """Return a number that is another one after every commit."""
        with self._reading(), self._lock:
            if self._watch is None or self._watch.file != self._file():
                self._watch = _Opened(self._connect(), self._file())
            return int(self._watch.conn.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connections of all threads; nobody may be reading."""
        with self._lock:
            while self._open:
                self._open.pop().close()
            self._local = threading.local()
            self._watch = None

    @contextmanager
    def _reading(self) -> Iterator[_Opened]:
        try:
            yield self._opened()
        except sqlite3.Error as error:
            raise StoreError(f"{self._paths.database} cannot be read: {error}.") from error

    def _opened(self) -> _Opened:
        """Return this thread's connection; a new one where another file took the database's place."""
        found: _Opened | None = getattr(self._local, "opened", None)
        file = self._file()
        if found is None or found.file != file:
            found = self._local.opened = _Opened(self._connect(), file)
        return found

    def _file(self) -> tuple[int, int]:
        try:
            stat = self._paths.database.stat()
        except FileNotFoundError:
            hint = "Start the gateway: it makes one."
            raise StoreError(f"There is no database at {self._paths.database}.", hint=hint) from None
        return stat.st_dev, stat.st_ino

    def _connect(self) -> sqlite3.Connection:
        path = self._paths.database
        schema = reading_schema(path)
        if schema == 0:
            raise StoreError(f"{path} has no tables yet.", hint="Start the gateway: it makes them.")
        if schema != SCHEMA:
            age = "a newer" if schema > SCHEMA else "an older"
            remedy = "Update Gatescope." if schema > SCHEMA else "Start the gateway: it brings the file up to date."
            raise StoreError(f"{path} is of {age} version (schema {schema}, this one reads {SCHEMA}).", hint=remedy)
        conn = open_reader(path)
        self._open.append(conn)
        return conn


def _find(conn: sqlite3.Connection, text: str) -> int | None:
    parent = parse_traceparent(text)
    if parent is not None:
        return traces.find(conn, parent.trace_id) or _trace_of(
            conn, "SELECT trace FROM span WHERE sid = ?", parent.span_id
        )
    digits = text.lower().removeprefix("0x").replace("-", "")
    if len(digits) in (16, 32) and all(digit in "0123456789abcdef" for digit in digits):
        if len(digits) == 32:
            return traces.find(conn, bytes.fromhex(digits))
        return _trace_of(conn, _BY_SPAN, span_from_hex(digits))
    return _trace_of(conn, "SELECT trace FROM call WHERE rid = ? LIMIT 1", text)


def _trace_of(conn: sqlite3.Connection, sql: str, value: object) -> int | None:
    row = conn.execute(sql, (value,)).fetchone()
    return int(row[0]) if row else None
