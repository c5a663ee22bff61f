"""Marks for caching, as many and in the order that Anthropic takes.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from typing import Final

from app.dialects.losses import Losses
from app.models.message import CacheMark

MOST_MARKS: Final = 4
_LONG: Final = "1h"
_TTLS: Final = ("5m", _LONG)


class Marks:
    """The marks of one request, asked for in the order of the prompt: tools, system, messages."""

    def __init__(self, n_marks: int, losses: Losses, *, is_own: bool) -> None:
        """`n_marks`: how many will be asked for. The last four stay: each of them covers all before it."""
        self._to_skip = 0 if is_own else max(0, n_marks - MOST_MARKS)
        self._losses = losses
        self._is_own = is_own
        self._had_short = False

    def field(self, mark: CacheMark | None) -> dict[str, object]:
        """Return the field that marks a block, {} where it has no mark or loses it."""
        if mark is None:
            return {}
        if self._to_skip:
            self._to_skip -= 1
            self._losses.drop("cache_control", f"Anthropic takes {MOST_MARKS} marks for caching: the last ones stay")
            return {}
        ttl = mark.ttl
        if not self._is_own:
            ttl = self._fitting(ttl)
        return {"cache_control": {"type": "ephemeral"} if ttl is None else {"type": "ephemeral", "ttl": ttl}}

    def _fitting(self, ttl: str | None) -> str | None:
        if ttl is not None and ttl not in _TTLS:
            self._losses.change("cache_control.ttl", f"Anthropic keeps a prompt for 5m or 1h, not for {ttl}")
            ttl = None
        if ttl == _LONG and self._had_short:
            self._losses.change("cache_control.ttl", "a mark of 1h cannot follow one of 5m: it lives 5m, too")
            ttl = None
        self._had_short = self._had_short or ttl != _LONG
        return ttl
