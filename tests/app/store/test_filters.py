"""What each term of a query means, in SQL and over columns alike."""

import random

import pytest
from factories import START_NS, call_record
from filled_store import SECOND_NS, FilledStore, call_write, running, span_write

from app.models.call import CallWrite
from app.models.ids import new_trace_id
from app.models.query import Query, parse, term
from app.models.span import Failure, Kind, Status
from app.store import traces
from app.store.filters import where
from app.store.lists import Lists

NOW_NS = START_NS + 100_000 * SECOND_NS


def found(store: FilledStore, text: str) -> list[int]:
    """The traces a text finds, newest first: by SQL, which must agree with the columns."""
    query = parse(text, NOW_NS)
    by_rows = [row.id for row in store.reader.traces(query, None, 1000)]
    by_sql = traces.page_ids(store.conn, where(query, {}), None, 1000)
    by_columns = Lists().page_ids(store.conn, query, {}, None, 1000)
    assert by_rows == by_sql == by_columns
    return by_rows


def _seconds(number: int, **fields: object) -> CallWrite:
    """A call of so many seconds."""
    start_ns = START_NS + number * SECOND_NS
    return call_write(**{"start_ns": start_ns, "end_ns": start_ns + number * SECOND_NS, "key_id": None} | fields)


@pytest.fixture
def five(store: FilledStore) -> FilledStore:
    """Traces 1 to 5, each with something of its own."""
    store.add_key(7, "ci")
    tid = new_trace_id()
    tool = span_write(tid, 99, None, start_ns=START_NS + SECOND_NS)
    store.add(
        _seconds(1, model="claude-3", provider="anthropic", session="abc", trace_id=tid, spans=(tool,)),
        _seconds(2, model="gpt-4o", key_id=7, cost_nusd=50_000_000, tokens=(1000, 500), trace_name="Agent run"),
        _seconds(3, model="gpt-4o", status=Status.ERROR, http_status=429, cost_nusd=None, tokens=(None, None)),
        _seconds(4, model="gpt_4o", http_status=503, first_byte_ns=START_NS + 5 * SECOND_NS, path="/v1/embeddings?x=1"),
        running(_seconds(5, model="Claude-4", kind=Kind.EMBEDDING, trace_name="100% sure")),
    )
    return store


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("model:gpt-4o", [3, 2]),
        ("model:GPT-4O", [3, 2]),
        ("model:claude*", [5, 1]),
        ("model:*4o", [4, 3, 2]),
        ("model:gpt_4o", [4]),
        ("-model:claude*", [4, 3, 2]),
        ("model:claude-3,gpt_4o", [4, 1]),
        ("provider:anthropic", [1]),
        ("key:ci", [2]),
        ("-key:*", [5, 4, 3, 1]),
        ("status:error", [3]),
        ("status:running", [5]),
        ("status:ok,running", [5, 4, 2, 1]),
        ("status:429", [3]),
        ("status:4*", [3]),
        ("status:5xx", [4]),
        ("status:>=400", [4, 3]),
        ("-status:200", [5, 4, 3]),
        ("cost:>0.01", [2]),
        ("-cost:>0.01", [5, 4, 3, 1]),
        ("cost:0", []),
        ("dur:>=3s", [4, 3]),
        ("dur:2s", [2]),
        ("-dur:>=3s", [5, 2, 1]),
        ("tokens:1k..2k", [2]),
        ("tokens:<20", [4, 1]),
        ("-tokens:<20", [5, 3, 2]),
        ("ttft:<2s", [4]),
        ("session:abc", [1]),
        ("session:ABC", [1]),
        ("-session:*", [5, 4, 3, 2]),
        ("kind:tool", [1]),
        ("kind:llm", [4, 3, 2, 1]),
        ("kind:embedding,tool", [5, 1]),
        ("has:error", [3]),
        ("has:tool", [1]),
        ("has:key", [2]),
        ("has:session", [1]),
        ("-has:cost", [5, 3]),
        ("has:ttft", [4]),
        ('name:"Agent run"', [2]),
        ("name:agent*", [2]),
        ('name:"100% sure"', [5]),
        ("name:100?", []),
        ("path:/v1/embeddings", [4]),
        ("path:/v1/chat*", [5, 3, 2, 1]),
        ("model:gpt* status:ok", [4, 2]),
        ("model:nothing", []),
    ],
)
def test_a_term_is_a_claim_about_a_trace(five: FilledStore, text: str, ids: list[int]) -> None:
    assert found(five, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"), [("since:{3}", [5, 4, 3]), ("until:{3}", [3, 2, 1]), ("-since:{4}", [3, 2, 1])]
)
def test_time_has_both_its_ends(five: FilledStore, text: str, ids: list[int]) -> None:
    ago = {number: f"{(NOW_NS - START_NS) // SECOND_NS - number}s" for number in range(6)}
    for number, value in ago.items():
        text = text.replace(f"{{{number}}}", value)
    assert found(five, text) == ids


