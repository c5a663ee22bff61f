"""One span in full."""

import pytest
from factories import START_NS, chat_reply, chat_request
from filled_store import FilledStore, call_write, running, span_write

from app.errors import InputError, StoreError
from app.models.call import Attempt, Edit
from app.models.ids import new_trace_id
from app.models.span import Failure, Kind, Link, LinkMethod, Status
from app.models.timing import Timing
from app.models.usage import Usage

MS_NS = 1_000_000


def test_a_call_comes_back_with_all_it_was_recorded_with(store: FilledStore) -> None:
    store.add_key(1, "ci")
    attempt = Attempt("openai", "gpt-4o", "https://api.example/v1", START_NS, START_NS + 5, 429, Failure("x", "y", 429))
    link = Link(LinkMethod.CHAIN, 0.9, "It begins with what span 7 said.")
    write = call_write(
        start_ns=START_NS,
        end_ns=START_NS + 800 * MS_NS,
        first_byte_ns=START_NS + 300 * MS_NS,
        attempts=(attempt, attempt),
        links=(link,),
        parent_span_id=-7,
        session="abc",
        model="gpt-4o",
        usage=Usage(input_tokens=9, cache_read_tokens=4, service_tier="flex"),
        failure=Failure("cut", "The stream ended early."),
        status=Status.ERROR,
        http_status=200,
    )
    store.add(write)
    span = store.reader.span(1)
    assert (span.span_id, span.trace_id, span.parent_span_id) == (write.record.span_id, write.placement.trace_id, -7)
    assert (span.kind, span.name, span.status) == (Kind.LLM, "chat gpt-4o-mini", Status.ERROR)
    assert (span.start_ns, span.duration_ns, span.ttft_ns) == (START_NS, 800 * MS_NS, 300 * MS_NS)
    assert (span.session, span.key, span.provider) == ("abc", "ci", "openai")
    assert (span.requested_model, span.model) == (write.record.requested_model, "gpt-4o")
    assert (span.dialect, span.operation, span.method) == ("openai_chat", "chat", "POST")
    assert (span.path, span.http_status, span.request_id) == ("/v1/chat/completions", 200, write.record.request_id)
    assert span.usage == Usage(input_tokens=9, cache_read_tokens=4, service_tier="flex")
    assert (span.cost_nusd, span.cost_parts, span.finish_reason) == (1000, {"input": 600, "output": 400}, "stop")
    assert span.failure == Failure("cut", "The stream ended early.")
    assert (span.attempts, span.links) == ((attempt, attempt), (link,))
    assert span.request_headers == write.record.request_headers
    assert (span.request_size_bytes, span.response_size_bytes) == (
        len(write.record.request),
        len(write.record.response),
    )
    assert not span.has_upstream_request and not span.has_upstream_response


def test_bodies_come_back_as_they_were_and_upstream_ones_as_they_went(store: FilledStore) -> None:
    sent = chat_request(("user", "Hello"), model="fast")
    at = sent.index(b'"fast"')
    write = call_write(request=sent, upstream_edit=Edit(at, at + 6, b'"gpt-4o"'), upstream_response=b"what came")
    store.add(write, call_write())
    body = store.reader.body
    assert body(1, "request") == sent
    assert body(1, "response") == write.record.response
    assert body(1, "upstream_request") == sent.replace(b'"fast"', b'"gpt-4o"')
    assert body(1, "upstream_response") == b"what came"
    assert body(2, "upstream_request") == body(2, "request")
    assert body(2, "upstream_response") == body(2, "response")
    assert body(1, "input") == b""
    assert store.reader.span(1).has_upstream_request and store.reader.span(1).has_upstream_response


def test_an_unknown_body_is_refused(store: FilledStore) -> None:
    store.add(call_write())
    with pytest.raises(InputError, match="no body"):
        store.reader.body(1, "sideways")  # type: ignore[arg-type]


def test_a_tool_span_has_its_input_and_output_and_its_own_attributes(store: FilledStore) -> None:
    store.add_spans(span_write(new_trace_id(), 3, 2, input=b'{"q": 1}', output=b'"ok"', attributes={"tool.id": "c1"}))
    span = store.reader.span(1)
    assert (span.kind, span.name, span.attributes) == (Kind.TOOL, "run_sql", {"tool.id": "c1"})
    assert (span.model, span.cost_nusd, span.dialect, span.attempts) == (None, None, "", ())
    assert (store.reader.body(1, "input"), store.reader.body(1, "output")) == (b'{"q": 1}', b'"ok"')
    assert (span.request_size_bytes, span.response_size_bytes) == (8, 4)
    assert store.reader.conversation(1).note
    assert store.reader.timing(1) == Timing(None, (), ())


def test_a_conversation_is_read_from_the_bytes(store: FilledStore) -> None:
    messages = [("user", "One"), ("assistant", "Two"), ("user", "Three")]
    store.add(call_write(request=chat_request(*messages), response=chat_reply("Four"), entered_from=2))
    conversation = store.reader.conversation(1)
    assert conversation.request is not None and conversation.reply is not None
    assert [message.text() for message in conversation.request.messages] == ["One", "Two", "Three"]
    assert conversation.reply.choices[0].message.text() == "Four"
    assert (conversation.entered_from, conversation.note) == (2, "")


def test_what_cannot_be_read_is_none_and_says_why(store: FilledStore) -> None:
    unread = call_write(dialect="", operation="other")
    store.add(call_write(request=b"{not json"), unread, call_write(response=b"", http_status=None))
    broken, strange, silent = (store.reader.conversation(span) for span in (1, 2, 3))
    assert broken.request is None and broken.reply is not None and "request" in broken.note
    assert strange.request is None and strange.reply is None and "raw bytes" in strange.note
    assert silent.reply is None and "no answer" in silent.note


def test_a_running_call_has_a_request_and_no_complaint(store: FilledStore) -> None:
    store.add(running(call_write()))
    span = store.reader.span(1)
    assert (span.status, span.duration_ns, span.http_status) == (Status.RUNNING, None, None)
    assert store.reader.body(1, "request")


def test_a_streams_pieces_come_back_with_their_times(store: FilledStore) -> None:
    store.add(
        call_write(start_ns=START_NS, first_byte_ns=START_NS + 20 * MS_NS, chunks=(0, 10, 5 * MS_NS, 30)),
        call_write(start_ns=START_NS, first_byte_ns=START_NS + 20 * MS_NS),
    )
    assert store.reader.timing(1) == Timing(20 * MS_NS, (20 * MS_NS, 25 * MS_NS), (10, 30))
    assert store.reader.timing(2) == Timing(20 * MS_NS, (), ())


def test_a_span_that_is_gone_says_so(store: FilledStore) -> None:
    for ask in (store.reader.span, store.reader.conversation, store.reader.timing):
        with pytest.raises(StoreError, match="not in the store"):
            ask(12)
