import json

import pytest
from dialect_recordings import records
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.cohere_reader import CohereReader
from app.dialects.cohere_stream import CohereDeltas
from app.dialects.fold import fold
from app.dialects.writing import deltas_of_body
from app.models.delta import CallBegin, CallDelta, End, Failed, Finish, Skipped, TextDelta
from app.models.message import Media, Message, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Thinking, ToolChoice

READER = CohereReader()


def chats():
    """Every recorded v2 chat."""
    return [record for record in records("cohere.chat") if record.wire["request"]["path"] == "/v2/chat"]


def reply(message, finish="COMPLETE", **more):
    """What a whole answer is read as."""
    body = {"id": "1", "message": {"role": "assistant", **message}, "finish_reason": finish, **more}
    return READER.read_reply(json.dumps(body).encode(), 200)


def sse(*events):
    """The bytes of a stream."""
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events
    )


def piece(**content):
    """One piece of text or thought."""
    return {"type": "content-delta", "index": 0, "delta": {"message": {"content": content}}}


def test_a_request_is_read_whole():
    request = READER.read_request(
        json.dumps(
            {
                "model": "command-a",
                "stream": True,
                "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
                "tool_choice": "REQUIRED",
                "max_tokens": 5,
                "p": 0.5,
                "k": 3,
                "stop_sequences": ["x"],
                "thinking": {"type": "enabled", "token_budget": 100},
                "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
                "safety_mode": "STRICT",
            }
        ).encode()
    )
    assert request.messages == (Message("system", (Text("Be kind."),)), Message("user", (Text("Hi"),)))
    assert (request.model, request.is_stream, request.dialect) == ("command-a", True, "cohere")
    assert request.tools[0].name == "f"
    assert request.tool_choice == ToolChoice("required")
    assert (request.settings.max_tokens, request.settings.top_p, request.settings.top_k) == (5, 0.5, 3)
    assert request.settings.stop == ("x",)
    assert request.settings.thinking == Thinking(budget_tokens=100)
    assert request.settings.output == OutputFormat("schema", {"type": "object"})
    assert request.params == {"safety_mode": "STRICT"}


def test_what_is_not_of_its_type_stays_among_the_rest():
    request = READER.read_request(b'{"messages": [], "max_tokens": "many", "tool_choice": "MAYBE", "thinking": 1}')
    assert request.settings.max_tokens is None
    assert request.params == {"max_tokens": "many", "tool_choice": "MAYBE", "thinking": 1}


def test_a_tool_loop_is_read():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    body = {
        "messages": [
            {"role": "assistant", "tool_plan": "I will.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "document", "document": {"data": {}}}]},
        ]
    }
    turn, result = READER.read_request(json.dumps(body).encode()).messages
    assert turn.parts == (Text("I will.", extras={"type": "tool_plan"}), ToolCall("a", "f", '{"x":1}'))
    assert result.parts == (ToolResult("a", None, (Raw("document", {"type": "document", "document": {"data": {}}}),)),)


def test_an_image_is_read():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    body = {"messages": [{"role": "user", "content": [image]}]}
    (message,) = READER.read_request(json.dumps(body).encode()).messages
    assert message.parts == (Media("image", "image/png", data="AAAA", detail="low"),)


def test_citations_hang_on_the_text_they_belong_to():
    source = {"type": "document", "id": "doc:0", "document": {"title": "facts", "url": "http://x"}}
    cited = {"start": 0, "end": 4, "text": "Ruby", "sources": [source], "type": "TEXT_CONTENT", "content_index": 1}
    plan = {"start": 0, "end": 1, "text": "I", "type": "PLAN"}
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Ruby."}]
    message = reply({"content": content, "citations": [cited, plan]}).choices[0].message
    thought, text = message.parts
    assert thought == Reasoning("hm", origin="cohere")
    (citation,) = text.citations
    assert (citation.quote, citation.start, citation.end) == ("Ruby", 0, 4)
    assert (citation.title, citation.url) == ("facts", "http://x")
    assert message.extras == {"citations": [plan]}


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR", "error"),
        ("TIMEOUT", "error"),
    ],
)
def test_every_end_has_its_word(native, reason):
    read = reply({"content": [{"type": "text", "text": "a"}]}, native)
    assert (read.choices[0].finish_reason, read.choices[0].native_finish_reason) == (reason, native)
    assert (read.error is not None) == (reason == "error")


def test_what_is_billed_is_what_was_used_and_thoughts_are_part_of_the_output():
    usage = {
        "billed_units": {"input_tokens": 44, "output_tokens": 100},
        "tokens": {"input_tokens": 1430, "output_tokens": 105, "reasoning_tokens": 90},
        "cached_tokens": 1392,
    }
    read = reply({"content": []}, usage=usage).usage
    assert (read.input_tokens, read.output_tokens, read.reasoning_tokens) == (44, 100, 90)
    assert read.cache_read_tokens is None


