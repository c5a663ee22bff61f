"""A conversation as a row of hashes: what makes "begins with" a matter of one lookup.

Every element gets a hash of what identifies it, and every place between two elements a rolling hash of all before it.
A history that was sent before is recognised by its bytes, so only what is new in a request is read.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from app.dialects.dialect import DialectReader
from app.errors import InputError
from app.models.message import Media, Message, Text, is_reminder

_MOST_ELEMENTS: Final = 16_384
_MOST_SPINES: Final = 512
_MOST_SPINE_BYTES: Final = 8 * 2**20


class Element(msgspec.Struct, frozen=True, gc=False):
    """What the stitcher needs of one element."""

    identity: bytes
    """16 bytes: equal for every spelling of the same message."""
    role: str
    """"" where it cannot be read."""
    chars: int
    """How much it says: little is no evidence."""
    result_ids: tuple[str, ...]
    """Of the tool calls it answers; "" for a result without an id."""
    has_text: bool
    """Words of its own, not a client's reminder."""
    has_media: bool

    @property
    def is_result(self) -> bool:
        """Whether it brings what a tool answered."""
        return bool(self.result_ids)


class Spine(msgspec.Struct, frozen=True, gc=False):
    """A request's elements and the rolling hashes around them."""

    raw: tuple[bytes, ...]
    elements: tuple[Element, ...]
    hashes: tuple[int, ...]
    """hashes[i] stands for everything before element i; the last one for the whole request."""
    size_bytes: int

    @property
    def system(self) -> bytes:
        """What identifies its system prompt; empty without one."""
        head = self.elements[0] if self.elements else None
        return head.identity if head and head.role in ("system", "developer") else b""

    def answers(self) -> Iterator[int]:
        """Return the places after an assistant's turn, newest first."""
        return (i + 1 for i in range(len(self.elements) - 1, -1, -1) if self.elements[i].role == "assistant")


class SpineMaker:
    """Makes spines, and remembers elements and the last requests of running conversations."""

    def __init__(self) -> None:
        self._elements: OrderedDict[bytes, Element] = OrderedDict()
        self._spines: OrderedDict[tuple[int, bytes, bytes], Spine] = OrderedDict()
        self._spine_bytes = 0

    def spine(self, reader: DialectReader, raw: tuple[bytes, ...], seed: int) -> Spine:
        """Return the spine of a request; `seed` is the rolling hash before its first element."""
        key = (seed, raw[0], raw[1] if len(raw) > 1 else b"")
        known = self._spines.pop(key, None)
        if known is None:
            same, elements, hashes, kept, size_bytes = 0, [], [seed], raw, 0
        else:
            self._spine_bytes -= known.size_bytes
            same = _same(raw, known.raw)
            elements, hashes = list(known.elements[:same]), list(known.hashes[: same + 1])
            # The bytes of what is known are kept once: an agent's next request shares them.
            kept = known.raw[:same] + raw[same:]
            size_bytes = known.size_bytes - _size_bytes(known.raw[same:])
        for piece in raw[same:]:
            element = self._element(reader, piece)
            elements.append(element)
            hashes.append(rolled(hashes[-1], element.identity))
        made = Spine(kept, tuple(elements), tuple(hashes), size_bytes + _size_bytes(raw[same:]))
        self._keep(key, made)
        return made

    def _element(self, reader: DialectReader, raw: bytes) -> Element:
        key = hashlib.sha256(raw).digest()[:16]
        found = self._elements.get(key)
        if found is not None:
            self._elements.move_to_end(key)
            return found
        try:
            message = reader.read_element(raw)
        except InputError:
            found = Element(key, "", 0, (), False, False)
        else:
            found = _describe(reader, message)
        self._elements[key] = found
        if len(self._elements) > _MOST_ELEMENTS:
            self._elements.popitem(last=False)
        return found

    def _keep(self, key: tuple[int, bytes, bytes], spine: Spine) -> None:
        if spine.size_bytes > _MOST_SPINE_BYTES // 4:
            return
        self._spines[key] = spine
        self._spine_bytes += spine.size_bytes
        while self._spine_bytes > _MOST_SPINE_BYTES or len(self._spines) > _MOST_SPINES:
            _, dropped = self._spines.popitem(last=False)
            self._spine_bytes -= dropped.size_bytes


def rolled(before: int, identity: bytes) -> int:
    """Return the rolling hash after one more element: signed 64 bits, never 0."""
    digest = hashlib.sha256(before.to_bytes(8, "big", signed=True) + identity).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


@lru_cache(2048)
def hashed(*words: str) -> int:
    """Return a hash of some words, of the same kind as a rolling hash."""
    digest = hashlib.sha256("\x00".join(words).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


def identity_of(canon: bytes) -> bytes:
    """Return what stands for an element's canonical bytes."""
    return hashlib.sha256(canon).digest()[:16]


def _describe(reader: DialectReader, message: Message) -> Element:
    canon = reader.canon_message(message)
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    return Element(
        identity=identity_of(canon),
        role=message.role,
        chars=len(canon),
        result_ids=tuple(result.id or "" for result in message.tool_results()),
        has_text=any(text.strip() and not is_reminder(text) for text in texts),
        has_media=any(isinstance(part, Media) for part in message.parts),
    )


def _same(ours: tuple[bytes, ...], theirs: tuple[bytes, ...]) -> int:
    """Return how many elements two requests have in common at their beginning."""
    most = min(len(ours), len(theirs))
    # Mostly all of them, or all but the last, which lost its mark for caching.
    for guess in range(most, max(most - 3, 0), -1):
        if ours[:guess] == theirs[:guess]:
            return guess
    return next((i for i in range(most) if ours[i] != theirs[i]), most)


def _size_bytes(raw: tuple[bytes, ...]) -> int:
    return sum(map(len, raw)) + 200 * len(raw)
