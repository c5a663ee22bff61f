"""Cuts a JSON body into pieces that are likely to come again: messages, tool definitions, long prompts.

Pure bytes in, bytes out. Pieces are verbatim slices; what is left of the body, also verbatim, is the template, with
markers where the pieces were: `\\x00` for one piece, `\\x01 separator \\x01` for a list (so that the template is
the same however long the list gets). Putting a body together is concatenation, so spacing, key order, duplicate keys
and escapes all survive. Valid JSON holds no byte below 0x09; a body that holds a marker byte is never cut.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

MIN_BODY_BYTES: Final = 2048
"""Shorter bodies are smaller as one blob (measured on recorded traffic)."""
_MIN_LEAF_BYTES: Final = 512
_MIN_ELEMENT_BYTES: Final = 48
"""Lists whose elements are shorter on average stay whole: an item costs about as much."""
_MAX_DEPTH: Final = 4
_HEAD_BYTES: Final = 24
"""`bytes.find` prepares its whole needle first, so long values are looked for by their heads."""

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MARKS: Final = (b"\x00", b"\x01")


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a list of pieces lies."""

    key: str
    """Its field of the top-level object, "" for one further down."""
    first: int
    """Index of its first piece."""
    count: int
    separator: bytes

    @property
    def end(self) -> int:
        """Index behind its last piece."""
        return self.first + self.count


@dataclass(frozen=True, slots=True)
class Split:
    """A body in pieces."""

    template: bytes
    bounds: list[tuple[int, int]]
    """[start, end) of each piece, rising."""
    listings: tuple[Listing, ...]
    singles: dict[str, int]
    """Index of the piece that is the whole value of a top-level field."""


class _Cutter:
    """One body being cut: a position that only moves forward, and what was found so far."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.template: list[bytes] = []
        self.bounds: list[tuple[int, int]] = []
        self.listings: list[Listing] = []
        self.singles: dict[str, int] = {}

    def cut_object(self, value: msgspec.Raw | bytes, depth: int, keys: frozenset[str] | None) -> None:
        for key, field in _OBJECT.decode(value).items():
            size = memoryview(field).nbytes
            if size >= _MIN_LEAF_BYTES and (keys is None or key in keys):
                self.cut_value(key if depth == 0 else "", field, depth)

    def cut_value(self, key: str, field: msgspec.Raw, depth: int) -> None:
        text = bytes(field)
        start = found_at(self.body, text, self.at)
        if start < 0:
            raise ValueError(key)
        if text[0] == ord("[") and self.cut_list(key, field, start):
            return
        if text[0] == ord("{") and depth < _MAX_DEPTH:
            before = len(self.bounds)
            self.cut_object(field, depth + 1, None)
            if len(self.bounds) > before:
                return
        if key:
            self.singles[key] = len(self.bounds)
        self.take(start, start + len(text), b"\x00")

    def cut_list(self, key: str, field: msgspec.Raw, start: int) -> bool:
        elements = [bytes(element) for element in _ARRAY.decode(field)]
        end = start + memoryview(field).nbytes
        if not elements or end - start < _MIN_ELEMENT_BYTES * len(elements):
            return False
        body, first = self.body, elements[0]
        begin = body.index(first[:_HEAD_BYTES], start + 1)
        separator = b","
        if len(elements) > 1:
            gap = begin + len(first)
            separator = body[gap : body.index(elements[1][:_HEAD_BYTES], gap)]
        joined = separator.join(elements)
        if not body.startswith(joined, begin):
            return False
        self.listings.append(Listing(key, len(self.bounds), len(elements), separator))
        self.template += (body[self.at : begin], b"\x01", separator, b"\x01")
        step = len(separator)
        at = begin
        for element in elements:
            self.bounds.append((at, at + len(element)))
            at += len(element) + step
        self.at = at - step
        return True

    def take(self, start: int, end: int, mark: bytes) -> None:
        self.template += (self.body[self.at : start], mark)
        self.bounds.append((start, end))
        self.at = end


def split(body: bytes, keys: frozenset[str] | None = None) -> Split | None:
    """Return the pieces of `body`, None where it is better kept whole. `keys` limits it to these top-level fields.

    The caller must still put it together again and compare: an object with duplicate keys may cut badly.
    """
    if len(body) < MIN_BODY_BYTES or any(mark in body for mark in _MARKS):
        return None
    cutter = _Cutter(body)
    try:
        cutter.cut_object(body, 0, keys)
    except (msgspec.DecodeError, ValueError):
        return None
    if not cutter.bounds:
        return None
    template = b"".join(cutter.template) + body[cutter.at :]
    return Split(template, cutter.bounds, tuple(cutter.listings), cutter.singles)


def found_at(body: bytes, text: bytes, start: int = 0) -> int:
    """Return where `text` stands in `body` at or behind `start`, -1 where it does not."""
    head = text[:_HEAD_BYTES]
    at = body.find(head, start)
    while at >= 0 and not body.startswith(text, at):
        at = body.find(head, at + 1)
    return at


def elements_of(middle: bytes, separator: bytes) -> list[bytes] | None:
    """Return the elements of `middle`, what was put behind a list's last element: (separator element)*.

    None where it is anything else.
    """
    if any(mark in middle for mark in _MARKS):
        return None
    try:
        elements = [bytes(element) for element in _ARRAY.decode(b"[0" + middle + b"]")[1:]]
    except msgspec.DecodeError:
        return None
    return elements if middle == b"".join(separator + element for element in elements) else None


def assemble(template: bytes, counts: list[int], pieces: list[bytes]) -> bytes:
    """Return the body: the inverse of `split`, given the lengths of its lists and its pieces in order.

    Raises ValueError where they do not fit each other.
    """
    out: list[bytes] = []
    taken = 0
    lists = iter(counts)
    for index, part in enumerate(template.split(b"\x01")):
        if index % 2:
            count = next(lists)
            out.append(part.join(pieces[taken : taken + count]))
            taken += count
            continue
        texts = part.split(b"\x00")
        out.append(texts[0])
        for text, piece in zip(texts[1:], pieces[taken:], strict=False):
            out += (piece, text)
        taken += len(texts) - 1
    if taken != len(pieces):
        raise ValueError(f"the template wants {taken} pieces, there are {len(pieces)}")
    return b"".join(out)
