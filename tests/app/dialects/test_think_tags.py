from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.think_tags import ThinkTags


def split(*pieces):
    """(thoughts, words) of an answer that came in these pieces."""
    tags = ThinkTags()
    told = [part for piece in pieces for part in tags.split(piece)] + tags.close()
    assert all(text for _, text in told)
    return "".join(text for is_thought, text in told if is_thought), "".join(text for is_t, text in told if not is_t)


def test_a_thought_is_told_from_the_words_after_it():
    assert split("<think>\nLet me see.\n</think>\n\nParis.") == ("Let me see.", "Paris.")


def test_a_text_without_tags_stays_as_it_is():
    assert split("  a < b\n") == ("", "  a < b\n")


def test_words_before_a_thought_keep_their_blanks():
    assert split("Well, <think>hm</think>yes") == ("hm", "Well, yes")


def test_blanks_before_the_first_thought_are_no_words():
    assert split("\n<think>a</think>b") == ("a", "b")


def test_an_empty_thought_is_none():
    assert split("<think>\n\n</think>\n\nhi") == ("", "hi")


def test_a_thought_that_was_cut_is_a_thought():
    assert split("<think>I was sa") == ("I was sa", "")
    assert split("<think>I was</thi") == ("I was</thi", "")


def test_half_a_tag_at_the_end_is_text():
    assert split("a <thi") == ("", "a <thi")
    assert split("  ") == ("", "  ")


def test_words_are_told_as_soon_as_they_are_certain():
    tags = ThinkTags()
    assert tags.split("Hello") == [(False, "Hello")]
    assert tags.split(" <") == [(False, " ")]
    assert tags.split("b>") == [(False, "<b>")]


TEXTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "thi", "nk>", "</", " ", "\n", "a", "words"]), max_size=14
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.data())
def test_any_split_tells_the_same(parts, data):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(*pieces) == split(text)
