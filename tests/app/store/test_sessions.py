"""Sessions: traces of one conversation."""

from factories import START_NS
from filled_store import SECOND_NS, FilledStore, call_write

from app.models.span import Status


def _call(number: int, session: str | None, **fields: object) -> object:
    start_ns = START_NS + number * SECOND_NS
    return call_write(start_ns=start_ns, end_ns=start_ns + SECOND_NS, session=session, **fields)


def test_a_session_sums_its_traces(store: FilledStore) -> None:
    store.add(
        _call(1, "abc", input_preview="Hi", cost_nusd=5),
        _call(2, "abc", cost_nusd=None, status=Status.ERROR, tokens=(1, None)),
        _call(3, "abc", output_preview="Bye", cost_nusd=2),
        _call(4, None),
    )
    (row,) = store.reader.sessions()
    assert (row.session, row.is_stated) == ("abc", True)
    assert (row.first_ns, row.last_ns) == (START_NS + SECOND_NS, START_NS + 4 * SECOND_NS)
    assert (row.n_traces, row.n_calls, row.n_errors) == (3, 3, 1)
    assert (row.input_tokens, row.output_tokens, row.cost_nusd) == (21, 6, 7)
    assert (row.first_preview, row.last_preview) == ("Hi", "Bye")
    assert store.reader.session("abc") == row


def test_the_session_of_the_latest_trace_is_first_and_pages_follow(store: FilledStore) -> None:
    order = ["b", "a", "c", "a", "d", "b"]
    store.add(*(_call(number, session) for number, session in enumerate(order)))
    listed = [row.session for row in store.reader.sessions()]
    assert listed == ["b", "d", "a", "c"]
    paged: list[str] = []
    while rows := store.reader.sessions(paged[-1] if paged else None, 1):
        paged += [row.session for row in rows]
    assert paged == listed


def test_an_inferred_session_says_so(store: FilledStore) -> None:
    store.add(_call(1, "s-0123456789ab"))
    assert not store.reader.sessions()[0].is_stated


def test_a_session_that_is_not_there_is_none(store: FilledStore) -> None:
    store.add(_call(1, None, model="abc"))
    assert store.reader.session("abc") is None
    assert store.reader.session("nobody") is None
    assert store.reader.sessions("nobody", 5) == []
