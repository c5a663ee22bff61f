"""What the stitcher draws, put together as the store would, and as text for a test to read."""

from collections.abc import Iterable

from app.digest import Digester
from app.linking.stitch import Stitcher
from app.models.call import CallRecord, ChainEntry, Placement
from app.models.span import SpanWrite
from app.pricing.book import Book

_DIGESTER = Digester(Book(()))


def forgetful(_hash: int) -> ChainEntry | None:
    """A store that knows nothing."""
    return None


class Desk:
    """A store in memory: places calls, keeps the spans."""

    def __init__(self, recall=forgetful) -> None:  # type: ignore[no-untyped-def]
        self.stitcher = Stitcher(recall)
        self.parents: dict[int, int | None] = {}
        self.names: dict[int, str] = {}
        self.traces: dict[int, bytes] = {}
        self.order: dict[int, int] = {}
        self.drawn: dict[int, SpanWrite] = {}
        self.placements: dict[int, Placement] = {}

    def place(self, record: CallRecord) -> Placement:
        placement = self.stitcher.place(record, _DIGESTER.digest(record))
        self._put(placement.trace_id, record.span_id, placement.parent_span_id, "call", record.start_ns)
        for span in placement.spans:
            self._put(
                span.trace_id, span.span_id, span.parent_span_id, f"{span.kind.name.lower()} {span.name}", span.start_ns
            )
            self.drawn[span.span_id] = span
        for span_id, parent in placement.moves:
            self.parents[span_id] = parent
        self.placements[record.span_id] = placement
        return placement

    def place_all(self, records: Iterable[CallRecord]) -> list[Placement]:
        return [self.place(record) for record in records]

    def _put(self, trace_id: bytes, span_id: int, parent: int | None, name: str, start_ns: int) -> None:
        assert self.traces.setdefault(span_id, trace_id) == trace_id, "a span never changes its trace"
        self.parents[span_id] = parent
        self.names[span_id] = name
        self.order.setdefault(span_id, start_ns)

    def tree(self, trace_id: bytes) -> str:
        """The spans of a trace by start, one a line, indented by depth; a parent that never came is marked."""
        spans = [span_id for span_id, trace in self.traces.items() if trace == trace_id]
        lines: list[str] = []

        def walk(parent: int | None, depth: int) -> None:
            kids = [span_id for span_id in spans if self.parents[span_id] == parent]
            for span_id in sorted(kids, key=lambda it: (self.order[it], self.names[it])):
                lines.append("  " * depth + self.names[span_id])
                walk(span_id, depth + 1)

        walk(None, 0)
        for missing in {self.parents[it] for it in spans} - set(spans) - {None}:
            lines.append("(elsewhere)")
            walk(missing, 1)
        return "\n".join(lines)
