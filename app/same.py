"""What was worked out of a large body, found again when the very same bytes come: a retry, a resent history.

Comparing bytes costs a twentieth of reading or hashing them.
"""

from typing import Final, Generic, TypeVar

V = TypeVar("V")

_LEAST_BYTES: Final = 8_192
"""Below this, doing the work again costs no more than looking."""
_MOST_BYTES: Final = 2_000_000
_EDGE_BYTES: Final = 48


class Same(Generic[V]):
    """Values by whole bodies, the last few megabytes of them. For one thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bytes, bytes], tuple[bytes, V]] = {}
        self._size_bytes = 0

    def get(self, body: bytes) -> V | None:
        """Return what was kept for these bytes, None where nothing was."""
        if len(body) < _LEAST_BYTES:
            return None
        found = self._kept.get(_key(body))
        return found[1] if found is not None and found[0] == body else None

    def put(self, body: bytes, value: V) -> None:
        """Keep a value for these bytes; the oldest are dropped."""
        if not _LEAST_BYTES <= len(body) <= _MOST_BYTES // 2:
            return
        key = _key(body)
        before = self._kept.pop(key, None)
        self._size_bytes += len(body) - (len(before[0]) if before else 0)
        self._kept[key] = (body, value)
        while self._size_bytes > _MOST_BYTES:
            oldest = next(iter(self._kept))
            self._size_bytes -= len(self._kept.pop(oldest)[0])

    def clear(self) -> None:
        """Forget everything."""
        self._kept, self._size_bytes = {}, 0


def _key(body: bytes) -> tuple[int, bytes, bytes]:
    return len(body), body[:_EDGE_BYTES], body[-_EDGE_BYTES:]
