"""Thoughts that a model writes into its text, between `<think>` and `</think>`, told apart piece by piece.

Local models do so where their server has no field for thoughts. The blanks around a thought belong to nobody: they are
left out, as Ollama's own parser does.
"""

from typing import Final

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


class ThinkTags:
    """Splits one answer's text, however it was cut: the pieces of each kind join to the same words."""

    def __init__(self) -> None:
        self._held = ""
        """What may be the beginning of a tag, or blanks whose worth the next piece decides."""
        self._is_thought = False
        self._is_start = True
        """Nothing but blanks has come since the beginning or since a tag."""
        self._has_split = False

    def split(self, text: str) -> list[tuple[bool, str]]:
        """Return what is certain so far: whether it is a thought, and its words."""
        found: list[tuple[bool, str]] = []
        rest = self._held + text
        while True:
            tag = _CLOSE if self._is_thought else _OPEN
            place = rest.find(tag)
            if place < 0:
                break
            self._tell(rest[:place], found, before_tag=True)
            rest = rest[place + len(tag) :]
            self._is_thought = not self._is_thought
            self._is_start = self._has_split = True
        keep = _tag_chars(rest, tag)
        if self._is_thought or (self._is_start and not rest[: len(rest) - keep].strip()):
            keep = len(rest) - len(rest[: len(rest) - keep].rstrip())
        self._held = rest[len(rest) - keep :]
        self._tell(rest[: len(rest) - keep], found)
        return found

    def close(self) -> list[tuple[bool, str]]:
        """Return what was held back: half a tag at the very end is text."""
        found: list[tuple[bool, str]] = []
        rest, self._held = self._held, ""
        self._tell(rest.rstrip() if self._is_thought else rest, found)
        return found

    def _tell(self, text: str, found: list[tuple[bool, str]], *, before_tag: bool = False) -> None:
        if self._is_start and (self._has_split or (before_tag and text.isspace())):
            text = text.lstrip()
        if before_tag and self._is_thought:
            text = text.rstrip()
        if text:
            self._is_start = False
            found.append((self._is_thought, text))


def _tag_chars(text: str, tag: str) -> int:
    """Return how many characters at the end may be the beginning of a tag."""
    most = min(len(tag) - 1, len(text))
    return next((size for size in range(most, 0, -1) if tag.startswith(text[-size:])), 0)
