"""The search language of every list: a text, the terms it is made of, and what each term claims of a trace.

    model:claude* -status:error dur:>2s cost:>=0.01 tokens:1k..8k key:ci,prod since:2h "exact phrase" word prefix*

A space is "and", a comma inside a field is "or", `-` negates. Each term is one claim about a whole trace, about what
its row in the list shows (`dur`, `cost`, `tokens`, `status` …) or about any of its calls (`model`, `provider`, `key`,
`path`). An unknown value satisfies no comparison. The text is the state: printing a parsed text gives it back.
"""

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final, Literal

from app.errors import InputError
from app.models.measure import Interval, read_cost, read_count, read_duration, read_moment
from app.models.span import Kind, Status

Has = Literal["cost", "error", "key", "session", "tool", "ttft"]

FIELDS: Final[dict[str, str]] = {
    "model": "a model that answered one of its calls: claude*",
    "provider": "a provider that one of its calls went to",
    "status": "how it ended: ok, error, running, aborted, interrupted; or the HTTP status of a call: 429, 4*, >=500",
    "key": "the name of the virtual key of one of its calls",
    "cost": "what it cost in US dollars: >0.01, 0.1..0.5",
    "dur": "how long it took: >2s, 100ms..1s",
    "ttft": "the time to the first token of its first call: >800ms",
    "tokens": "tokens in and out together: >8k, 1k..8k",
    "session": "the session it belongs to",
    "kind": "a kind of span it holds: llm, tool, agent, retriever …",
    "has": "something it has: error, tool, session, key, cost, ttft",
    "since": "it began at or after: 2h, 7d, today, 2026-11-23, 2026-11-23T10:30",
    "until": "it began before the end of: 2h, yesterday, 2026-11-23",
    "name": "its name",
    "path": "the request path of one of its calls",
}
"""Every field, with what it claims."""

HAS: Final[tuple[Has, ...]] = ("cost", "error", "key", "session", "tool", "ttft")
_LONGEST: Final = 10_000
_STATUSES: Final = tuple(status.name.lower() for status in Status)
_KINDS: Final = tuple(kind.name.lower() for kind in Kind)
_MEASURES: Final = {"cost": read_cost, "dur": read_duration, "ttft": read_duration, "tokens": read_count}


class QueryError(InputError):
    """A term that cannot be read. `start` and `end` say where in the text it stands, to be underlined."""

    def __init__(self, message: str, *, start: int = 0, end: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Glob:
    """A text to match whole, without regard to the case of a to z. Between its pieces stands any text (the `*`)."""

    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Words that follow each other in a message or a name. With `is_prefix` the last may be only begun."""

    text: str
    is_prefix: bool = False


Alternative = Glob | Interval | Words


@dataclass(frozen=True, slots=True)
class Term:
    """One claim: `field` is any of the alternatives."""

    text: str
    """Exactly as written, its `-` included."""
    field: str
    """A name of `FIELDS`, or "" for full text."""
    alternatives: tuple[Alternative, ...]
    is_negated: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed text. Two queries are equal when their terms are, however they were spaced."""

    terms: tuple[Term, ...] = ()
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.terms)

    def without(self, term: Term) -> "Query":
        """Return the query with that term taken out; itself where it has no such term."""
        return _of(tuple(own for own in self.terms if own != term)) if term in self.terms else self

    def with_term(self, term: Term) -> "Query":
        """Return the query with that term at the end; itself where it already has it."""
        return self if term in self.terms else _of((*self.terms, term))

    def negated(self, term: Term) -> "Query":
        """Return the query with that term turned into its opposite, in its place."""
        text = term.text[1:] if term.is_negated else f"-{term.text}"
        turned = replace(term, text=text, is_negated=not term.is_negated)
        return _of(tuple(turned if own == term else own for own in self.terms))


def parse(text: str, now_ns: int) -> Query:
    """Return what `text` asks for; times such as `since:2h` count back from `now_ns`.

    Raises QueryError (an InputError) that says where, why and what is nearest.
    """
    if len(text) > _LONGEST:
        raise QueryError(f"The search has {len(text):,} characters, more than {_LONGEST:,}.", end=len(text))
    terms: list[Term] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        end = _term_end(text, at)
        terms.append(_read_term(text[at:end], at, now_ns))
        at = end
    return Query(tuple(terms), text)


def term(field_name: str, *values: str, is_negated: bool = False) -> str:
    """Return the text of a term that matches exactly these values: what a facet or a cell writes into the filter."""
    sign = "-" if is_negated else ""
    name = f"{field_name}:" if field_name else ""
    return sign + name + ",".join(_quoted(value) if field_name else _in_quotes(value) for value in values)


def _of(terms: tuple[Term, ...]) -> Query:
    return Query(terms, " ".join(own.text for own in terms))


