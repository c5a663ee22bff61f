"""When the pieces of a stream came, as `call.timing` keeps it.

Varints: microseconds from the call's start to the first byte, then for each piece the microseconds since the piece
before it (the first: since the first byte) and its bytes. A clock that stepped back counts as no time at all.
"""

from app.models.call import CallRecord
from app.models.timing import Timing
from app.store.varints import read_varints, write_varint


def encode_timing(record: CallRecord) -> bytes | None:
    """Return the blob of a call, None for one that was no stream."""
    if record.first_byte_ns is None or not record.chunks:
        return None
    out = bytearray()
    write_varint(out, max(0, record.first_byte_ns - record.start_ns) // 1000)
    before_us = 0
    offsets = iter(record.chunks)
    for offset_ns, size_bytes in zip(offsets, offsets, strict=True):
        now_us = offset_ns // 1000
        if now_us > before_us:
            write_varint(out, now_us - before_us)
            before_us = now_us
        else:
            out.append(0)
        write_varint(out, size_bytes)
    return bytes(out)


def decode_timing(blob: bytes) -> Timing:
    """Return what `encode_timing` wrote, to the microsecond. `first_byte_ns` counts from the call's start too."""
    numbers = read_varints(blob)
    first_us = numbers[0]
    offsets_ns = []
    now_us = first_us
    for delta_us in numbers[1::2]:
        now_us += delta_us
        offsets_ns.append(now_us * 1000)
    return Timing(first_us * 1000, tuple(offsets_ns), tuple(numbers[2::2]))