def test_a_call_that_was_kept_raw_is_found(store: FilledStore) -> None:
    failure = Failure("invalid", "no JSON", 400)
    store.add(call_write(dialect="", model=None, provider=None, failure=failure, cost_nusd=None, tokens=(None, None)))
    assert found(store, "-model:*") == [1]


_MODELS = ["gpt-4o", "gpt-4o-mini", "claude-3", None]
_ENDS = [(Status.OK, 200), (Status.ERROR, 429), (Status.ERROR, 500), (Status.ABORTED, None)]
_TERMS = [
    "model:gpt*", "model:gpt-4o,claude*", "-model:gpt-4o", "provider:openai", "provider:a*", "key:k1", "-key:k*",
    "status:error", "-status:ok", "status:429", "status:4*,5*", "status:>=500", "-status:200", "cost:>0.005",
    "cost:<=0.003", "-cost:>0.001", "dur:>1s", "dur:500ms..2s", "-dur:<1s", "ttft:>500ms", "-ttft:>500ms",
    "tokens:>100", "tokens:10..60", "-tokens:>1", "session:s1", "session:s*", "-session:s2", "kind:tool", "-kind:tool",
    "kind:llm", "has:error", "-has:tool", "has:key", "has:cost", "has:ttft", "has:session", "name:run*", "-name:run1",
    "path:/v1/chat*", "-path:/v1/*",
]  # fmt: skip


def _any_call(rng: random.Random, tids: list[bytes]) -> CallWrite:
    start_ns = START_NS + rng.randrange(50) * SECOND_NS
    status, http_status = rng.choice(
        [(Status.OK, 200), (Status.ERROR, 429), (Status.ERROR, 500), (Status.ABORTED, None)]
    )
    record = call_record(
        start_ns=start_ns,
        end_ns=start_ns + rng.randrange(1, 30) * SECOND_NS // 10,
        first_byte_ns=rng.choice([None, start_ns + rng.randrange(10) * SECOND_NS // 10]),
        status=http_status,
        key_id=rng.choice([None, 1, 2]),
        provider=rng.choice(["openai", "anthropic", None]),
        path=rng.choice(["/v1/chat/completions", "/v1/responses", "/other?q=1"]),
    )
    tid = rng.choice(tids)
    spans = (span_write(tid, rng.randrange(1, 99), None, start_ns=start_ns),) if rng.random() < 0.2 else ()
    write = call_write(
        record,
        trace_id=tid,
        spans=spans,
        status=status,
        cost_nusd=rng.choice([None, 0, rng.randrange(9_000_000)]),
        tokens=rng.choice([(None, None), (rng.randrange(99), None), (rng.randrange(99), rng.randrange(99))]),
        session=rng.choice([None, "s1", "s2"]),
        trace_name=rng.choice(["run1", "run2", "other"]),
        model=rng.choice(_MODELS),
    )
    return running(write) if rng.random() < 0.1 else write


@pytest.mark.parametrize("seed", range(4))
def test_sql_and_columns_agree_on_any_store_while_it_grows(store: FilledStore, seed: int) -> None:
    rng = random.Random(seed)
    store.add_key(1, "k1")
    store.add_key(2, "k2")
    tids = [new_trace_id() for _ in range(40)]
    lists = Lists()
    started: list[CallWrite] = []
    for _ in range(6):
        added = [_any_call(rng, tids) for _ in range(rng.randrange(40))]
        ended = [
            call_write(call_record(span_id=one.record.span_id), trace_id=one.placement.trace_id) for one in started
        ]
        store.add(*added, *ended)
        started = [one for one in added if one.record.end_ns is None]
        for _ in range(25):
            text = " ".join(rng.sample(_TERMS, rng.randrange(3)))
            _agree(store, lists, parse(text, NOW_NS))


def _ended(write: CallWrite) -> CallWrite:
    return call_write(call_record(span_id=write.record.span_id), trace_id=write.placement.trace_id)


def _agree(store: FilledStore, lists: Lists, query: Query) -> None:
    condition = where(query, {})
    expected = traces.page_ids(store.conn, condition, None, -1)
    assert lists.page_ids(store.conn, query, {}, None, 1000) == expected, query.text
    count = f"SELECT count(*), ifnull(sum(n_calls), 0) FROM trace t WHERE {condition.sql}"  # noqa: S608
    assert lists.count(store.conn, query, {}) == store.conn.execute(count, condition.values).fetchone()
    for dimension, values in lists.facets(store.conn, query, {}).items():
        others = Query(tuple(own for own in query.terms if own.field != dimension))
        for value, n in values:
            narrowed = parse(f"{' '.join(map(str, others.terms))} {term(dimension, value)}", NOW_NS)
            narrowed_count = lists.count(store.conn, narrowed, {})[0]
            assert n == narrowed_count, (query.text, dimension, value)
