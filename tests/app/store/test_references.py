from hypothesis import given
from hypothesis import strategies as st

from app.models.call import Edit
from app.store.references import decode_edit, decode_references, encode_counts, encode_edit, encode_ids
from app.store.varints import read_varint, read_varints, write_varint

NUMBERS = st.integers(0, 2**63)


@given(st.lists(NUMBERS))
def test_numbers_are_read_as_they_were_written(numbers: list[int]) -> None:
    out = bytearray()
    for number in numbers:
        write_varint(out, number)
    assert read_varints(bytes(out)) == numbers
    if numbers:
        assert read_varint(bytes(out), 0)[0] == numbers[0]


@given(st.lists(st.integers(0, 300)), st.lists(st.integers(1, 2**40)))
def test_references_are_read_as_they_were_written(counts: list[int], ids: list[int]) -> None:
    template = b"{" + b"\x01,\x01" * len(counts) + b"}"
    assert decode_references(template, encode_counts(counts) + encode_ids(ids, 0)) == (counts, ids)


@given(st.lists(st.integers(1, 2**40), min_size=1), st.lists(st.integers(1, 2**40)))
def test_ids_can_be_written_in_two_parts(first: list[int], then: list[int]) -> None:
    assert encode_ids(first, 0) + encode_ids(then, first[-1]) == encode_ids(first + then, 0)


@given(NUMBERS, NUMBERS, st.binary())
def test_an_edit_is_read_as_it_was_written(start: int, end: int, text: bytes) -> None:
    assert decode_edit(encode_edit(Edit(start, end, text))) == Edit(start, end, text)
