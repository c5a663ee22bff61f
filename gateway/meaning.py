"""What records mean, worked out in the writer's thread, and what the store does when it has nothing to write.

Readers of every dialect, prices and links take a quarter of the gateway's start and are not needed before its first
call: they are imported here when first wanted, in that thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.config import PriceRow, RetentionConfig
from app.models.call import CallRecord, CallWrite, ChainEntry

if TYPE_CHECKING:
    from app.digest import Digester
    from app.linking.stitch import Stitcher

Recall = Callable[[int], ChainEntry | None]


class Meaning:
    """Turns records into what is stored. All but `reprice` belongs to the writer's thread."""

    def __init__(self, prices: Sequence[PriceRow]) -> None:
        self._prices = prices
        self._priced: Sequence[PriceRow] | None = None
        self._digester: Digester
        self._stitcher: Stitcher | None = None
        self._recall: Recall

    @property
    def prices(self) -> Sequence[PriceRow]:
        """The rows priced by now; another object once they changed. Any thread."""
        return self._prices

    def reprice(self, prices: Sequence[PriceRow]) -> None:
        """Price by these rows from the next record on. Any thread."""
        self._prices = prices

    def make_prepare(self, recall: Recall) -> Callable[[CallRecord], CallWrite]:
        """Return the function that makes a record ready for the store."""
        self._recall = recall
        return self.prepare

    def prepare(self, record: CallRecord) -> CallWrite:
        """Return a record with what it says and where it belongs."""
        stitcher = self.ready()
        digest = self._digester.digest(record)
        return CallWrite(record, digest, stitcher.place(record, digest))

    def ready(self) -> Stitcher:
        """Have everything at hand that a record needs; cheap after the first time."""
        if self._priced is not self._prices:
            from app.digest import Digester
            from app.pricing.book import Book

            self._priced = self._prices
            self._digester = Digester(Book(self._priced))
        if self._stitcher is None:
            from app.linking.stitch import Stitcher

            self._stitcher = Stitcher(self._recall)
        return self._stitcher


class QuietWork:
    """The store's idle jobs as one, imported when the store is first idle: search index, seals, retention."""

    def __init__(self, data: Path, retention: Callable[[], RetentionConfig]) -> None:
        self._data = data
        self._retention = retention
        self._jobs: tuple[Callable[[Any], bool], ...] = ()
        self._close: Callable[[], None] = lambda: None

    def __call__(self, conn: Any) -> bool:
        """Do a slice of each; True: there is more to do."""
        self._jobs = self._jobs or self._made()
        has_more = [job(conn) for job in self._jobs]  # each gets its turn
        return any(has_more)

    def close(self) -> None:
        """Put away what the jobs hold open. Behind the writer's end."""
        self._close()

    def _made(self) -> tuple[Callable[[Any], bool], ...]:
        from app.store.retention import Limits, Retention
        from app.store.search import IndexJob
        from app.store.segments import SealJob
        from app.store.skeleton import SkeletonJob

        def limits() -> Limits:
            kept = self._retention()
            return Limits(kept.max_age_days, kept.max_size_gb)

        index = IndexJob(self._data)
        self._close = index.close
        return index, SkeletonJob(), SealJob(), Retention(self._data, limits)
