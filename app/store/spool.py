"""Finished calls on disk before the database has them: append-only segment files.

`append` runs on the event loop, before the client gets its last byte; `done` in the writer's thread, after the commit.
A segment goes when all its records are committed. What a killed process left behind is read back at the next start;
what cannot be read is set aside under a name of its own, never dropped in silence. While many records wait for the
writer they wait here only: `read` gives one back.

A record is its length and crc (two little-endian 32-bit numbers), then the record as msgpack. The crc covers the first
and last 4 KB: a killed process leaves a torn tail, not a hole.
"""

import contextlib
import errno
import os
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from app.models.call import CallRecord

_MAGIC: Final = b"GSSPOOL1"
_HEAD: Final = struct.Struct("<II")
_SEGMENT_BYTES: Final = 16_000_000
_CHECKED_BYTES: Final = 4096
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(CallRecord)


@dataclass(slots=True)
class _Segment:
    path: Path
    size_bytes: int
    file: int
    """An open file descriptor; -1 for a closed one."""
    waiting: set[int] = field(default_factory=set)
    """Span ids of its records that no commit has reached. Adding and removing one are atomic."""


@dataclass(slots=True, frozen=True)
class _Place:
    """Where a waiting record is; sizes and positions in bytes."""

    segment: _Segment
    at: int
    size_bytes: int


@dataclass(slots=True)
class Recovered:
    """What an earlier process left behind."""

    records: list[CallRecord] = field(default_factory=list)
    n_torn: int = 0
    """Segments that end in the middle of a record: the call was not finished when the process died."""
    set_aside: list[Path] = field(default_factory=list)
    """Files with what could not be read."""


