"""Everything that is asked of the store by those who only read.

A `Reader` may be used by any number of threads: each gets a connection of its own, opened on its first question. No
question holds a transaction, or a cursor, when it is answered.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Final

from app.bodytext import as_text, events, readable
from app.errors import StoreError
from app.models.ids import parse_traceparent, span_from_hex
from app.models.query import Query
from app.models.timing import Timing
from app.models.trace import Conversation, SessionRow, SpanDetail, StreamEvent, Totals, TraceRow, TraceTree
from app.paths import Paths
from app.store import details, sessions, skeleton, traces
from app.store.bodies import Bodies
from app.store.connections import Connections, FileId
from app.store.details import Which
from app.store.filters import Hits, where
from app.store.hits import Finder
from app.store.totals import Counter

if TYPE_CHECKING:
    from app.store.lists import Lists

_PAGE_BUDGET_S: Final = 0.01
"""For SQL to find a page; what it cannot find in that time is found in the columns."""
_BY_SPAN: Final = "SELECT trace FROM span WHERE sid = ? LIMIT 1"


class _At:
    """Where a question is asked: the thread's connection, and what all threads share about its file."""

    def __init__(self, conn: sqlite3.Connection, bodies: Bodies, shared: "_Shared") -> None:
        self.conn = conn
        self.bodies = bodies
        self.shared = shared

    @property
    def lists(self) -> "Lists":
        return self.shared.lists()

    def hits(self, query: Query) -> Hits:
        return self.shared.finder.hits(self.conn, self.bodies, query)


class _Shared:
    """What is remembered of one database file."""

    def __init__(self, paths: Paths, file: FileId) -> None:
        database = paths.database
        self.file = file
        self.counter = Counter((database, database.with_name(f"{database.name}-wal"), paths.search))
        self.finder = Finder(paths.search)
        self._lists: Lists | None = None
        self._lock = threading.Lock()

    def lists(self) -> "Lists":
        from app.store.lists import Lists  # brings numpy, which the first list does without

        with self._lock:
            if self._lists is None:
                self._lists = Lists()
            return self._lists


class Reader:
    """Reads one data folder. Any thread.

    Every method may raise StoreError: the database is missing, is of another version, or cannot be read.
    """

    def __init__(self, data_dir: Path) -> None:
        self._paths = Paths(data_dir)
        self._connections = Connections(self._paths.database)
        self._lock = threading.Lock()
        self._shared: _Shared | None = None

    def traces(self, query: Query, before: traces.Cursor | None, limit: int) -> list[TraceRow]:
        """Return a page of the traces list, newest first; `before` is (start_ns, id) of the last row above it."""
        with self._reading() as at:
            hits = at.hits(query)
            rows = traces.quick_page(at.conn, where(query, hits), before, limit, _PAGE_BUDGET_S)
            if rows is None:
                rows = _searched_page(at, query, hits, before, limit)
            return rows

    def trace_rows(self, ids: Sequence[int]) -> list[TraceRow]:
        """Return these traces' rows in the order given; those that are gone are left out."""
        with self._reading() as at:
            return traces.rows(at.conn, ids)

    def trace_ids(self, query: Query) -> bytes:
        """Return the row ids of all traces that meet the query, newest first, as 64-bit integers."""
        with self._reading() as at:
            return at.lists.all_ids(at.conn, query, at.hits(query))

    def count(self, query: Query) -> tuple[int, int]:
        """Return how many traces meet the query, and how many calls they hold."""
        with self._reading() as at:
            return at.lists.count(at.conn, query, at.hits(query))

    def facets(self, query: Query) -> dict[str, list[tuple[str, int]]]:
        """Return, for status, name, model, provider and key, each value with how many traces have it.

        A field's own terms do not narrow its own values, so that others can be chosen beside them.
        """
        with self._reading() as at:
            return at.lists.facets(at.conn, query, at.hits(query))

    def models(self) -> list[str]:
        """Return the models of all calls."""
        with self._reading() as at:
            return at.lists.names(at.conn, "model")

    def providers(self) -> list[str]:
        """Return the providers of all calls."""
        with self._reading() as at:
            return at.lists.names(at.conn, "provider")

    def keys(self) -> list[str]:
        """Return the names of all virtual keys, revoked ones too."""
        with self._reading() as at:
            return [name for (name,) in at.conn.execute("SELECT DISTINCT name FROM vkey ORDER BY name").fetchall()]

    def tree(self, trace: int) -> TraceTree:
        """Return the tree of a trace by its row id."""
        from app.store import trees  # brings numpy

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
            counted = at.shared.counter.totals(at.conn, time_ns())
            return replace(counted, unindexed=at.shared.finder.unindexed(at.conn))

    def data_version(self) -> int:
        """Return a number that is another one after every commit."""
        try:
            return self._connections.data_version()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Close the connections of all threads; nobody may be reading."""
        self._connections.close()

    @contextmanager
    def _reading(self) -> Iterator[_At]:
        try:
            opened = self._connections.own()
            with self._lock:
                if self._shared is None or self._shared.file != opened.file:
                    self._shared = _Shared(self._paths, opened.file)
                shared = self._shared
            yield _At(opened.conn, opened.bodies, shared)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> StoreError:
        return StoreError(f"{self._paths.database} cannot be read: {error}.")


def _searched_page(at: _At, query: Query, hits: Hits, before: traces.Cursor | None, limit: int) -> list[TraceRow]:
    ids = at.lists.page_ids(at.conn, query, hits, before, limit)
    rows = traces.rows(at.conn, ids)
    if len(rows) < len(ids):  # some were deleted meanwhile: a short page would look like the last one
        at.lists.doubt()
        rows = traces.rows(at.conn, at.lists.page_ids(at.conn, query, hits, before, limit))
    return rows


def _find(conn: sqlite3.Connection, text: str) -> int | None:
    parent = parse_traceparent(text)
    if parent is not None:
        return traces.find(conn, parent.trace_id) or _trace_of(conn, _BY_SPAN, parent.span_id)
    digits = text.lower().removeprefix("0x").replace("-", "")
    if len(digits) in (16, 32) and all(digit in "0123456789abcdef" for digit in digits):
        if len(digits) == 32:
            return traces.find(conn, bytes.fromhex(digits))
        return _trace_of(conn, _BY_SPAN, span_from_hex(digits))
    return _trace_of(conn, "SELECT trace FROM call WHERE rid = ? LIMIT 1", text)


def _trace_of(conn: sqlite3.Connection, sql: str, value: object) -> int | None:
    row = conn.execute(sql, (value,)).fetchone()
    return int(row[0]) if row else None
