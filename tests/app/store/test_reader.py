"""The face of the store for those who only read."""

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filled_store import FilledStore, call_write, span_write

from app.errors import StoreError
from app.models.ids import new_trace_id, span_hex
from app.models.query import parse
from app.store import reader as reader_module
from app.store.migrations import migrate
from app.store.reader import Reader


def test_a_row_shows_what_its_calls_say(store: FilledStore) -> None:
    store.add_key(1, "ci")
    tid = new_trace_id()
    store.add(
        call_write(trace_id=tid, model="a", input_preview="Hello", session="abc", trace_name="run"),
        call_write(trace_id=tid, model="b", output_preview="Bye", cost_nusd=None, session="abc", trace_name="run"),
    )
    (row,) = store.reader.traces(parse("", 0), None, 10)
    assert (row.trace_id, row.name, row.session, row.key) == (tid, "run", "abc", "ci")
    assert (row.model, row.n_models, row.provider) == ("b", 2, "openai")
    assert (row.input_preview, row.output_preview) == ("Hello", "Bye")
    assert (row.input_tokens, row.output_tokens, row.cost_nusd, row.n_unpriced) == (20, 6, 1000, 1)
    assert (row.n_spans, row.n_errors) == (2, 0)
    assert store.reader.trace_rows([99, row.id]) == [row]


def test_a_page_that_sql_cannot_find_in_time_is_found_in_columns(
    store: FilledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "_PAGE_BUDGET_S", -1.0)
    monkeypatch.setattr("app.store.traces._STEPS_A_LOOK", 1)
    store.add(*(call_write(model=f"m{n % 2}") for n in range(9)))
    assert [row.id for row in store.reader.traces(parse("model:m1", 0), None, 3)] == [8, 6, 4]
    store.forget([8])
    assert [row.id for row in store.reader.traces(parse("model:m1", 0), None, 3)] == [6, 4, 2]


@pytest.mark.parametrize("form", ["{trace}", " {trace} ", "{span}", "0x{span}", "{request}", "00-{trace}-{span}-01"])
def test_an_id_leads_to_its_trace(store: FilledStore, form: str) -> None:
    write = call_write()
    store.add(call_write(), write)
    text = form.format(
        trace=write.placement.trace_id.hex(), span=span_hex(write.record.span_id), request=write.record.request_id
    )
    assert store.reader.find(text) == 2


@pytest.mark.parametrize("text", ["", "hello", "ab" * 16, "cd" * 8, f"00-{'ab' * 16}-{'cd' * 8}-01"])
def test_what_is_no_id_of_ours_leads_nowhere(store: FilledStore, text: str) -> None:
    store.add(call_write())
    assert store.reader.find(text) is None


def test_every_answer_crosses_to_another_process(store: FilledStore) -> None:
    tid = new_trace_id()
    store.add(call_write(trace_id=tid, session="abc", spans=(span_write(tid, 4),)))
    read = store.reader
    nothing = parse("", 0)
    answers = [
        read.traces(nothing, None, 5), read.trace_ids(nothing), read.count(nothing), read.facets(nothing),
        read.models(), read.keys(), read.tree(1), read.span(1), read.conversation(1), read.timing(1), read.sessions(),
        read.totals(), read.data_version(),
    ]  # fmt: skip
    for answer in answers:
        assert type(pickle.loads(pickle.dumps(answer))) is type(answer)


def test_many_threads_ask_one_reader(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(50)))
    found: list[object] = []

    def ask() -> None:
        for _ in range(10):
            rows = store.reader.traces(parse("model:gpt* chat", 0), None, 100)
            found.append((len(rows), store.reader.count(parse("", 0)), store.reader.facets(parse("", 0))["model"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(50, (50, 50), [("gpt-4o-mini", 50)])] * 40


def test_the_data_version_changes_with_a_commit_and_only_then(store: FilledStore) -> None:
    before = store.reader.data_version()
    assert store.reader.data_version() == before
    store.add(call_write())
    assert store.reader.data_version() != before


def test_a_folder_without_a_database_says_so_until_there_is_one(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "new")
    with pytest.raises(StoreError, match="no database"):
        reader.totals()
    with pytest.raises(StoreError, match="no database"):
        reader.data_version()
    (tmp_path / "new").mkdir()
    migrate(tmp_path / "new" / "traces.db")
    assert reader.totals().n_calls == 0
    reader.close()


@pytest.mark.parametrize(("schema", "said"), [(999, "newer"), (0, "no tables")])
def test_a_database_of_another_schema_is_not_read(store: FilledStore, schema: int, said: str) -> None:
    store.conn.execute(f"PRAGMA user_version = {schema}")
    with pytest.raises(StoreError, match=said):
        Reader(store.folder).traces(parse("", 0), None, 5)


def test_a_file_that_is_no_database_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "traces.db").write_bytes(b"not a database at all, sorry" * 50)
    with pytest.raises(StoreError, match="cannot be read"):
        Reader(tmp_path).totals()


def test_another_file_in_the_databases_place_is_read_instead(tmp_path: Path) -> None:
    first = FilledStore(tmp_path)
    first.add(call_write(model="old"))
    reader = Reader(tmp_path)
    assert (reader.count(parse("", 0)), reader.models()) == ((1, 1), ["old"])
    first.close()
    (tmp_path / "traces.db").rename(tmp_path / "aside.db")
    second = FilledStore(tmp_path)
    second.add(call_write(model="new"), call_write(model="new"))
    assert (reader.count(parse("", 0)), reader.models()) == ((2, 2), ["new"])
    reader.close()
    second.close()


def test_a_reader_never_holds_a_transaction(store: FilledStore) -> None:
    store.add(*(call_write() for _ in range(20)))
    store.reader.traces(parse("", 0), None, 5)
    store.reader.tree(1)
    store.reader.count(parse("chat", 0))
    busy, log, done = store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert (busy, log, done) == (0, 0, 0)


def test_the_first_list_comes_without_numpy(store: FilledStore) -> None:
    store.add(call_write())
    script = (
        "import sys; from pathlib import Path; from app.store.reader import Reader; from app.models.query import parse;"
        f"reader = Reader(Path({str(store.folder)!r})); rows = reader.traces(parse('model:gpt* chat', 0), None, 50);"
        "totals = reader.totals(); print(len(rows), totals.n_calls, 'numpy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "1", "False"]
