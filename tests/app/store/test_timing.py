from factories import START_NS, call_record

from app.store.timing import decode_timing, encode_timing


def test_pieces_come_back_to_the_microsecond() -> None:
    record = call_record(
        start_ns=START_NS, first_byte_ns=START_NS + 250_000_500, chunks=(0, 300, 20_000_000, 5, 20_000_900, 70_000)
    )
    blob = encode_timing(record)
    assert blob is not None
    timing = decode_timing(blob)
    assert timing.first_byte_ns == 250_000_000
    assert timing.offsets_ns == (250_000_000, 270_000_000, 270_000_000)
    assert timing.sizes_bytes == (300, 5, 70_000)


def test_a_clock_that_stepped_back_counts_as_no_time() -> None:
    blob = encode_timing(call_record(start_ns=START_NS, first_byte_ns=START_NS - 5000, chunks=(9_000, 1, 4_000, 1)))
    assert blob is not None
    assert decode_timing(blob).offsets_ns == (9_000, 9_000)


def test_a_call_that_was_no_stream_has_none() -> None:
    assert encode_timing(call_record(first_byte_ns=START_NS)) is None
    assert encode_timing(call_record(chunks=(0, 1))) is None
