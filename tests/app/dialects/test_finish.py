import pytest

from app.dialects.finish import finish_of


@pytest.mark.parametrize("native", ["error", "OTHER", "MALFORMED_FUNCTION_CALL", "network_error", "whatever"])
def test_failures_and_unknown_words_never_become_stop(native):
    assert finish_of(native, has_calls=False) in ("error", "other")


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("stop", "tool_calls"),
        ("STOP", "tool_calls"),
        (None, "tool_calls"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("error", "error"),
        ("pause_turn", "pause"),
    ],
)
def test_calls_decide_unless_it_was_cut_filtered_or_failed(native, reason):
    assert finish_of(native, has_calls=True) == reason


def test_no_word_is_unknown():
    assert finish_of(None, has_calls=False) is None