def _quoted(value: str) -> str:
    is_plain = value and not any(char.isspace() or char in '",*' for char in value)
    return value if is_plain else _in_quotes(value)


def _in_quotes(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _term_end(text: str, start: int) -> int:
    """Return where the term that begins at `start` ends: at the first blank outside quotes."""
    at, in_quotes = start, False
    while at < len(text) and (in_quotes or not text[at].isspace()):
        if text[at] == "\\" and in_quotes:
            at += 1
        elif text[at] == '"':
            in_quotes = not in_quotes
        at += 1
    if in_quotes:
        raise QueryError("A quote is not closed.", start=start, end=len(text), hint='Add the closing ".')
    return at


def _read_term(text: str, start: int, now_ns: int) -> Term:
    try:
        return _parts(text, now_ns)
    except QueryError as error:
        error.start, error.end = start, start + len(text)
        error.message = f"{error.message} (at {start + 1})"
        raise
    except InputError as error:
        place = f"{error.message} (at {start + 1})"
        raise QueryError(place, start=start, end=start + len(text), hint=error.hint) from error


def _parts(text: str, now_ns: int) -> Term:
    is_negated = text.startswith("-") and len(text) > 1
    claim = text[1:] if is_negated else text
    if is_negated and claim.startswith("-"):
        raise QueryError(f"{text!r} negates twice.", hint="Leave one - away, or both.")
    name, colon, value = claim.partition(":")
    if not colon or '"' in name:
        return Term(text, "", (_words(claim),), is_negated)
    name = name.lower()
    if name not in FIELDS:
        nearest = get_close_matches(name, FIELDS, 1, 0.5)
        advice = f"Did you mean {nearest[0]}: ?" if nearest else f"The fields are {', '.join(FIELDS)}."
        raise QueryError(f"There is no field {name!r}.", hint=f'{advice} To search for the text, put it in "quotes".')
    pieces = _split(value)
    return Term(text, name, tuple(_alternative(name, piece, now_ns) for piece in pieces), is_negated)


def _split(value: str) -> list[str]:
    """Return the comma-separated pieces of a field's value, quotes and escapes still on."""
    pieces, begin, at, in_quotes = [], 0, 0, False
    while at < len(value):
        if value[at] == "\\" and in_quotes:
            at += 1
        elif value[at] == '"':
            in_quotes = not in_quotes
        elif value[at] == "," and not in_quotes:
            pieces.append(value[begin:at])
            begin = at + 1
        at += 1
    return [*pieces, value[begin:]]


def _alternative(name: str, piece: str, now_ns: int) -> Alternative:
    value = _unquoted(piece)
    if not value.strip():
        raise QueryError(f"{name}: needs a value.", hint=f"{name} is {FIELDS[name]}.")
    if name in _MEASURES:
        return _MEASURES[name](value)
    if name in ("since", "until"):
        return read_moment(value, now_ns, is_end=name == "until")
    if name == "status":
        return _status(value.lower())
    if name == "kind":
        return _one_of(name, value.lower(), _KINDS)
    if name == "has":
        return _one_of(name, value.lower(), HAS)
    return Glob((value,)) if '"' in piece else Glob(tuple(piece.split("*")))


def _status(value: str) -> Alternative:
    if value[0] in "<>" or ".." in value:
        return read_count(value)
    if value[0].isdigit():
        return Glob(tuple(value.replace("xx", "*").split("*")))
    return _one_of("status", value, _STATUSES)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> Glob:
    if value in known:
        return Glob((value,))
    nearest = get_close_matches(value, known, 1, 0.5)
    hint = f"Did you mean {name}:{nearest[0]} ?" if nearest else f"{name} is one of {', '.join(known)}."
    raise QueryError(f"There is no {name} {value!r}.", hint=hint)


def _words(claim: str) -> Words:
    is_prefix = claim.endswith("*") and len(claim) > 1
    text = _unquoted(claim[:-1] if is_prefix else claim)
    if claim.startswith("(") or claim == "OR":
        raise QueryError("Groups with ( ) and OR are not part of this search.", hint='Use a comma: "model:a,b".')
    if not any(char.isalnum() for char in text):
        raise QueryError(f"There is nothing to search for in {claim!r}.", hint="Give a word with letters or digits.")
    return Words(text, is_prefix)


def _unquoted(piece: str) -> str:
    """Return a value without its quotes; a quote may also stand inside: `a" "b` is `a b`."""
    out, at, in_quotes = [], 0, False
    while at < len(piece):
        if piece[at] == "\\" and in_quotes and at + 1 < len(piece):
            at += 1
            out.append(piece[at])
        elif piece[at] == '"':
            in_quotes = not in_quotes
        else:
            out.append(piece[at])
        at += 1
    return "".join(out)
