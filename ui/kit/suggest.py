"""What a filter's text may go on with: fields, then values with counts. Pure; no Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.models.query import FIELDS, HAS, term
from app.models.span import Kind

_FIXED: Final[Mapping[str, Sequence[str]]] = {
    "status": ("error", "ok", "running", "aborted", "interrupted", "429", "5*"),
    "has": HAS,
    "kind": tuple(kind.name.lower() for kind in Kind if kind is not Kind.SPAN),
    "since": ("15m", "1h", "24h", "today", "7d", "30d"),
    "until": ("1h", "yesterday", "7d"),
    "dur": (">1s", ">5s", ">30s", "<100ms"),
    "ttft": (">500ms", ">1s", ">3s"),
    "cost": (">0.01", ">0.1", ">1"),
    "tokens": (">1k", ">10k", ">100k"),
}
MOST: Final = 12

Facets = Mapping[str, Sequence[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line of the completion list."""

    text: str
    """What stands in the field when it is taken; a field ends with its colon."""
    note: str
    """Why: what the field claims, or how often the value occurs."""


def suggest(typed: str, facets: Facets) -> list[Suggestion]:
    """Return how the term being typed may go on, likeliest first."""
    sign = "-" if typed.startswith("-") else ""
    body = typed[len(sign) :]
    name, colon, value = body.partition(":")
    if not colon:
        return [Suggestion(f"{sign}{field}:", note) for field, note in FIELDS.items() if field.startswith(body.lower())]
    return _values(sign, name.lower(), value, facets)[:MOST] if name.lower() in FIELDS else []


def _values(sign: str, name: str, value: str, facets: Facets) -> list[Suggestion]:
    done, comma, last = value.rpartition(",")
    wanted = last.strip('"').casefold()
    before = f"{sign}{name}:{done}{comma}"
    counted = [(found, f"{count:,}") for found, count in facets.get(name, ())]
    known = {found for found, _ in counted}
    fixed = [(found, "") for found in _FIXED.get(name, ()) if found not in known]
    options = [option for option in counted + fixed if wanted in option[0].casefold()]
    options.sort(key=lambda option: not option[0].casefold().startswith(wanted))
    return [Suggestion(before + _quoted(name, found, facets), note) for found, note in options]


def _quoted(name: str, value: str, facets: Facets) -> str:
    """Return a value as it stands after a field's colon; the fixed ones may hold `>` and `*`, which must work."""
    return term(name, value).partition(":")[2] if name in facets else value
