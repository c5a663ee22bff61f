"""What a commit touched: the only notice there is. Gateway to desktop, coalesced."""

import msgspec


class Change(msgspec.Struct, frozen=True):
    """One or more commits. On the wire it is this struct as JSON in a server-sent event named `change`."""

    seq: int
    """Rises by one a notice; a gap means notices were missed: read again."""
    traces: tuple[int, ...] = ()
    """Row ids of traces that are new or different, ascending; empty with `is_all`."""
    is_all: bool = False
    """Too much changed to list: read again."""
    keys: bool = False
    """Virtual keys changed."""
    config: bool = False
    """The config was read again."""
