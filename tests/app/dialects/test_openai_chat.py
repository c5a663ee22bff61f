import json

import pytest
from bare import bare

from app.dialects.openai_chat import OpenAiChatReader
from app.errors import InputError
from app.models.chat import ReplyError, Tool
from app.models.message import Media, Message, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.settings import ToolChoice

READER = OpenAiChatReader()


def _sse(*chunks):
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def _delta(_finish=None, _index=0, **delta):
    return {"id": "c1", "model": "m", "choices": [{"index": _index, "delta": delta, "finish_reason": _finish}]}


def _whole(_finish="stop", **message):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": _finish}
    return json.dumps({"id": "c1", "model": "m", "choices": [choice]}).encode()


def _read(message):
    return READER.read_element(json.dumps(message).encode())


def test_a_request_is_read_whole():
    body = {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Weather?", "name": "ann"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "w", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "w", "description": "d", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "auto",
        "stream": True,
        "temperature": 0.5,
        "seed": None,
    }
    request = READER.read_request(json.dumps(body).encode())
    assert request.messages == (
        Message("system", (Text("Be kind."),)),
        Message("user", (Text("Weather?"),), "ann"),
        Message("assistant", (ToolCall("call_1", "w", '{"a":1}'),)),
        Message("tool", (ToolResult("call_1", None, (Text("sunny"),)),)),
    )
    assert (request.model, request.is_stream, request.tool_choice) == ("gpt-4o", True, ToolChoice("auto"))
    assert request.tools == (Tool("w", "d", {"type": "object"}),)
    assert (request.settings.temperature, request.params) == (0.5, {})


def test_elements_are_verbatim_and_one_a_message():
    body = b'{"messages": [ {"role": "user",  "content":"a"} , {"content":"b","role":"assistant"}]}'
    assert READER.split_messages(body) == [
        b'{"role": "user",  "content":"a"}',
        b'{"content":"b","role":"assistant"}',
    ]
    assert READER.split_messages(b"<html>") == READER.split_messages(b'{"messages": "x"}') == []


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x/a.png"}}, Media("image", url="https://x/a.png")),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            Media("image", "image/png", data="QUJD"),
        ),
        ({"type": "image_url", "image_url": "https://x/a.png"}, Media("image", url="https://x/a.png")),
        ({"type": "video_url", "video_url": {"url": "https://x/a.mp4"}}, Media("video", url="https://x/a.mp4")),
        (
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
            Media("audio", "audio/wav", data="QUJD"),
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
            Media("file", "application/pdf", data="QUJD", name="a.pdf"),
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, Media("file", file_id="f1")),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        ({"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, Reasoning("hm")),
        ({"type": "novelty", "x": 1}, Raw("novelty", {"type": "novelty", "x": 1})),
    ],
)
def test_every_part_is_read(part, expected):
    assert bare(_read({"role": "user", "content": [part]}).parts) == (expected,)


def test_legacy_functions_are_calls_and_results():
    called = _read({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}})
    assert bare(called.parts) == (ToolCall(None, "f", "{}"),)
    assert bare(_read({"role": "function", "name": "f", "content": "1"}).parts) == (
        ToolResult(None, "f", (Text("1"),)),
    )


@pytest.mark.parametrize(
    "spelling",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
    ],
)
def test_reasoning_is_read_in_every_spelling(spelling):
    reply = READER.read_reply(_whole(content="yes", **spelling), 200)
    assert bare(reply.choices[0].message.parts) == (Reasoning("hm"), Text("yes"))


def test_a_proof_of_reasoning_is_kept():
    details = [{"type": "reasoning.encrypted", "data": "proof"}]
    reply = READER.read_reply(_whole(content="yes", reasoning="hm", reasoning_details=details), 200)
    assert bare(reply.choices[0].message.parts) == (Reasoning("hm"), Reasoning("", "proof"), Text("yes"))


