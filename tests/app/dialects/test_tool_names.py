import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.tool_names import ToolNames

CLAUDE = re.compile(r"[a-zA-Z0-9_-]+")
GEMINI = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
TELLING = st.text(st.sampled_from("ab_-.é 1/"), max_size=8)


def _names(names, allowed=CLAUDE, most_chars=64):
    return ToolNames(names, allowed, most_chars)


def test_a_good_name_is_sent_as_it_is():
    names = _names(["get_weather"])
    assert (names.sent("get_weather"), names.changed()) == ("get_weather", {})


def test_a_name_is_bent_and_has_a_way_back():
    names = _names(["my.tool/v2"])
    assert names.sent("my.tool/v2") == "my_tool_v2"
    assert names.changed() == {"my_tool_v2": "my.tool/v2"}


def test_a_good_name_keeps_its_own_though_a_bent_one_comes_first():
    names = _names(["a.b", "a_b"])
    assert names.sent("a_b") == "a_b"
    assert names.sent("a.b") not in ("a_b", "a.b")


def test_a_long_name_is_cut_and_told_from_its_neighbour():
    names = _names(["x" * 70 + "1", "x" * 70 + "2"])
    sent = [names.sent("x" * 70 + end) for end in "12"]
    assert len(set(sent)) == 2
    assert all(len(name) <= 64 for name in sent)


@pytest.mark.parametrize("name", ["1st", "-x", "", "é", "日本"])
def test_a_name_that_may_not_begin_so_gets_a_letter_before_it(name):
    assert GEMINI.fullmatch(_names([name], GEMINI).sent(name))


@given(st.lists(TELLING, max_size=8), st.lists(TELLING, max_size=4), st.sampled_from([CLAUDE, GEMINI]))
def test_no_two_names_are_sent_alike_and_all_come_back(known, later, allowed):
    names = _names(known, allowed, most_chars=12)
    sent = {name: names.sent(name) for name in [*known, *later]}
    assert len(set(sent.values())) == len(sent)
    assert all(allowed.fullmatch(name) and len(name) <= 12 for name in sent.values())
    back = names.changed()
    assert {back.get(name, name) for name in sent.values()} == set(sent)


@given(st.lists(TELLING, max_size=8))
def test_the_same_names_are_bent_the_same_way(known):
    first, second = _names(known), _names(known)
    assert [first.sent(name) for name in known] == [second.sent(name) for name in reversed(known)][::-1]


@given(st.lists(TELLING, max_size=8))
def test_what_was_sent_is_sent_as_it_is(known):
    sent = [_names(known).sent(name) for name in dict.fromkeys(known)]
    assert _names(sent).changed() == {}
