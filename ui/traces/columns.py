"""The columns of the traces list: what each reads, and how a cell becomes a term of the filter."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from app.models.query import term
from app.models.span import Status
from app.models.trace import TraceRow
from ui import format


class Column(IntEnum):
    """A column of the list; the numbers are kept in settings: never renumber."""

    STATUS = 0
    TIME = 1
    NAME = 2
    MODEL = 3
    INPUT = 4
    OUTPUT = 5
    DURATION = 6
    TTFT = 7
    TOKENS = 8
    COST = 9
    SPANS = 10
    SESSION = 11
    KEY = 12
    PROVIDER = 13


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """How one column looks."""

    title: str
    width_px: int
    is_right: bool = False
    is_code: bool = False
    is_shown: bool = True


SPECS: Final[dict[Column, ColumnSpec]] = {
    Column.STATUS: ColumnSpec("", 30),
    Column.TIME: ColumnSpec("Time", 84, is_code=True),
    Column.NAME: ColumnSpec("Name", 160),
    Column.MODEL: ColumnSpec("Model", 140),
    Column.INPUT: ColumnSpec("Input", 200),
    Column.OUTPUT: ColumnSpec("Output", 200),
    Column.DURATION: ColumnSpec("Duration", 86, is_right=True, is_code=True),
    Column.TTFT: ColumnSpec("TTFT", 70, is_right=True, is_code=True),
    Column.TOKENS: ColumnSpec("Tokens", 122, is_right=True, is_code=True),
    Column.COST: ColumnSpec("Cost", 104, is_right=True, is_code=True),
    Column.SPANS: ColumnSpec("Spans", 54, is_right=True, is_code=True),
    Column.SESSION: ColumnSpec("Session", 100),
    Column.KEY: ColumnSpec("Key", 76),
    Column.PROVIDER: ColumnSpec("Provider", 90, is_shown=False),
}
TITLES: Final = tuple(SPECS[column].title for column in Column)
MENU_TITLES: Final = {column: SPECS[column].title or "Status" for column in Column}
STATUS_WORDS: Final = {
    Status.RUNNING: "running",
    Status.OK: "ok",
    Status.ERROR: "error",
    Status.ABORTED: "aborted",
    Status.INTERRUPTED: "interrupted",
}


def cell_text(row: TraceRow, column: Column, now_ns: int) -> str:
    """Return what a cell reads; a running trace's duration is up to `now_ns`."""
    return _TEXTS[column](row, now_ns)


def duration_ns(row: TraceRow, now_ns: int) -> int | None:
    """Return how long a trace took, or has taken so far."""
    if row.duration_ns is None and row.status == Status.RUNNING:
        return max(0, now_ns - row.start_ns)
    return row.duration_ns


def tip(row: TraceRow, column: Column, now_ns: int) -> str:
    """Return the fuller text behind a cell, "" where the cell says it all."""
    if column == Column.TIME:
        return f"{format.absolute(row.start_ns)}\n{format.ago(row.start_ns, now_ns)}"
    if column == Column.STATUS:
        return STATUS_WORDS[row.status] + (f", {format.count(row.n_errors, 'error')}" if row.n_errors else "")
    if column == Column.COST and row.n_unpriced:
        return f"plus {format.count(row.n_unpriced, 'unpriced call')}"
    if column == Column.INPUT:
        return row.input_preview
    if column == Column.OUTPUT:
        return row.output_preview
    if column == Column.SESSION:
        return row.session or ""
    return ""


def claim(row: TraceRow, column: Column) -> str:
    """Return the filter term that this cell's value makes, "" where a column has none."""
    values: dict[Column, tuple[str, str | None]] = {
        Column.STATUS: ("status", STATUS_WORDS[row.status]),
        Column.NAME: ("name", row.name),
        Column.MODEL: ("model", row.model),
        Column.SESSION: ("session", row.session),
        Column.KEY: ("key", row.key),
        Column.PROVIDER: ("provider", row.provider),
    }
    name, value = values.get(column, ("", None))
    if value:
        return term(name, value)
    if column == Column.DURATION and row.duration_ns is not None:
        return f"dur:>={_ms(row.duration_ns)}"
    if column == Column.TTFT and row.ttft_ns is not None:
        return f"ttft:>={_ms(row.ttft_ns)}"
    if column == Column.COST and row.cost_nusd:
        return f"cost:>={row.cost_nusd / 1e9:.9f}".rstrip("0")
    if column == Column.TOKENS and _tokens(row):
        return f"tokens:>={_tokens(row)}"
    return ""


def _ms(value_ns: int) -> str:
    return f"{value_ns // 1_000_000}ms"


def _tokens(row: TraceRow) -> int:
    return (row.input_tokens or 0) + (row.output_tokens or 0)


def _token_text(row: TraceRow) -> str:
    if row.input_tokens is None and row.output_tokens is None:
        return format.UNKNOWN
    return f"{format.tokens(row.input_tokens)} → {format.tokens(row.output_tokens)}"


def _model(row: TraceRow) -> str:
    if row.model is None:
        return format.UNKNOWN
    return f"{row.model} +{row.n_models - 1}" if row.n_models > 1 else row.model


def _cost(row: TraceRow) -> str:
    return format.money(row.cost_nusd) + ("+" if row.cost_nusd is not None and row.n_unpriced else "")


_TEXTS: Final[dict[Column, Callable[[TraceRow, int], str]]] = {
    Column.STATUS: lambda row, now_ns: STATUS_WORDS[row.status],
    Column.TIME: lambda row, now_ns: format.clock(row.start_ns, now_ns),
    Column.NAME: lambda row, now_ns: row.name,
    Column.MODEL: lambda row, now_ns: _model(row),
    Column.INPUT: lambda row, now_ns: row.input_preview,
    Column.OUTPUT: lambda row, now_ns: row.output_preview,
    Column.DURATION: lambda row, now_ns: format.duration(duration_ns(row, now_ns)),
    Column.TTFT: lambda row, now_ns: format.duration(row.ttft_ns),
    Column.TOKENS: lambda row, now_ns: _token_text(row),
    Column.COST: lambda row, now_ns: _cost(row),
    Column.SPANS: lambda row, now_ns: format.count(row.n_spans),
    Column.SESSION: lambda row, now_ns: row.session or format.UNKNOWN,
    Column.KEY: lambda row, now_ns: row.key or format.UNKNOWN,
    Column.PROVIDER: lambda row, now_ns: row.provider or format.UNKNOWN,
}
