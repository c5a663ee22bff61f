"""Tool names that fit another dialect: bent where they must be, the same way each time, and told apart."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

_TAG_CHARS: Final = 6


class ToolNames:
    """The names of one request. What is sent has a one-to-one way back."""

    def __init__(self, names: Iterable[str], allowed: re.Pattern[str], most_chars: int, *, filler: str = "_") -> None:
        """`allowed` matches a whole good name; `filler` must be a good character anywhere."""
        self._allowed, self._most_chars, self._filler = allowed, most_chars, filler
        self._sent: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        unique = list(dict.fromkeys(names))
        for name in unique:  # good names keep theirs, whatever stands before them
            if self._fits(name):
                self._keep(name, name)
        for name in unique:
            self.sent(name)

    def sent(self, name: str) -> str:
        """Return a name as it is sent. Names that were not given at the start are taken in."""
        known = self._sent.get(name)
        if known is not None:
            return known
        if self._fits(name) and name not in self._taken:
            return self._keep(name, name)
        bent = self._bend(name)
        if bent in self._taken or not self._fits(bent):
            tag = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG_CHARS]
            bent = f"{bent[: self._most_chars - _TAG_CHARS - 1]}{self._filler}{tag}"
        while bent in self._taken:
            bent = f"{bent[:-1]}{(int(bent[-1], 16) + 1) % 16:x}" if bent[-1] in "0123456789abcdef" else bent[:-1] + "0"
        return self._keep(name, bent)

    def changed(self) -> dict[str, str]:
        """Return sent name → original, of those that differ."""
        return {sent: name for name, sent in self._sent.items() if sent != name}

    def _fits(self, name: str) -> bool:
        return len(name) <= self._most_chars and self._allowed.fullmatch(name) is not None

    def _bend(self, name: str) -> str:
        kept = "".join(char if self._fits("a" + char) else self._filler for char in name)[: self._most_chars]
        return kept if kept and self._fits(kept) else f"t{self._filler}{kept}"[: self._most_chars]

    def _keep(self, name: str, sent: str) -> str:
        self._sent[name] = sent
        self._taken[sent] = name
        return sent