def test_a_whole_answer_is_read():
    reply = READER.read_answer(_whole(content="Hi"), "application/json", 200)
    assert (reply.id, reply.model, reply.is_complete, reply.error) == ("c1", "m", True, None)
    choice = reply.choices[0]
    assert (choice.message, choice.finish_reason) == (Message("assistant", (Text("Hi"),)), "stop")


def test_a_refusal_and_a_spoken_answer_keep_their_words():
    assert bare(READER.read_reply(_whole(refusal="no"), 200).choices[0].message.parts) == (Refusal("no"),)
    audio = {"id": "a1", "data": "QUJD", "transcript": "hello"}
    spoken = bare(READER.read_reply(_whole(audio=audio), 200).choices[0].message.parts)
    assert spoken == (Text("hello"), Media("audio", data="QUJD"))


def test_openrouters_native_reason_is_kept_and_an_error_in_a_choice_is_an_error():
    body = {
        "choices": [
            {"message": {"content": ""}, "finish_reason": "error", "error": {"message": "overloaded", "code": 502}}
        ]
    }
    reply = READER.read_reply(json.dumps(body).encode(), 200)
    assert reply.error == ReplyError(None, "overloaded", "502")
    assert reply.choices[0].finish_reason == "error"


def test_an_error_under_status_200_is_an_error():
    reply = READER.read_answer(b'{"error": {"message": "overloaded", "code": 529}}', "application/json", 200)
    assert (reply.error, reply.choices) == (ReplyError(None, "overloaded", "529"), ())


def test_json_under_a_wrong_content_type_is_read():
    for content_type in ("application/octet-stream", "text/event-stream", ""):
        assert READER.read_answer(b'\n {"detail": "no"}', content_type, 401).error == ReplyError(None, "no")
    assert READER.read_answer(_sse(_delta(content="a")), "application/json", 200).choices[0].message.text() == "a"


def test_html_and_nothing_are_errors():
    assert READER.read_answer(b"<h1>Bad gateway</h1>", "text/html", 502).error.message == "Bad gateway"
    assert READER.read_answer(b"", "application/json", 500).error.message == "HTTP 500 with an empty body."


def test_a_stream_folds_into_the_same_message_as_a_whole_answer():
    call = {"id": "call_1", "type": "function", "function": {"name": "w", "arguments": '{"a":1}'}}
    stream = _sse(
        _delta(role="assistant", content=""),
        _delta(reasoning_content="h"),
        _delta(reasoning_content="m"),
        _delta(content="Hel"),
        _delta(content="lo"),
        _delta(
            tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": {"name": "w", "arguments": ""}}]
        ),
        _delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}]),
        _delta(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}]),
        _delta("tool_calls"),
    )
    streamed = READER.read_stream(stream)
    whole = READER.read_reply(_whole("tool_calls", content="Hello", reasoning_content="hm", tool_calls=[call]), 200)
    assert bare(streamed) == bare(whole)


def test_parallel_calls_interleave():
    streamed = READER.read_stream(
        _sse(
            _delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}]),
            _delta(tool_calls=[{"index": 1, "id": "b", "function": {"name": "g", "arguments": "["}}]),
            _delta(tool_calls=[{"index": 0, "function": {"arguments": "}"}}]),
            _delta(tool_calls=[{"index": 1, "function": {"arguments": "]"}}]),
            _delta("tool_calls"),
        )
    )
    assert bare(streamed.choices[0].message.parts) == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"))


def test_calls_without_index_or_with_one_index_for_all_stay_apart():
    for index in ({}, {"index": 0}):
        streamed = READER.read_stream(
            _sse(
                _delta(tool_calls=[{**index, "id": "a", "function": {"name": "f", "arguments": "{}"}}]),
                _delta(tool_calls=[{**index, "id": "b", "function": {"name": "g", "arguments": "{"}}]),
                _delta(tool_calls=[{**index, "function": {"arguments": "}"}}]),
            )
        )
        assert bare(streamed.choices[0].message.parts) == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))


