import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.wire import count, decode_any, decode_request, mended, nusd, word
from app.errors import InputError


@pytest.mark.parametrize(
    ("dollars", "nano"),
    [
        (0.00000123, 1230),
        (0, 0),
        (1, 1_000_000_000),
        (0.1, 100_000_000),
        ("0.0000000005", 0),
        (0.0004970133333333333, 497013),
        (None, None),
        (True, None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        ("free", None),
        ({}, None),
        (1e300, None),
    ],
)
def test_dollars_become_nano_dollars_without_float_arithmetic(dollars, nano):
    assert nusd(dollars) == nano


@pytest.mark.parametrize("value", [True, -1, 2**60, 1.5, "3", None, [], float("nan"), float("inf")])
def test_what_is_no_count_is_unknown(value):
    assert count(value) is None


def test_a_whole_float_is_a_count():
    assert count(3.0) == 3
    assert count(0) == 0


def test_a_word_is_short_and_never_a_flag():
    assert [word(value) for value in ("a", 400, "", None, True, {})] == ["a", "400", None, None, None, None]


def test_bytes_that_are_no_utf8_become_replacement_characters():
    assert decode_any(b'{"a": "\xff!"}') == {"a": "\ufffd!"}


def test_halves_of_surrogate_pairs_are_mended_and_whole_pairs_kept():
    assert decode_any(b'["\\ud83d\\ude00 \\ud83d \\ude00 \\\\ud83d"]') == ["\U0001f600 \ufffd \ufffd \\ud83d"]


@given(st.binary(max_size=60))
def test_mending_gives_utf8(body):
    mended(body).decode()


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"a":' + b"[" * 100_000])
def test_an_unreadable_request_is_an_input_error(body):
    with pytest.raises(InputError):
        decode_request(msgspec.json.Decoder(dict), body)
