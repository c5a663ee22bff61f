"""Keeps the traces list true to the store: reads it under a filter, brings rows as they are shown, follows changes.

Answers to an older filter are dropped. New rows join at most ten times a second, and only while the list is at its top
with nothing chosen; else they are counted (`held`) until `let_in`.
"""

from array import array
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from app.models.change import Change
from app.models.query import Query
from app.models.trace import TraceRow
from ui.desk import Desk
from ui.traces.model import TraceListModel

FIRST: Final = 200
"""Rows read at once for the first screen."""
HEAD: Final = 200
"""Newest rows compared when something changed."""
COALESCE_MS: Final = 100


class TraceFeed(QObject):
    """Owns what the model holds; GUI thread only."""

    held = Signal(int)
    """How many new traces wait to be let in; 0 when they are in."""
    loaded = Signal()
    """The list stands under the newest filter."""
    counted = Signal(int, int)
    """Traces and calls that match."""
    loading = Signal(bool)

    def __init__(
        self, desk: Desk, model: TraceListModel, is_open: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        """`is_open` says whether new rows may move the list now."""
        super().__init__(parent)
        self._desk = desk
        self._model = model
        self._is_open = is_open
        self._query = Query()
        self._turn = 0
        self._touched: set[int] = set()
        self._is_all_touched = False
        self._is_following = False
        self._waiting: list[TraceRow] = []
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._on_timer)
        self._since_round = QElapsedTimer()
        model.wanted.connect(self._on_wanted)

    @property
    def query(self) -> Query:
        """The filter in force."""
        return self._query

    def set_query(self, query: Query) -> None:
        """Show what matches this filter; the old list stays until the new one is there."""
        self._query = query
        self.reload()

    def reload(self) -> None:
        """Read the list again."""
        self._turn += 1
        self._touched.clear()
        self._is_all_touched = False
        self._set_waiting([])
        self.loading.emit(True)
        self._desk.start(self._load(self._turn), "Reading the traces")

    def on_change(self, change: Change) -> None:
        """Take note of a change; the list follows at once, or a tenth of a second after it last did."""
        if change.is_all:
            self._is_all_touched = True
        self._touched.update(change.traces)
        if not self._timer.isActive() and (change.is_all or change.traces):
            since_ms = self._since_round.elapsed() if self._since_round.isValid() else COALESCE_MS
            self._timer.start(max(0, COALESCE_MS - since_ms))

    def let_in(self) -> None:
        """Let the new traces that wait join the list."""
        rows = self._waiting
        self._set_waiting([])
        if rows and not self._model.merge_head(rows):
            self.reload()

    async def _load(self, turn: int) -> None:
        reader, query = self._desk.reader, self._query
        try:
            rows: list[TraceRow] = await reader.ask("traces", query, None, FIRST)
            if turn != self._turn:
                return
            is_whole = len(rows) < FIRST
            self._model.forget_rows(list(self._model.known_ids()))
            self._model.put_rows(rows)
            self._model.set_ids(array("q", (row.id for row in rows)))
            self.loaded.emit()
            if not is_whole:
                packed: bytes = await reader.ask("trace_ids", query)
                if turn != self._turn:
                    return
                self._extend(packed)
        finally:
            if turn == self._turn:
                self.loading.emit(False)
        await self._count(turn)

    def _extend(self, packed: bytes) -> None:
        """Add the ids that follow the first screen."""
        ids: array[int] = array("q")
        ids.frombytes(packed)
        self._model.extend_ids(ids)

    async def _count(self, turn: int) -> None:
        counts: tuple[int, int] = await self._desk.reader.ask("count", self._query)
        if turn == self._turn:
            self.counted.emit(*counts)

    def _on_wanted(self, ids: list[int]) -> None:
        self._desk.start(self._bring(ids), "Reading traces")

    async def _bring(self, ids: list[int]) -> None:
        rows: list[TraceRow] = await self._desk.reader.ask("trace_rows", ids)
        self._model.put_rows(rows)

    def _on_timer(self) -> None:
        if self._is_following:  # one round at a time: a slow store must not pile up questions
            self._timer.start(COALESCE_MS)
            return
        self._since_round.restart()
        touched, self._touched = self._touched, set()
        is_all, self._is_all_touched = self._is_all_touched, False
        self._is_following = True
        task: Any = self._desk.start(self._follow(self._turn, touched, is_all), "Following the traces")
        task.add_done_callback(self._on_followed)

    def _on_followed(self, task: Any) -> None:
        self._is_following = False

    async def _follow(self, turn: int, touched: set[int], is_all: bool) -> None:
        """Bring the head of the list, and what changed further down, up to date."""
        reader = self._desk.reader
        head: list[TraceRow] = await reader.ask("traces", self._query, None, HEAD)
        shown = set(self._model.known_ids())
        below = [row_id for row_id in (shown if is_all else touched & shown) if row_id not in {row.id for row in head}]
        rows: list[TraceRow] = await reader.ask("trace_rows", below) if below else []
        if turn != self._turn:
            return
        self._model.put_rows(rows)
        self._take_head(head)
        await self._count(turn)

    def _take_head(self, head: list[TraceRow]) -> None:
        known = set(self._model.ids()[: 4 * HEAD])
        fresh = [row for row in head if row.id not in known]
        if fresh and not self._is_open() and len(known):
            self._model.put_rows(row for row in head if row.id in known)
            self._set_waiting(head)
            self.held.emit(len(fresh))
            return
        self._set_waiting([])
        if not self._model.merge_head(head, is_all=len(head) < HEAD):
            self.reload()

    def _set_waiting(self, rows: list[TraceRow]) -> None:
        had = bool(self._waiting)
        self._waiting = rows
        if had and not rows:
            self.held.emit(0)
