"""The search language: reading a text, and giving it back."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.measure import Interval
from app.models.query import FIELDS, Glob, Query, QueryError, Words, parse, term

NOW_NS = 1_780_000_000_000_000_000
HOUR_NS = 3600 * 10**9

_amounts = st.sampled_from(["1", "0.5", "8k", "1.5M"])
_lengths = st.sampled_from(["500ms", "2s", "1m30s", "2.5h", "0"])
_words = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)
_texts = st.text(min_size=1, max_size=20).filter(lambda text: any(char.isalnum() for char in text))


def _compared(amounts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["", ">", "<", ">=", "<=", "="])
    return st.one_of(st.builds(str.__add__, signs, amounts), amounts.map(lambda amount: f"{amount}.."))


_claims = st.one_of(
    _words,
    _words.map(lambda word: f"{word}*"),
    _texts.map(lambda text: term("", text)),
    st.builds(term, st.sampled_from(["model", "provider", "key", "session", "name", "path"]), _texts, _texts),
    _compared(_lengths).map(lambda value: f"dur:{value}"),
    _compared(_lengths).map(lambda value: f"TTFT:{value}"),
    _compared(_amounts).map(lambda value: f"cost:{value}"),
    _compared(_amounts).map(lambda value: f"tokens:{value}"),
    st.sampled_from(
        ["status:ok,error", "status:4xx", "status:>=500", "kind:tool", "has:error", "since:2h", "until:today"]
    ),
).filter(lambda text: text != "OR")
_terms = st.builds(lambda sign, claim: sign + claim, st.sampled_from(["", "-"]), _claims)
_blanks = st.text(" \t\n\u00a0", min_size=1, max_size=3)
_queries = st.lists(st.tuples(_terms, _blanks)).map(lambda pairs: "".join(part for pair in pairs for part in pair))


@given(_queries)
def test_parse_and_print_is_the_identity(text: str) -> None:
    query = parse(text, NOW_NS)
    assert str(query) == text
    assert parse(str(query), NOW_NS) == query


@given(st.text())
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    try:
        query = parse(text, NOW_NS)
    except QueryError as error:
        assert 0 <= error.start < error.end <= len(text)
        assert error.message
    else:
        assert str(query) == text


@given(_queries)
def test_a_query_without_its_terms_is_empty_and_with_them_is_itself(text: str) -> None:
    query = parse(text, NOW_NS)
    bare, again = query, Query()
    for own in query.terms:
        bare, again = bare.without(own), again.with_term(own)
    assert not bare.terms
    assert set(again.terms) == set(query.terms)
    assert parse(str(again), NOW_NS) == again


@given(_terms)
def test_negating_twice_changes_nothing(text: str) -> None:
    query = parse(text, NOW_NS)
    once = query.negated(query.terms[0])
    assert parse(str(once), NOW_NS) == once
    assert once.negated(once.terms[0]) == query


@given(st.sampled_from(["model", "key", "session", "name", ""]), _texts)
def test_a_cells_value_becomes_a_term_that_means_just_that_value(field: str, value: str) -> None:
    (own,) = parse(term(field, value), NOW_NS).terms
    assert own.field == field
    assert own.alternatives == ((Glob((value,)) if field else Words(value)),)


def test_every_kind_of_term_is_read() -> None:
    query = parse(
        'model:claude*,"a*b" -status:error dur:>2s tokens:1k..8k since:2h "exact phrase" run_sql* word', NOW_NS
    )
    assert [(own.field, own.alternatives, own.is_negated) for own in query.terms] == [
        ("model", (Glob(("claude", "")), Glob(("a*b",))), False),
        ("status", (Glob(("error",)),), True),
        ("dur", (Interval(2_000_000_001, None),), False),
        ("tokens", (Interval(1000, 8000),), False),
        ("since", (Interval(NOW_NS - 2 * HOUR_NS, None),), False),
        ("", (Words("exact phrase"),), False),
        ("", (Words("run_sql", is_prefix=True),), False),
        ("", (Words("word"),), False),
    ]


def test_a_value_may_hold_colons_and_slashes() -> None:
    (own,) = parse("model:ollama/llama3:8b", NOW_NS).terms
    assert own.alternatives == (Glob(("ollama/llama3:8b",)),)


def test_status_takes_words_codes_and_ranges() -> None:
    alternatives = parse("status:ok,429,5xx,>=400", NOW_NS).terms[0].alternatives
    assert alternatives == (Glob(("ok",)), Glob(("429",)), Glob(("5", "")), Interval(400, None))


@pytest.mark.parametrize(
    ("text", "start", "end", "said"),
    [
        ("cost:>1 modle:gpt", 8, 17, "model"),
        ("statsu:error", 0, 12, "status"),
        ("x status:eror", 2, 13, "status:error"),
        ("kind:tol", 0, 8, "kind:tool"),
        ('a "open phrase', 2, 14, "closing"),
        ("dur:>500", 0, 8, "500ms"),
        ("model:", 0, 6, "needs a value"),
        ("model:a,,b", 0, 10, "needs a value"),
        ("(a OR b)", 0, 2, "Groups"),
        ("http://x", 0, 8, "quotes"),
        ("a --b", 2, 5, "twice"),
        ("-", 0, 1, "nothing to search"),
        ("since:soon", 0, 10, "not a time"),
    ],
)
def test_a_wrong_term_says_where_and_what_is_nearest(text: str, start: int, end: int, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW_NS)
    assert (caught.value.start, caught.value.end) == (start, end)
    assert said in str(caught.value)


def test_a_query_crosses_to_another_process() -> None:
    query = parse("model:gpt* -has:error words", NOW_NS)
    assert pickle.loads(pickle.dumps(query)) == query


def test_an_error_crosses_to_another_process_with_its_place() -> None:
    error = pickle.loads(pickle.dumps(QueryError("No.", start=2, end=5, hint="Yes.")))
    assert (error.start, error.end, error.hint) == (2, 5, "Yes.")


def test_an_endless_text_is_refused() -> None:
    with pytest.raises(QueryError, match="characters"):
        parse("a " * 9_000, NOW_NS)


def test_spacing_does_not_make_another_query() -> None:
    assert parse(" a   b ", NOW_NS) == parse("a b", NOW_NS)
    assert not parse("  ", NOW_NS)


def test_every_field_says_what_it_claims() -> None:
    assert all(FIELDS.values())
