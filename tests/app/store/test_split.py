import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_bodies import wire_bodies

from app.store.split import assemble, elements_of, split

LONG = "x" * 600


def rebuilt(body: bytes) -> bytes:
    cut = split(body)
    assert cut is not None
    pieces = [body[start:end] for start, end in cut.bounds]
    return assemble(cut.template, [listing.count for listing in cut.listings], pieces)


def chat(n_messages: int, **fields: object) -> bytes:
    messages = [{"role": "user", "content": f"{number} {LONG}"} for number in range(n_messages)]
    return json.dumps({"model": "m", "messages": messages, **fields}).encode()


def test_messages_and_tools_are_pieces_and_the_template_does_not_grow_with_them() -> None:
    short, long = split(chat(4, tools=[{"name": LONG}])), split(chat(40, tools=[{"name": LONG}]))
    assert short is not None and long is not None
    assert short.template == long.template
    assert [(one.key, one.count) for one in long.listings] == [("messages", 40), ("tools", 1)]


def test_a_long_text_field_is_a_piece() -> None:
    cut = split(chat(3, system=LONG))
    assert cut is not None
    assert cut.singles == {"system": 3}


def test_a_list_further_down_is_cut_too() -> None:
    body = json.dumps({"state": {"messages": [{"text": LONG}] * 5}}).encode()
    cut = split(body)
    assert cut is not None
    assert cut.listings[0].count == 5
    assert rebuilt(body) == body


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_spelling_survives(indent: int | str | None, ascii_only: bool) -> None:
    value = {"messages": [{"role": "user", "content": 'größe \\ " \u2028 😀' * 60}] * 3, "x": 1.50, "": None}
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert rebuilt(body) == body


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[" + b'"x",' * 900 + b'"x"]',
        b"\x00" + chat(4),
        chat(4).replace(b"xxxx", b"x\x01xx", 1),
        chat(4)[:-3],
        b'{"embedding":[' + b"0.125," * 900 + b"1]}",
        b"data: " + chat(4),
    ],
    ids=["short", "array", "nul", "control", "torn", "numbers", "stream"],
)
def test_what_cannot_be_cut_well_is_left_whole(body: bytes) -> None:
    assert split(body) is None or rebuilt(body) == body


@pytest.mark.parametrize("middle", [b"1", b",", b',{"a":1', b',{"a":1}]', b'],["x"', b", 1,2", b',"\x01"'])
def test_elements_are_read_only_from_whole_ones(middle: bytes) -> None:
    assert elements_of(middle, b",") is None


def test_elements_behind_a_list_are_read() -> None:
    assert elements_of(b', {"a":1}, "b"', b", ") == [b'{"a":1}', b'"b"']
    assert elements_of(b"", b",") == []


def test_pieces_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="wants 1 pieces, there are 2"):
        assemble(b'{"a":\x00}', [], [b"1", b"2"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=900),
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=9), inner, max_size=6),
        max_leaves=25,
    ),
    st.sampled_from([None, 1]),
)
def test_any_json_is_put_together_as_it_was(value: object, indent: int | None) -> None:
    body = json.dumps({"value": value, "pad": LONG * 4}, indent=indent).encode()
    cut = split(body)
    assert cut is None or rebuilt(body) == body


def test_every_recorded_body_is_put_together_as_it_was() -> None:
    wrong = [body for _, _, body in wire_bodies(styles=5) if split(body) is not None and rebuilt(body) != body]
    assert not wrong
