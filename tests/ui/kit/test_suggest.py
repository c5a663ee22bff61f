"""Completion of the filter."""

from ui.kit.suggest import suggest

FACETS = {"model": [("claude-sonnet-4.5", 30), ("gpt-4o mini", 4)]}


def texts(typed: str) -> list[str]:
    return [option.text for option in suggest(typed, FACETS)]


def test_fields_come_first() -> None:
    assert texts("mo") == ["model:"]
    assert texts("-st") == ["-status:"]
    assert len(texts("")) == 15
    assert texts("nonsense") == []


def test_values_come_with_their_counts_and_are_quoted_where_they_must_be() -> None:
    assert [(option.text, option.note) for option in suggest("model:", FACETS)] == [
        ("model:claude-sonnet-4.5", "30"),
        ('model:"gpt-4o mini"', "4"),
    ]
    assert texts("model:gpt") == ['model:"gpt-4o mini"']
    assert texts("model:claude-sonnet-4.5,gp") == ['model:claude-sonnet-4.5,"gpt-4o mini"']


def test_fixed_values_are_offered_too() -> None:
    assert texts("status:err")[0] == "status:error"
    assert texts("-has:to") == ["-has:tool"]
    assert texts("since:")[0] == "since:15m"