class Spool:
    """The segments of one folder. One process at a time: the one with the writer's lock."""

    def __init__(self, folder: Path, segment_bytes: int = _SEGMENT_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._number = 0
        self._current: _Segment | None = None
        self._segments: dict[Path, _Segment] = {}
        self._where: dict[int, _Place] = {}
        self._open: tuple[Path, BinaryIO] | None = None

    def recover(self) -> Recovered:
        """Return the records that wait in the folder, oldest first; they stay until they are `done`. Call it first.

        Raises OSError where the folder cannot be made or read.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        found = Recovered()
        for path in sorted(self._folder.glob("*.seg")):
            self._number = max(self._number, int(path.stem))
            segment = self._segments[path] = _Segment(path, path.stat().st_size, -1)
            for record, at, size_bytes in self._read(path, found):
                segment.waiting.add(record.span_id)
                self._where[record.span_id] = _Place(segment, at, size_bytes)
                found.records.append(record)
        return found

    def append(self, record: CallRecord) -> None:
        """Write a finished record to disk. Raises OSError where that fails; nothing is half written then."""
        data = encode_record(record)
        segment = self._current
        if segment is None or segment.size_bytes >= self._segment_bytes:
            segment = self._begin_segment()
        size_bytes = _HEAD.size + len(data)
        written = 0
        try:
            written = os.write(segment.file, _HEAD.pack(len(data), _crc(data)) + data)
        finally:
            if written != size_bytes:
                with contextlib.suppress(OSError):
                    os.ftruncate(segment.file, segment.size_bytes)
        if written != size_bytes:
            raise OSError(errno.ENOSPC, f"Only {written} of {size_bytes} bytes could be written", str(segment.path))
        segment.waiting.add(record.span_id)
        self._where[record.span_id] = _Place(segment, segment.size_bytes + _HEAD.size, len(data))
        segment.size_bytes += size_bytes

    def has(self, span_id: int) -> bool:
        """Whether a record waits here."""
        return span_id in self._where

    def read(self, span_id: int) -> CallRecord:
        """Return a record that waits here. Writer's thread.

        Raises OSError or msgspec.DecodeError where its file no longer gives it back, KeyError where it does not wait.
        """
        place = self._where[span_id]
        if self._open is None or self._open[0] != place.segment.path:
            self._close_reading()
            self._open = place.segment.path, place.segment.path.open("rb", buffering=0)
        file = self._open[1]
        file.seek(place.at)
        return _DECODER.decode(file.read(place.size_bytes))

    def done(self, span_ids: Iterable[int]) -> None:
        """Strike off records that are committed, and delete the segments that have no other."""
        for span_id in span_ids:
            place = self._where.pop(span_id, None)
            if place is not None:
                place.segment.waiting.discard(span_id)
        for segment in list(self._segments.values()):
            if not segment.waiting and segment is not self._current:
                self._delete(segment)

    def set_aside(self, record: CallRecord) -> None:
        """Keep a record that no database takes in a file of its own."""
        path = self._folder / f"{record.request_id}.unwritten"
        path.write_bytes(encode_record(record))

    def close(self) -> None:
        """Close the files; those without waiting records are deleted."""
        self._current = None
        self.done(())
        self._close_reading()
        for segment in self._segments.values():
            _close(segment)

    @property
    def n_waiting(self) -> int:
        """How many records are on disk only."""
        return len(self._where)

    def _begin_segment(self) -> _Segment:
        self._number += 1
        path = self._folder / f"{self._number:09d}.seg"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        os.write(file, _MAGIC)
        segment = _Segment(path, len(_MAGIC), file)
        self._segments[path] = segment
        self._current = segment
        return segment

    def _read(self, path: Path, found: Recovered) -> Iterator[tuple[CallRecord, int, int]]:
        """Return the records of a file, each with where it begins and its size in bytes."""
        data = path.read_bytes()
        if data[: len(_MAGIC)] != _MAGIC[: len(data)]:
            self._set_aside(path, data, found)
            return
        at = len(_MAGIC)
        while at < len(data):
            if at + _HEAD.size > len(data):
                found.n_torn += 1
                return
            length, crc = _HEAD.unpack_from(data, at)
            body = data[at + _HEAD.size : at + _HEAD.size + length]
            if len(body) < length:
                found.n_torn += 1
                return
            if _crc(body) != crc:
                self._set_aside(path, data[at:], found)
                return
            at += _HEAD.size + length
            try:
                yield _DECODER.decode(body), at - length, length
            except msgspec.DecodeError:
                self._set_aside(path, body, found)

    def _set_aside(self, path: Path, data: bytes, found: Recovered) -> None:
        """Keep what cannot be read; on the next start it is not there to be found again."""
        target = self._folder / f"{path.stem}-{time.time_ns()}-{len(found.set_aside)}.unread"
        target.write_bytes(data)
        found.set_aside.append(target)

    def _close_reading(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _delete(self, segment: _Segment) -> None:
        _close(segment)
        if self._open is not None and self._open[0] == segment.path:
            self._close_reading()
        with contextlib.suppress(OSError):
            segment.path.unlink()
        self._segments.pop(segment.path, None)


def encode_record(record: CallRecord) -> bytes:
    """Return a record as msgpack. Text that is no Unicode (a header in another encoding) loses those characters."""
    try:
        return _ENCODER.encode(record)
    except UnicodeEncodeError:
        return _ENCODER.encode(cleaned(record))


def cleaned(record: CallRecord) -> CallRecord:
    """Return the record with `?` for every character that is no Unicode."""
    fields = msgspec.to_builtins(record, builtin_types=(bytes,), str_keys=False)
    return msgspec.convert(_clean(fields), CallRecord, builtin_types=(bytes,))


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


def _close(segment: _Segment) -> None:
    if segment.file >= 0:
        os.close(segment.file)
        segment.file = -1


def _crc(data: bytes) -> int:
    if len(data) <= 2 * _CHECKED_BYTES:
        return zlib.crc32(data)
    return zlib.crc32(data[-_CHECKED_BYTES:], zlib.crc32(data[:_CHECKED_BYTES]))
