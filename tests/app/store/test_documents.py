"""What there is to search for in a span."""

import msgspec
from factories import chat_reply, chat_request
from filled_store import FilledStore, call_write, span_write

from app.models.ids import new_trace_id
from app.models.span import Failure
from app.store.bodies import Bodies
from app.store.documents import Documents, documents, item_texts


def _of(store: FilledStore, span: int) -> Documents:
    found = documents(store.conn, Bodies(store.conn), span)
    assert found is not None
    return found


def test_a_small_call_is_one_document(store: FilledStore) -> None:
    store.add(call_write(request=chat_request(("user", "Where is it?")), response=chat_reply("In Reykjavik.")))
    assert _of(store, 1) == Documents("chat gpt-4o-mini\nWhere is it?\nIn Reykjavik.", ())


def test_messages_kept_as_items_are_documents_of_their_own(store: FilledStore) -> None:
    long = "Tell me of whales. " * 150
    store.add(call_write(request=chat_request(("user", long)), response=chat_reply("They are large.")))
    found = _of(store, 1)
    assert "whales" not in found.text
    assert long in "".join(item_texts(Bodies(store.conn), found.items).values())


def test_messages_of_earlier_turns_are_not_said_again(store: FilledStore) -> None:
    messages = [("user", "First."), ("assistant", "Yes."), ("user", "Second.")]
    store.add(call_write(request=chat_request(*messages), response=chat_reply("No."), entered_from=2, n_messages=3))
    assert _of(store, 1).text == "chat gpt-4o-mini\nSecond.\nNo."


def test_what_no_dialect_reads_gives_its_strings(store: FilledStore) -> None:
    odd = {"dialect": "", "operation": "images", "response": b"\x89PNG\x00\x00", "content_type": "image/png"}
    store.add(call_write(request=msgspec.json.encode({"prompt": "A red fox"}), **odd))
    assert _of(store, 1).text == "chat gpt-4o-mini\nA red fox"


def test_what_went_wrong_can_be_searched_for(store: FilledStore) -> None:
    store.add(call_write(response=b"", failure=Failure("timeout", "No byte came within 600 s")))
    assert "No byte came" in _of(store, 1).text


def test_an_inferred_span_is_found_by_its_name_and_a_stated_one_by_its_payloads_too(store: FilledStore) -> None:
    tid = new_trace_id()
    store.add(call_write(trace_id=tid, spans=(span_write(tid, 5, output=b'"secret"'),)))
    store.add_spans(span_write(new_trace_id(), 6, name="search", input=b'{"q": "ravens"}'))
    assert _of(store, 2).text == "run_sql"
    assert _of(store, 3).text == "search\nravens"


def test_a_span_that_is_gone_has_none(store: FilledStore) -> None:
    assert documents(store.conn, Bodies(store.conn), 9) is None
