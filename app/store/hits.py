"""Which traces a word or phrase is found in: in the index, and in what the index has not seen yet.

The newest spans that wait to be indexed are searched directly, through an index in memory with the same rules, so that
a call is found as soon as it ended. How many that may be is bounded; the status line says how many wait.
"""

import sqlite3
import threading
from pathlib import Path
from time import monotonic
from typing import Final

from app.errors import StoreError
from app.models.query import Query, Words
from app.store import search
from app.store.bodies import Bodies
from app.store.documents import documents, item_texts
from app.store.filters import Hits

_TAIL_SPANS: Final = 1000
_TAIL_CHARS: Final = 8_000_000
_REMEMBERED: Final = 50
_TAIL_S: Final = 0.3
"""For taking in what is new; what is left is taken in at the next question."""
_INDEXED: Final = """
SELECT DISTINCT s.trace FROM span s WHERE s.id IN (
  SELECT -rowid FROM search.fts WHERE fts MATCH :words AND rowid < 0
  UNION ALL
  SELECT u.span FROM search.fts CROSS JOIN item_use u ON u.item = fts.rowid WHERE fts MATCH :words AND fts.rowid > 0)
"""


def match(words: Words) -> str:
    """Return the FTS5 expression of a phrase."""
    return '"' + words.text.replace('"', '""') + '"' + ("*" if words.is_prefix else "")


class Finder:
    """Finds words. Any thread, each with its own connection."""

    def __init__(self, index: Path) -> None:
        self._path = index
        self._lock = threading.Lock()
        self._tail = _Tail()
        self._known: dict[Words, frozenset[int]] = {}
        self._known_at: object = None
        self._attached: dict[int, tuple[int, int]] = {}
        """By connection: the file it has attached."""

    def hits(self, conn: sqlite3.Connection, bodies: Bodies, query: Query) -> Hits:
        """Return the traces that each full-text alternative of a query is found in."""
        wanted = [one for term in query.terms for one in term.alternatives if isinstance(one, Words)]
        if not wanted:
            return {}
        has_index = self._attach(conn)
        with self._lock:
            state = self._state(conn, has_index)
            is_other = self._tail.refresh(conn, bodies)  # before the index: a span is in one of them at any time
            if is_other or state != self._known_at or len(self._known) > _REMEMBERED:
                self._known.clear()
                self._known_at = state
            for words in wanted:
                if words not in self._known:
                    self._known[words] = self._find(conn, words, has_index)
            return {words: self._known[words] for words in wanted}

    def unindexed(self, conn: sqlite3.Connection) -> int:
        """Return how many spans the index does not have yet."""
        if not self._attach(conn):
            return int(conn.execute("SELECT count(*) FROM span").fetchone()[0])
        return search.unindexed(conn, conn.execute("SELECT todo FROM search.state").fetchone()[0])

    def _find(self, conn: sqlite3.Connection, words: Words, has_index: bool) -> frozenset[int]:
        found = self._tail.find(conn, words)
        if has_index:
            rows = conn.execute(_INDEXED, {"words": match(words)}).fetchall()
            found.update(trace for (trace,) in rows)
        return frozenset(found)

    def _state(self, conn: sqlite3.Connection, has_index: bool) -> object:
        """Return what differs whenever an answer may: by rows that only grow or are used up."""
        spans = conn.execute("SELECT (SELECT max(id) FROM span), (SELECT min(span) FROM fresh), count(*) FROM fresh")
        todo = conn.execute("SELECT todo, dead FROM search.state").fetchone() if has_index else None
        return spans.fetchone(), todo

    def _attach(self, conn: sqlite3.Connection) -> bool:
        """Attach the index to a connection, anew where another file took its place; False while there is none."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return False
        file = (stat.st_dev, stat.st_ino)
        if self._attached.get(id(conn)) == file:
            return True
        if any(name == "search" for _, name, _ in conn.execute("PRAGMA database_list").fetchall()):
            conn.execute("DETACH DATABASE search")
        try:
            conn.execute("ATTACH DATABASE ? AS search", (f"{self._path.absolute().as_uri()}?mode=ro",))
            version = conn.execute("PRAGMA search.user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            return False  # it is broken: the writer begins a new one
        if version != search.VERSION:
            return False
        self._attached[id(conn)] = file
        return True


class _Tail:
    """An index in memory of the spans that wait in `fresh`."""

    def __init__(self) -> None:
        self._index = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._index.execute("CREATE VIRTUAL TABLE fts USING fts5(t, tokenize='unicode61 remove_diacritics 2')")
        self._sizes: dict[int, int] = {}

    def refresh(self, conn: sqlite3.Connection, bodies: Bodies) -> bool:
        """Take in what waits now, the newest first; True if anything came or went."""
        sql = "SELECT span FROM fresh ORDER BY span DESC LIMIT ?"
        waiting = [span for (span,) in conn.execute(sql, (_TAIL_SPANS,)).fetchall()]
        before = set(self._sizes)
        for span in before - set(waiting):
            self._index.execute("DELETE FROM fts WHERE rowid = ?", (span,))
            del self._sizes[span]
        chars, end_s = sum(self._sizes.values()), monotonic() + _TAIL_S
        for span in waiting:
            if chars > _TAIL_CHARS or monotonic() > end_s:
                break
            if span not in self._sizes:
                self._sizes[span] = 0  # a span that brings a bug to light does so once
                text = _text(conn, bodies, span)
                self._sizes[span] = len(text)
                chars += len(text)
                self._index.execute("INSERT INTO fts (rowid, t) VALUES (?, ?)", (span, text))
        return before != self._sizes.keys()

    def find(self, conn: sqlite3.Connection, words: Words) -> set[int]:
        """Return the traces of the spans that hold the words."""
        spans = self._index.execute("SELECT rowid FROM fts WHERE fts MATCH ?", (match(words),)).fetchall()
        found: set[int] = set()
        for (span,) in spans:
            row = conn.execute("SELECT trace FROM span WHERE id = ?", (span,)).fetchone()
            if row is not None:
                found.add(row[0])
        return found


def _text(conn: sqlite3.Connection, bodies: Bodies, span: int) -> str:
    try:
        found = documents(conn, bodies, span)
    except StoreError:
        return ""
    return "" if found is None else "\n".join((found.text, *item_texts(bodies, found.items).values()))