def test_calls_without_ids_and_with_arguments_as_an_object_are_read():
    streamed = READER.read_stream(
        _sse(_delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": {"a": 1}}}]))
    )
    assert bare(streamed.choices[0].message.parts) == (ToolCall(None, "f", '{"a":1}'),)


def test_thinking_parts_in_deltas_are_reasoning():
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    streamed = READER.read_stream(_sse(_delta(content=[thinking]), _delta(content=[{"type": "text", "text": "yes"}])))
    assert bare(streamed.choices[0].message.parts) == (Reasoning("hm"), Text("yes"))


def test_details_of_reasoning_grow_until_their_proof_comes():
    text = {"type": "reasoning.text", "index": 0}
    streamed = READER.read_stream(
        _sse(
            _delta(reasoning="h", reasoning_details=[{**text, "text": "h"}]),
            _delta(reasoning="m", reasoning_details=[{**text, "text": "m"}]),
            _delta(reasoning_details=[{**text, "signature": "proof"}]),
            _delta(content="yes"),
        )
    )
    assert bare(streamed.choices[0].message.parts) == (Reasoning("hm", "proof"), Text("yes"))


@pytest.mark.parametrize("place", ["alone", "with_choices", "every", "groq"])
def test_usage_is_read_wherever_it_stands(place):
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    chunks = [_delta(content="a"), _delta("stop")]
    if place == "alone":
        chunks.append({"choices": [], "usage": usage})
    elif place == "with_choices":
        chunks[1]["usage"] = usage
    elif place == "every":
        chunks[0]["usage"], chunks[1]["usage"] = {"prompt_tokens": 3, "completion_tokens": 1}, usage
    else:
        chunks[1]["x_groq"] = {"usage": usage}
    read = READER.read_stream(_sse({"choices": [], "prompt_filter_results": []}, *chunks)).usage
    assert (read.input_tokens, read.output_tokens) == (3, 2)


def test_a_stream_is_complete_with_a_reason_or_with_done():
    begun = _sse(_delta(content="a"))
    assert READER.read_stream(begun).is_complete is False
    assert READER.read_stream(begun + b"data: [DONE]\n\n").is_complete is True
    assert READER.read_stream(begun + _sse(_delta("stop"))).is_complete is True
    assert READER.read_stream(b": OPENROUTER PROCESSING\n\n").is_complete is False


def test_malformed_events_are_counted_and_passed_over():
    stream = _sse(_delta(content="a")) + b'data: {"choices": [}\n\ndata: \xff\n\n' + _sse(_delta("stop", content="b"))
    reply = READER.read_stream(stream)
    assert (reply.choices[0].message.text(), reply.skipped_events) == ("ab", 2)


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"error": {"message": "overloaded"}}\n\n',
        b'event: error\ndata: {"message": "overloaded"}\n\n',
        b'data: {"choices": [], "x_groq": {"error": "overloaded"}}\n\n',
    ],
)
def test_an_error_in_the_stream_is_an_error_and_what_came_is_kept(event):
    reply = READER.read_stream(_sse(_delta(content="a")) + event)
    assert (reply.error.message, reply.is_complete) == ("overloaded", False)
    assert reply.choices[0].message.text() == "a"


def test_several_choices_keep_their_index():
    reply = READER.read_stream(_sse(_delta(_index=1, content="b"), _delta(_index=0, content="a")))
    assert [(choice.index, choice.message.text()) for choice in reply.choices] == [(0, "a"), (1, "b")]


def test_stated_ids_are_read():
    body = {"user": "ann", "prompt_cache_key": "k", "metadata": {"session_id": "s"}, "messages": []}
    stated = READER.stated(json.dumps(body).encode())
    assert (stated.user, stated.prompt_cache_key, stated.session) == ("ann", "k", "s")
    assert READER.stated(b"nothing").user is None


def test_an_unreadable_request_is_refused():
    with pytest.raises(InputError):
        READER.read_request(b'{"messages": [')
