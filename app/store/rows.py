"""Many rows with few statements.

Each step of a statement lets go of the interpreter's lock and fights for it again, against an event loop in the same
process; sixty-four rows a statement do it once.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

Row = tuple[object, ...]
_IDS_A_STATEMENT: Final = 500
_CHUNKS: Final = (64, 16, 4, 1)
"""Few sizes, so that the prepared statements are found again."""


def insert(conn: sqlite3.Connection, head: str, rows: Sequence[Row], tail: str = "") -> None:
    """Run `head VALUES (…), (…) tail` for all rows, which have the same length."""
    at = 0
    for size in _CHUNKS:
        while len(rows) - at >= size:
            some = rows[at : at + size]
            conn.execute(_statement(head, len(some[0]), size, tail), tuple(chain.from_iterable(some)))
            at += size


def where_in(conn: sqlite3.Connection, statement: str, before: Row, ids: Sequence[int]) -> None:
    """Run `statement (ids)`, a few hundred at a time; `before` are the parameters that come first."""
    for at in range(0, len(ids), _IDS_A_STATEMENT):
        some = ids[at : at + _IDS_A_STATEMENT]
        conn.execute(f"{statement} ({','.join('?' * len(some))})", (*before, *some))


def select_in(conn: sqlite3.Connection, statement: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """The rows of `statement (values)`."""
    at = 0
    for size in _CHUNKS:
        while len(values) - at >= size:
            marks = ",".join("?" * size)
            yield from conn.execute(f"{statement} ({marks})", values[at : at + size]).fetchall()
            at += size


@cache
def _statement(head: str, n_columns: int, n_rows: int, tail: str) -> str:
    row = "(" + ",".join("?" * n_columns) + ")"
    return f"{head} VALUES {','.join([row] * n_rows)} {tail}"
