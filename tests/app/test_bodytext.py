"""Bodies as a person reads them."""

from app.bodytext import as_text, events, readable
from app.models.timing import Timing
from app.models.trace import StreamEvent


def test_json_is_indented_and_nothing_else_is_touched() -> None:
    assert readable('{"a":[1,"ü"]}'.encode()) == '{\n  "a": [\n    1,\n    "ü"\n  ]\n}'
    assert readable(b"{broken") == "{broken"
    assert readable(b"<html>") == "<html>"
    assert readable(b"") == ""


def test_binary_is_a_hex_dump_of_its_beginning() -> None:
    dump = as_text(bytes(range(256)) * 300)
    assert dump.splitlines()[0] == "00000000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................"
    assert dump.splitlines()[-1] == "… 11,264 bytes more"


def test_an_event_arrives_with_the_piece_that_completes_it() -> None:
    body = b"event: a\ndata: 1\n\ndata: 2\n\ndata: cut"
    timing = Timing(10, (10, 20, 30), (12, 8, len(body) - 20))
    assert events(body, timing) == [
        StreamEvent(20, "a", "1"),
        StreamEvent(30, "", "2"),
        StreamEvent(None, "", "cut"),
    ]


def test_events_without_recorded_times_have_none() -> None:
    assert events(b"data: x\n\n", Timing(None, (), ())) == [StreamEvent(None, "", "x")]
