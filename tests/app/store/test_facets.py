"""Counts by value."""

import numpy as np
from filled_store import FilledStore, call_write
from hypothesis import given
from hypothesis import strategies as st

from app.models.ids import new_trace_id
from app.models.query import parse
from app.models.span import Status
from app.store.facets import first_of_pairs


def test_a_trace_counts_once_for_each_of_its_models(store: FilledStore) -> None:
    store.add_key(1, "ci")
    tid = new_trace_id()
    store.add(
        call_write(trace_id=tid, model="a"),
        call_write(trace_id=tid, model="b"),
        call_write(trace_id=tid, model="a"),
        call_write(model="a", status=Status.ERROR, provider="other", key_id=None),
    )
    facets = store.reader.facets(parse("", 0))
    assert facets["model"] == [("a", 2), ("b", 1)]
    assert facets["provider"] == [("openai", 1), ("other", 1)]
    assert facets["key"] == [("ci", 1)]
    assert facets["status"] == [("ok", 1), ("error", 1)]
    assert facets["name"] == [("chat gpt-4o-mini", 2)]


def test_a_fields_own_terms_leave_its_other_values_to_choose(store: FilledStore) -> None:
    store.add(call_write(model="a"), call_write(model="b"), call_write(model="b", status=Status.ERROR))
    facets = store.reader.facets(parse("model:a -status:error", 0))
    assert facets["model"] == [("a", 1), ("b", 1)]
    assert facets["status"] == [("ok", 1)]


def test_an_empty_store_has_no_values(store: FilledStore) -> None:
    assert not any(store.reader.facets(parse("model:x", 0)).values())


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=40))
def test_one_index_stands_for_each_pair(pairs: list[tuple[int, int]]) -> None:
    group, code = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = first_of_pairs(group, code, np.argsort(group, kind="stable"))
    assert sorted(pairs[at] for at in found) == sorted(set(pairs))
