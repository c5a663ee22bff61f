"""How the desktop and its reader talk: length, question number, pickle. Both ends are our own processes. No Qt here."""

import struct
from collections.abc import Iterator
from typing import Final

HEAD: Final = struct.Struct("<QQ")
"""Body length in bytes, then the question's number."""


def pack(number: int, body: bytes) -> bytes:
    """Return a frame."""
    return HEAD.pack(len(body), number) + body


class FrameReader:
    """Puts frames together from pieces of a pipe."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._n_bytes = 0
        self._needed = HEAD.size

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """Take a piece; yield (number, body) of every frame that is whole now."""
        self._pieces.append(piece)
        self._n_bytes += len(piece)
        while self._n_bytes >= self._needed:
            buffer = b"".join(self._pieces)
            self._pieces, self._n_bytes = [buffer], len(buffer)
            length, number = HEAD.unpack_from(buffer)
            end = HEAD.size + length
            if len(buffer) < end:
                self._needed = end
                return
            self._pieces, self._n_bytes, self._needed = [buffer[end:]], len(buffer) - end, HEAD.size
            yield number, buffer[HEAD.size : end]
