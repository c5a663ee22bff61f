from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.dialects.sse import Event, SseParser, read_events

_PIECES = st.sampled_from(
    [
        b"data: one",
        b"data:two",
        b"data",
        b"data: ",
        b"event: ping",
        b": a comment",
        b"id: 7",
        b"junk",
        b"\n",
        b"\r\n",
        b"\r",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\xa9",
    ]
)


def _fed(pieces):
    parser = SseParser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.close()


@given(st.lists(_PIECES, max_size=40).map(b"".join), st.data())
def test_any_split_gives_the_same_events(stream, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    edges = [0, *cuts, len(stream)]
    assert _fed([stream[a:b] for a, b in pairwise(edges)]) == read_events(stream)
    assert _fed([stream[i : i + 1] for i in range(len(stream))]) == read_events(stream)


def test_lines_end_in_any_of_three_ways():
    for end in (b"\n", b"\r\n", b"\r"):
        stream = end.join([b"event: a", b"data: 1", b"data:2", b"", b": comment", b"", b"data: 3", b"", b""])
        assert read_events(stream) == [Event(b"a", b"1\n2"), Event(b"", b"3")]


def test_an_event_without_its_blank_line_still_counts():
    assert read_events(b"data: 1\n\ndata: 2") == [Event(b"", b"1"), Event(b"", b"2")]


def test_a_name_without_data_is_no_event_and_is_forgotten():
    assert read_events(b"event: ping\n\ndata: 1\n\n") == [Event(b"", b"1")]


def test_only_one_blank_after_the_colon_is_taken_off():
    assert read_events(b"data:  two\n\n") == [Event(b"", b" two")]


def test_events_come_as_soon_as_they_are_whole():
    parser = SseParser()
    assert parser.feed(b"data: 1\n") == []
    assert parser.feed(b"\n") == [Event(b"", b"1")]
    assert parser.feed(b"data: 2\r\n\r") == []
    assert parser.feed(b"\n") == [Event(b"", b"2")]
    assert parser.close() == []


def test_a_byte_order_mark_is_passed_over():
    assert read_events(b"\xef\xbb\xbfdata: 1\n\n") == [Event(b"", b"1")]