def test_the_likelihood_of_a_piece_is_that_of_its_tokens_together():
    read = reply({"content": []}, logprobs=[{"text": "Hi", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}])
    assert [(one.token, one.logprob) for one in read.choices[0].logprobs] == [("Hi", -0.75)]


def test_errors_are_read():
    assert READER.read_reply(b'{"id": "1", "message": "no such model"}', 404).error.message == "no such model"
    assert READER.read_reply(b"<html>", 502).error is not None
    assert not READER.read_reply(b'{"id": "1", "mess', 200).is_complete


def test_an_error_inside_a_stream_ends_it():
    body = sse(piece(text="a")) + b'data: {"message": "overloaded"}\n\n' + sse(piece(text="b"))
    deltas = deltas_of_body(CohereDeltas(), body)
    assert deltas == [TextDelta("a"), Failed(deltas[-1].error)]
    assert deltas[-1].error.message == "overloaded"


def test_a_stream_that_ends_with_an_error_never_ends_as_success():
    deltas = deltas_of_body(CohereDeltas(), sse({"type": "message-end", "delta": {"finish_reason": "ERROR"}}))
    assert [type(delta) for delta in deltas] == [Failed]


def test_a_cut_stream_is_not_complete():
    read = READER.read_stream(sse(piece(text="a")))
    assert (read.is_complete, read.choices[0].finish_reason) == (False, None)


def test_no_cut_of_a_stream_is_a_success():
    body = sse(piece(text="a"), {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}).rstrip()
    for size in range(len(body)):
        kinds = [type(delta) for delta in deltas_of_body(CohereDeltas(), body[:size])]
        assert End not in kinds and Finish not in kinds
    assert deltas_of_body(CohereDeltas(), body)[-1] == End()


def test_junk_in_a_stream_is_passed_over():
    body = b"data: {junk\n\ndata: 5\n\n" + sse(piece(text="a"), {"type": "debug"}, {"type": "new-thing"})
    deltas = deltas_of_body(CohereDeltas(), body)
    assert deltas == [Skipped(), Skipped(), TextDelta("a")]


def test_parallel_calls_of_a_stream_keep_their_places():
    def call(index, **function):
        return {"index": index, "delta": {"message": {"tool_calls": {"id": f"c{index}", "function": function}}}}

    body = sse(
        {"type": "tool-call-start", **call(0, name="f", arguments="")},
        {"type": "tool-call-start", **call(1, name="g", arguments="")},
        {"type": "tool-call-delta", **call(1, arguments="{}")},
        {"type": "tool-call-delta", **call(0, arguments='{"a":1}')},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
    )
    deltas = deltas_of_body(CohereDeltas(), body)
    assert deltas == [
        CallBegin(0, "c0", "f"),
        CallBegin(1, "c1", "g"),
        CallDelta(1, "{}"),
        CallDelta(0, '{"a":1}'),
        Finish("tool_calls", "TOOL_CALL"),
        End(),
    ]


def test_every_recorded_answer_is_read():
    n_streams = 0
    for record in chats():
        read = READER.read_answer(record.response, record.content_type, record.status)
        assert (read.skipped_events, bool(read.error)) == (0, record.status >= 400), record.id
        elements = READER.split_messages(record.request)
        request = READER.read_request(record.request)
        assert tuple(READER.read_element(raw) for raw in elements) == request.messages, record.id
        if record.status >= 400:
            continue
        assert read.is_complete and read.usage is not None, record.id
        events = record.events()
        n_streams += len(events) > 1
        assert "".join(part.text for part in read.choices[0].message.parts if isinstance(part, Text)) == _texts(events)
    assert n_streams == 10


def test_any_split_of_a_recorded_stream_tells_the_same():
    bodies = [record.response for record in chats() if record.wire["stream"]]

    @settings(max_examples=25, deadline=None)
    @given(st.sampled_from(bodies), st.lists(st.integers(0, 20_000), max_size=12))
    def check(body, cuts):
        places = sorted({min(cut, len(body)) for cut in cuts})
        reader = CohereDeltas()
        deltas = []
        for start, end in zip([0, *places], [*places, len(body)], strict=True):
            deltas += reader.feed(body[start:end])
        deltas += reader.close()
        assert deltas == deltas_of_body(CohereDeltas(), body)
        assert fold(deltas) == READER.read_stream(body)

    check()


def _texts(events):
    """All text and plans of an answer, cut out of its JSON."""
    said = []
    for event in events:
        message = event.get("message") or (event.get("delta") or {}).get("message") or {}
        content = message.get("content") or []
        said.append(message.get("tool_plan") or "")
        said += [part.get("text") or "" for part in (content if isinstance(content, list) else [content])]
    return "".join(said)
