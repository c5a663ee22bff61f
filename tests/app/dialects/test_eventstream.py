import itertools
import json
import zlib

import pytest
from botocore.eventstream import EventStreamBuffer
from dialect_recordings import records
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.eventstream import EventStreamReader, Message, read_messages, write_event, write_message

FRAMES = (
    write_event("messageStart", b'{"role":"assistant"}')
    + write_message({"a": "é", ":b": ""}, b"")
    + (write_event("contentBlockDelta", '{"delta":{"text":"größer"}}'.encode()))
)
MESSAGES = read_messages(FRAMES)


def _fed(pieces):
    reader = EventStreamReader()
    found = [message for piece in pieces for message in reader.feed(piece)]
    return found + reader.close()


def _cut(body, places):
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


def test_what_is_written_is_read():
    assert [(message.kind, message.event) for message in MESSAGES] == [
        ("event", "messageStart"),
        ("", ""),
        ("event", "contentBlockDelta"),
    ]
    assert MESSAGES[1].headers == {"a": "é", ":b": ""}
    assert json.loads(MESSAGES[2].payload) == {"delta": {"text": "größer"}}


def test_the_aws_sdk_reads_what_is_written():
    buffer = EventStreamBuffer()
    buffer.add_data(FRAMES)
    assert [(event.headers, event.payload) for event in buffer] == [(each.headers, each.payload) for each in MESSAGES]


@pytest.mark.parametrize("api", ["bedrock.converse", "bedrock.invoke"])
def test_recorded_streams_are_read_as_the_aws_sdk_reads_them(api):
    n_messages = 0
    for record in records(api):
        if "eventstream" not in record.wire["response"]:
            continue
        buffer = EventStreamBuffer()
        buffer.add_data(record.response)
        messages = read_messages(record.response)
        assert [(event.headers, event.payload) for event in buffer] == [
            (each.headers, each.payload) for each in messages
        ]
        n_messages += len(messages)
    assert n_messages > 150


@given(st.lists(st.integers(0, len(FRAMES)), max_size=12))
def test_any_split_gives_the_same_messages(places):
    assert _fed(_cut(FRAMES, places)) == MESSAGES


@given(st.integers(0, len(FRAMES) - 1), st.integers(1, 255), st.lists(st.integers(0, len(FRAMES)), max_size=4))
def test_a_changed_byte_is_always_noticed(place, flip, places):
    mutated = FRAMES[:place] + bytes((FRAMES[place] ^ flip,)) + FRAMES[place + 1 :]
    messages = _fed(_cut(mutated, places))
    assert sum(bool(message.problem) for message in messages) == 1
    assert all(message.problem or message in MESSAGES for message in messages)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_any_bytes_are_read_without_raising(body, places):
    assert all(isinstance(message, Message) for message in _fed(_cut(body, places)))


@given(st.integers(1, len(FRAMES) - 1))
def test_a_cut_frame_is_a_problem(end):
    messages = _fed([FRAMES[:end]])
    whole = [message for message in messages if not message.problem]
    assert whole == MESSAGES[: len(whole)]
    assert len(messages) - len(whole) == (b"".join(_framed(whole)) != FRAMES[:end])


def test_a_frame_with_a_bad_end_does_not_hide_the_next():
    first, second = write_event("a", b"{}"), write_event("b", b"{}")
    messages = read_messages(first[:-1] + bytes((first[-1] ^ 1,)) + second)
    assert [bool(message.problem) for message in messages] == [True, False]


def test_a_frame_of_absurd_size_is_refused_at_once():
    prelude = (2**31).to_bytes(4, "big") + (0).to_bytes(4, "big")
    reader = EventStreamReader()
    assert reader.feed(prelude + zlib.crc32(prelude).to_bytes(4, "big"))[0].problem
    assert reader.feed(b"x" * 100) == [] == reader.close()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\x00", True),
        (b"\x01", False),
        (b"\x02\x07", b"\x07"),
        (b"\x05" + b"\x01" * 8, b"\x01" * 8),
        (b"\x06\x00\x02ab", b"ab"),
        (b"\t" + b"u" * 16, b"u" * 16),
    ],
)
def test_headers_of_every_type_are_read(raw, value):
    assert read_messages(_with_headers(b"\x01h" + raw))[0].headers == {"h": value}


@pytest.mark.parametrize("head", [b"\x05ab", b"\x01h", b"\x01h\x07\x00\x09a", b"\x01h\x63", b"\x01h\x07\x00"])
def test_headers_that_are_cut_are_a_problem(head):
    assert read_messages(_with_headers(head))[0].problem == "The headers of a frame cannot be read."


def _framed(messages):
    return [write_message(message.headers, message.payload) for message in messages]


def _with_headers(head):
    prelude = (16 + len(head)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    framed = prelude + zlib.crc32(prelude).to_bytes(4, "big") + head
    return framed + zlib.crc32(framed).to_bytes(4, "big")
