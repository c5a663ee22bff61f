"""When the pieces of a stream came. (By itself: the store's writer needs no other value that the screens read.)"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """When the pieces of a stream came. Offsets are ns since the call's start."""

    first_byte_ns: int | None
    offsets_ns: tuple[int, ...]
    sizes_bytes: tuple[int, ...]
