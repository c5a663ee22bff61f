"""A conversation as a row of hashes: what makes "begins with" a matter of one lookup.

Every element gets a hash of what identifies it, and every place between two elements a rolling hash of all before it.
A history that was sent before is recognised by its bytes, so only what is new in a request is read.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from app.dialects.dialect import DialectReader
from app.errors import InputError
from app.models.message import Media, Message, Text

_MOST_ELEMENTS: Final = 16_384
_MOST_SPINES: Final = 512
_MOST_SPINE_BYTES: Final = 8 * 2**20
_REMINDER: Final = "<system-reminder>"


@dataclass(frozen=True, slots=True)
class Element:
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


@dataclass(frozen=True, slots=True)
class Spine:
    """A request's elements and the rolling hashes around them."""

    raw: tuple[bytes, ...]
    elements: tuple[Element, ...]
    hashes: tuple[int, ...]
    """hashes[i] stands for everything before element i; the last one for the whole request."""

    @property
    def system(self) -> bytes:
        """What identifies its system prompt; empty without one."""
        head = self.elements[0] if self.elements else None
        return head.identity if head and head.role in ("system", "developer") else b""

    def answers(self) -> list[int]:
        """Return the places after an assistant's turn, newest first."""
        return [i + 1 for i in range(len(self.elements) - 1, -1, -1) if self.elements[i].role == "assistant"]


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
        same = 0
        if known is not None:
            self._spine_bytes -= _size_bytes(known)
            for ours, theirs in zip(raw, known.raw, strict=False):
                if ours != theirs:
                    break
                same += 1
        elements = list(known.elements[:same]) if known else []
        hashes = list(known.hashes[: same + 1]) if known else [seed]
        for piece in raw[same:]:
            element = self._element(reader, piece)
            elements.append(element)
            hashes.append(rolled(hashes[-1], element.identity))
        # The bytes of what is known are kept once: an agent's next request shares them.
        kept = (known.raw[:same] if known else ()) + raw[same:]
        made = Spine(kept, tuple(elements), tuple(hashes))
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
        size = _size_bytes(spine)
        if size > _MOST_SPINE_BYTES // 4:
            return
        self._spines[key] = spine
        self._spine_bytes += size
        while self._spine_bytes > _MOST_SPINE_BYTES or len(self._spines) > _MOST_SPINES:
            _, dropped = self._spines.popitem(last=False)
            self._spine_bytes -= _size_bytes(dropped)


def rolled(before: int, identity: bytes) -> int:
    """Return the rolling hash after one more element: signed 64 bits, never 0."""
    digest = hashlib.sha256(before.to_bytes(8, "big", signed=True) + identity).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


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
        has_text=any(text.strip() and not text.lstrip().startswith(_REMINDER) for text in texts),
        has_media=any(isinstance(part, Media) for part in message.parts),
    )


def _size_bytes(spine: Spine) -> int:
    return sum(map(len, spine.raw)) + 200 * len(spine.raw)
