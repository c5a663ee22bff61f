"""The full-text index: `search.db`, a file of its own that can always be made again from `traces.db`.

A row of `fts` is an item (its id) or a span (its id, negated); the text itself is not kept. The writer fills it late, a
slice at a time, when it has nothing else to write: `fresh` lists the ended spans that wait. A span is in the index
before it leaves `fresh`, so that whoever looks into both misses nothing. An item that retention deleted (`gone`)
leads to no span any more; its words go when a third of the index is such, by indexing again from the newest span down.
"""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Final

from app.errors import StoreError
from app.paths import Paths
from app.store.bodies import Bodies
from app.store.connect import checkpoint
from app.store.documents import documents, item_texts

VERSION: Final = 1
_SCHEMA: Final = f"""
CREATE VIRTUAL TABLE fts USING fts5(t, content='', tokenize='unicode61 remove_diacritics 2');
CREATE TABLE state (todo INTEGER NOT NULL, dead INTEGER NOT NULL);
PRAGMA user_version = {VERSION};
"""
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = OFF",
    "PRAGMA busy_timeout = 5000",
)
_SLICE_SPANS: Final = 64
_SLICE_S: Final = 0.02
_FEW_DEAD: Final = 5000


class IndexJob:
    """Brings the index up to date, a slice a run. An idle job of the writer, in its thread."""

    def __init__(self, data_dir: Path, clock_s: Callable[[], float] = perf_counter) -> None:
        self._path = Paths(data_dir).search
        self._clock_s = clock_s
        self._index: sqlite3.Connection | None = None
        self._bodies: Bodies | None = None
        self._begun: int | None = None
        """The span that is being added; left over by a run that failed on it."""
        self._passed_over: set[int] = set()
        self._is_dirty = False

    def __call__(self, conn: sqlite3.Connection) -> bool:
        """Index a slice; True if there is more. `conn` is the writer's, outside any transaction.

        A bug that a span brings to light flies once; the span is passed over then.
        """
        if self._begun is not None:
            self._passed_over.add(self._begun)
            self._begun = None
        if self._index is None or self._bodies is None:
            self._index, self._bodies = _opened(self._path, conn), Bodies(conn)
        waiting = _ids(conn, "SELECT span FROM fresh ORDER BY span LIMIT ?", (_SLICE_SPANS,))
        if waiting:
            self._is_dirty = True
            done = self._add(conn, self._index, self._bodies, waiting)
            _delete(conn, "fresh", "span", done)
            return True
        gone = _ids(conn, "SELECT item FROM gone LIMIT ?", (1000,))
        if gone:
            self._index.execute("UPDATE state SET dead = dead + ?", (len(gone),))
            _delete(conn, "gone", "item", gone)
            _restart_if_stale(conn, self._index)
            return True
        more = self._add_older(conn, self._index, self._bodies)
        if not more and self._is_dirty:
            self._is_dirty = False
            checkpoint(self._index)
        return more

    def close(self) -> None:
        """Close the index's file, its log emptied into it. Behind the writer's end, from any thread."""
        if self._index is not None:
            checkpoint(self._index)
            self._index.close()
            self._index = self._bodies = None

    def _add_older(self, conn: sqlite3.Connection, index: sqlite3.Connection, bodies: Bodies) -> bool:
        """Index on from the newest span that was there when the index was begun, downwards."""
        todo = index.execute("SELECT todo FROM state").fetchone()[0]
        older = _ids(conn, "SELECT id FROM span WHERE id <= ? ORDER BY id DESC LIMIT ?", (todo, _SLICE_SPANS))
        done = self._add(conn, index, bodies, older) if older else []
        index.execute("UPDATE state SET todo = ?", (done[-1] - 1 if done else 0,))
        return bool(older)

    def _add(self, conn: sqlite3.Connection, index: sqlite3.Connection, bodies: Bodies, spans: list[int]) -> list[int]:
        """Index these spans as far as a slice's time goes; return those that are done."""
        end_s = self._clock_s() + _SLICE_S
        done: list[int] = []
        index.execute("BEGIN IMMEDIATE")
        with index:
            for span in spans:
                if span not in self._passed_over:
                    self._begun = span
                    _add_span(conn, index, bodies, span)
                    self._begun = None
                done.append(span)
                if self._clock_s() > end_s:
                    break
        return done


def unindexed(conn: sqlite3.Connection, todo: int) -> int:
    """Return how many spans search does not fully see yet; `todo` is that of the index's state."""
    waiting = conn.execute("SELECT count(*) FROM fresh").fetchone()[0]
    older = conn.execute("SELECT count(*) FROM span WHERE id <= ?", (todo,)).fetchone()[0] if todo else 0
    return int(waiting + older)


def _opened(path: Path, conn: sqlite3.Connection) -> sqlite3.Connection:
    """Open the index; begin a new one where it is missing, of another version, or broken."""
    try:
        return _opened_index(path, conn)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    return _opened_index(path, conn)


def _opened_index(path: Path, conn: sqlite3.Connection) -> sqlite3.Connection:
    index = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            index.execute(pragma)
        version = index.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"search index version {version}")
        if version == 0:
            newest = conn.execute("SELECT ifnull(max(id), 0) FROM span").fetchone()[0]
            index.executescript(_SCHEMA)
            index.execute("INSERT INTO state VALUES (?, 0)", (newest,))
    except sqlite3.Error:
        index.close()
        raise
    return index


def _add_span(conn: sqlite3.Connection, index: sqlite3.Connection, bodies: Bodies, span: int) -> None:
    """Add a span's documents; a span's own comes with its items, so that one look tells whether they are there."""
    if _has(index, -span):
        return
    try:
        found = documents(conn, bodies, span)
    except StoreError:  # a body that is damaged has no text; the span is still listed
        return
    if found is None:
        return
    texts = item_texts(bodies, (item for item in found.items if not _has(index, item)))
    rows = [(item, text) for item, text in texts.items() if text]
    rows.append((-span, found.text))
    index.executemany("INSERT INTO fts (rowid, t) VALUES (?, ?)", rows)


def _has(index: sqlite3.Connection, document: int) -> bool:
    return index.execute("SELECT 1 FROM fts_docsize WHERE id = ?", (document,)).fetchone() is not None


def _restart_if_stale(conn: sqlite3.Connection, index: sqlite3.Connection) -> None:
    dead = index.execute("SELECT dead FROM state").fetchone()[0]
    if dead < _FEW_DEAD or dead < index.execute("SELECT count(*) FROM fts_docsize").fetchone()[0] / 3:
        return
    newest = conn.execute("SELECT ifnull(max(id), 0) FROM span").fetchone()[0]
    index.execute("BEGIN IMMEDIATE")
    with index:
        index.execute("INSERT INTO fts (fts) VALUES ('delete-all')")
        index.execute("UPDATE state SET todo = ?, dead = 0", (newest,))


def _ids(conn: sqlite3.Connection, sql: str, values: tuple[int, ...]) -> list[int]:
    return [row[0] for row in conn.execute(sql, values).fetchall()]


def _delete(conn: sqlite3.Connection, table: str, column: str, ids: Iterable[int]) -> None:
    conn.execute("BEGIN IMMEDIATE")
    with conn:
        conn.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(one,) for one in ids])  # noqa: S608
