"""What the window reads of a run of an agent: its traces, oldest first, as lines of text."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.models.query import Query
from app.models.span import Kind, Status
from app.models.trace import SpanDetail, TraceRow
from app.store.reader import Reader


@dataclass(frozen=True)
class Run:
    """One trace."""

    row: TraceRow
    tree: str
    """Its spans, one a line, indented by depth: `llm gpt-4.1`; one that did not end well is marked with `!`."""
    calls: tuple[SpanDetail, ...]
    """Its calls to a model, by start."""


@contextmanager
def stored_runs(data: Path) -> Iterator[list[Run]]:
    """The traces in a data folder."""
    reader = Reader(data)
    try:
        rows = sorted(reader.traces(Query(), None, 100), key=lambda row: row.start_ns)
        yield [_run(reader, row) for row in rows]
    finally:
        reader.close()


def _run(reader: Reader, row: TraceRow) -> Run:
    tree = reader.tree(row.id)
    lines, calls = [], []
    for place, span_id in enumerate(tree.id.tolist()):
        kind, status = Kind(int(tree.kind[place])), Status(int(tree.status[place]))
        mark = "" if status is Status.OK else f" ! {status.name}"
        lines.append(f"{'  ' * int(tree.depth[place])}{kind.name.lower()} {tree.names[int(tree.name[place])]}{mark}")
        if kind is Kind.LLM:
            calls.append(reader.span(span_id))
    return Run(row, "\n".join(lines), tuple(sorted(calls, key=lambda call: call.start_ns)))
