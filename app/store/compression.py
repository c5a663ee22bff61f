"""zstd with our dictionary, for many small texts: no magic, no sizes and no checksums in the frames.

The dictionary is trained by `packaging/train_dictionary.py`; a file that was written with one keeps it in `zdict`
for ever. What is stored says which: 0 is no compression, else zdict.id.
"""

import sqlite3
from importlib.resources import files
from typing import Final

import zstandard

from app.errors import StoreError

_LEVEL: Final = 3
_MIN_BYTES: Final = 16


class Packer:
    """Compresses with the shipped dictionary, registering it on first use. For one thread."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        data = shipped_dictionary()
        self.dict_id = _register(conn, data)
        dictionary = zstandard.ZstdCompressionDict(data)
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL, write_content_size=0, write_dict_id=0, format=zstandard.FORMAT_ZSTD1_MAGICLESS
        )
        dictionary.precompute_compress(compression_params=parameters)
        self._compress = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters).compress

    def pack(self, data: bytes) -> tuple[int, bytes]:
        """Return (what it is compressed with, the bytes to store)."""
        if len(data) >= _MIN_BYTES:
            packed = self._compress(data)
            if len(packed) < len(data):
                return self.dict_id, packed
        return 0, data


class Unpacker:
    """Reads what any `Packer` wrote into this file. For one thread."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._by_id: dict[int, zstandard.ZstdDecompressor] = {}

    def unpack(self, packed_with: int, data: bytes, size_bytes: int) -> bytes:
        """Return the `size_bytes` that `data` stands for. Raises StoreError where it is damaged."""
        if packed_with == 0:
            return data
        reader = self._by_id.get(packed_with)
        if reader is None:
            row = self._conn.execute("SELECT data FROM zdict WHERE id = ?", (packed_with,)).fetchone()
            reader = self._by_id[packed_with] = zstandard.ZstdDecompressor(
                dict_data=zstandard.ZstdCompressionDict(row[0]), format=zstandard.FORMAT_ZSTD1_MAGICLESS
            )
        try:
            return reader.decompress(data, max_output_size=size_bytes)
        except zstandard.ZstdError as error:
            raise StoreError(f"A stored text cannot be unpacked: {error}.") from error


def shipped_dictionary() -> bytes:
    """Return the dictionary that comes with this version."""
    return files("resources").joinpath("zstd", "payload-1.zdict").read_bytes()


def _register(conn: sqlite3.Connection, data: bytes) -> int:
    row = conn.execute("SELECT id FROM zdict WHERE data = ?", (data,)).fetchone()
    if row is None:
        row = conn.execute("INSERT INTO zdict (kind, data) VALUES ('payload', ?) RETURNING id", (data,)).fetchone()
    return int(row[0])
