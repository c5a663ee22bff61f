"""Fuzzy matching for the palette: letters in order, word starts first. One regular expression over one joined text."""

import re
from collections.abc import Sequence
from typing import Final

CONSIDERED: Final = 400
"""Matches that are ranked; a text that matches more is too short to rank well."""


def rank(words: str, titles: Sequence[str]) -> list[int]:
    """Return the indexes of the titles that hold the letters of `words` in order, the best first."""
    letters = "".join(words.lower().split())
    if not letters:
        return list(range(len(titles)))
    joined = "\n".join(title.replace("\n", " ") for title in titles).lower()
    pattern = re.compile("[^\n]*?".join(["^", *map(re.escape, letters)]), re.MULTILINE)
    found: list[tuple[float, int]] = []
    line, passed = 0, 0
    for match in pattern.finditer(joined):
        line += joined.count("\n", passed, match.start())
        passed = match.start()
        found.append((_cost(letters, titles[line].lower()), line))
        if len(found) >= CONSIDERED:
            break
    return [index for _, index in sorted(found)]


def _cost(letters: str, title: str) -> float:
    """Lower is better: a whole run at the start of a word beats letters strewn about."""
    at = title.find(letters)
    if at == 0:
        return 0.0 + len(title) / 1000
    if at > 0:
        return (1.0 if title[at - 1] in " .-/:" else 2.0) + len(title) / 1000
    initials = "".join(word[0] for word in title.split() if word)
    if initials.startswith(letters):
        return 1.5 + len(title) / 1000
    cost, place = 3.0, -1
    for letter in letters:
        there = title.find(letter, place + 1)
        if there < 0:
            return cost + 10
        if there != place + 1 and (there == 0 or title[there - 1] not in " .-/:"):
            cost += 0.5
        place = there
    return cost + len(title) / 1000
