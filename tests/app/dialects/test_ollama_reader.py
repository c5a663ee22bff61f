import json

from dialect_recordings import records
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.fold import fold
from app.dialects.ollama_reader import OllamaReader
from app.dialects.ollama_stream import OllamaDeltas
from app.dialects.writing import deltas_of_body
from app.models.chat import ReplyError
from app.models.delta import Begin, CallBegin, CallDelta, CallEnd, End, Failed, Finish, Skipped, TextDelta, UsageDelta
from app.models.message import Media, Message, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Thinking
from app.models.usage import Usage

READER = OllamaReader()


def lines(*objects):
    """The bytes of a stream."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def said(content, **more):
    """One line of a stream."""
    return {"model": "m", "message": {"role": "assistant", "content": content, **more}, "done": False}


DONE = {"message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}


def test_a_request_is_read_whole():
    request = READER.read_request(
        json.dumps(
            {
                "model": "qwen3",
                "messages": [{"role": "user", "content": "Hi", "images": ["AAAA"]}],
                "options": {"num_predict": 5, "temperature": 0, "stop": ["x"], "num_ctx": 8192},
                "format": {"type": "object"},
                "think": "low",
                "keep_alive": "5m",
            }
        ).encode()
    )
    assert request.messages == (Message("user", (Media("image", data="AAAA"), Text("Hi"))),)
    assert (request.model, request.is_stream, request.dialect) == ("qwen3", True, "ollama")
    assert (request.settings.max_tokens, request.settings.temperature, request.settings.stop) == (5, 0, ("x",))
    assert request.settings.output == OutputFormat("schema", {"type": "object"})
    assert request.settings.thinking == Thinking(effort="low")
    assert request.params == {"keep_alive": "5m", "options": {"num_ctx": 8192}}


def test_a_chat_streams_unless_told_otherwise():
    assert READER.read_request(b'{"messages": []}').is_stream
    assert not READER.read_request(b'{"messages": [], "stream": false}').is_stream


def test_a_tool_loop_is_read():
    call = {"function": {"name": "f", "arguments": {"x": 1}}}
    turns = [
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [call]},
        {"role": "tool", "tool_name": "f", "content": "5"},
    ]
    asked, answered = READER.read_request(json.dumps({"messages": turns}).encode()).messages
    assert asked.parts == (Reasoning("hm", origin="ollama"), ToolCall(None, "f", '{"x":1}'))
    assert answered.parts == (ToolResult(None, "f", (Text("5"),)),)


def test_a_generation_is_a_chat_of_one_turn():
    body = b'{"model": "m", "system": "Be kind.", "prompt": "Hi", "stream": false, "raw": true}'
    request = READER.read_request(body)
    assert request.messages == (Message("system", (Text("Be kind."),)), Message("user", (Text("Hi"),)))
    assert request.params == {"raw": True}
    reply = READER.read_answer(b'{"model": "m", "response": "Ho", "done": true}', "application/json", 200)
    assert (reply.choices[0].message.text(), reply.choices[0].finish_reason) == ("Ho", "stop")


def test_calls_come_whole_and_end_the_answer_for_their_sake():
    call = {"function": {"index": 0, "name": "f", "arguments": {"x": 1}}}
    deltas = deltas_of_body(OllamaDeltas(), lines(said("", tool_calls=[call, {"function": {"name": "g"}}]), DONE))
    assert deltas == [
        Begin(None, "m", dialect="ollama"),
        CallBegin(0, None, "f", extras={"function": {"index": 0}}),
        CallDelta(0, '{"x":1}'),
        CallEnd(0),
        CallBegin(1, None, "g"),
        CallDelta(1, "{}"),
        CallEnd(1),
        Finish("tool_calls", "stop"),
        UsageDelta(Usage(input_tokens=3, output_tokens=2)),
        End(),
    ]


def test_an_error_inside_a_stream_ends_it():
    deltas = deltas_of_body(OllamaDeltas(), lines(said("a"), {"error": "out of memory"}, said("b")))
    assert deltas[1:] == [TextDelta("a"), Failed(ReplyError(None, "out of memory"))]


def test_a_cut_stream_is_not_complete():
    reply = READER.read_stream(lines(said("a"), said("b")) + b'{"model": "m", "mess')
    assert (reply.is_complete, reply.choices[0].message.text(), reply.skipped_events) == (False, "ab", 1)


def test_no_cut_of_a_stream_is_a_success():
    body = lines(said("a"), said("", tool_calls=[{"function": {"name": "f", "arguments": {}}}]), DONE).rstrip()
    for size in range(len(body)):
        kinds = [type(delta) for delta in deltas_of_body(OllamaDeltas(), body[:size])]
        assert End not in kinds and Finish not in kinds
    assert deltas_of_body(OllamaDeltas(), body)[-1] == End()


def test_junk_in_a_stream_is_passed_over():
    body = b"junk\n\n[1]\n" + lines(said("a"), DONE)
    deltas = deltas_of_body(OllamaDeltas(), body)
    assert deltas[:2] == [Skipped(), Skipped()]
    assert fold(deltas).choices[0].message.text() == "a"


def test_a_last_line_without_its_end_counts():
    assert READER.read_stream(lines(said("a"), DONE).rstrip()).is_complete


def test_thoughts_and_words_are_told_apart():
    reply = READER.read_stream(lines(said("", thinking="h"), said("", thinking="m"), said("yes"), DONE))
    assert reply.choices[0].message.parts == (Reasoning("hm", origin="ollama"), Text("yes"))


def test_the_time_of_an_answer_is_read():
    body = b'{"created_at": "2026-08-07T06:08:14.947137Z", "message": {"content": "a"}, "done": true}'
    assert READER.read_reply(body, 200).created_s == 1786082894


def test_likelihoods_are_read():
    token = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -1}]}
    reply = READER.read_stream(lines({**said("a"), "logprobs": [token]}, DONE))
    (found,) = reply.choices[0].logprobs
    assert (found.token, found.logprob, found.utf8, found.top[0].token) == ("a", -0.5, (97,), "b")


def test_every_recorded_answer_is_read():
    for record in [*records("ollama.chat"), *records("ollama.generate")]:
        request = READER.read_request(record.request)
        elements = READER.split_messages(record.request)
        assert elements and tuple(READER.read_element(raw) for raw in elements) == request.messages, record.id
        reply = READER.read_answer(record.response, record.content_type, record.status)
        assert (reply.skipped_events, bool(reply.error)) == (0, record.status >= 400), record.id
        if record.status < 400:
            assert reply.is_complete and reply.usage.output_tokens, record.id
            assert reply.choices[0].message.text() == _text(record), record.id


def test_any_split_of_a_recorded_stream_tells_the_same():
    bodies = [record.response for record in records("ollama.chat") if record.wire["stream"]]

    @settings(max_examples=20, deadline=None)
    @given(st.sampled_from(bodies), st.lists(st.integers(0, 100_000), max_size=12))
    def check(body, cuts):
        places = sorted({min(cut, len(body)) for cut in cuts})
        reader = OllamaDeltas()
        deltas = []
        for start, end in zip([0, *places], [*places, len(body)], strict=True):
            deltas += reader.feed(body[start:end])
        assert deltas + reader.close() == deltas_of_body(OllamaDeltas(), body)

    check()


def _text(record):
    """The answer's text, cut out of its JSON."""
    wire = record.wire["response"]
    objects = [wire["body"]] if "body" in wire else [json.loads(line) for line in wire["ndjson"].splitlines() if line]
    return "".join((one.get("message") or {}).get("content") or one.get("response") or "" for one in objects)
