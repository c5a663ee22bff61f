import json

import pytest

from app.dialects.openai_responses import OpenAiResponsesReader
from app.models.chat import ReplyError
from app.models.message import Media, Message, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult

READER = OpenAiResponsesReader()
OWN = "openai_responses"

REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "e",
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "w", "arguments": '{"a":1}'}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}


def _sse(*events):
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def _response(*output, status="completed", **fields):
    return {"id": "resp_1", "model": "m", "status": status, "output": list(output), **fields}


def _whole(*output, **fields):
    return READER.read_reply(json.dumps(_response(*output, **fields)).encode(), 200)


def _request(*items, **fields):
    return json.dumps({"model": "m", "input": list(items), **fields}).encode()


def test_items_of_one_turn_are_one_message_and_one_element():
    body = _request(
        {"role": "user", "content": "Weather?"},
        REASONING,
        CALL,
        {**CALL, "call_id": "call_2"},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "rain"}]},
        SAID,
        {"role": "user", "content": [{"type": "input_text", "text": "Thanks"}]},
        instructions="Be kind.",
    )
    request = READER.read_request(body)
    assert request.messages == (
        Message("system", (Text("Be kind."),), extras={"instructions": True}),
        Message("user", (Text("Weather?"),)),
        Message(
            "assistant",
            (
                Reasoning("hm", "e", origin=OWN, extras={"id": "rs_1"}),
                ToolCall("call_1", "w", '{"a":1}', extras={"id": "fc_1"}),
                ToolCall("call_2", "w", '{"a":1}', extras={"id": "fc_1"}),
            ),
        ),
        Message("tool", (ToolResult("call_1", None, (Text("sunny"),)),)),
        Message("tool", (ToolResult("call_2", None, (Text("rain"),)),)),
        Message("assistant", (Text("Hello", extras={"item": {"id": "msg_1"}}),)),
        Message("user", (Text("Thanks"),)),
    )
    elements = READER.split_messages(body)
    assert [READER.read_element(element) for element in elements] == list(request.messages)


def test_a_plain_input_is_a_users_message():
    body = b'{"model": "m", "input": "Hi", "instructions": "Be kind."}'
    assert READER.split_messages(body) == [b'"instructions":"Be kind."', b'"input":"Hi"']
    assert READER.canon(b'"input":"Hi"') == READER.canon(b'{"role":"user","content":"Hi"}')
    assert READER.split_messages(b'{"model": "m", "previous_response_id": "resp_0"}') == []


SEARCH = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "q"}}
ASKED = {"type": "mcp_call", "id": "m1", "name": "ask", "arguments": "{}", "output": "42", "error": None}
RAN = {"type": "code_interpreter_call", "id": "ci", "code": "1", "outputs": [{"type": "logs", "logs": "1\n"}]}
DREW = {"type": "image_generation_call", "id": "ig", "result": "QUJD", "output_format": "png"}
COMPACTED = {"type": "compaction", "encrypted_content": "e"}
READ_OUT = {"item": None}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "free"},
            (ToolCall("c", "f", "free", is_custom=True),),
        ),
        (SEARCH, (ToolCall("ws", "web_search", '{"query":"q"}', is_server_side=True, extras={"item": SEARCH}),)),
        (
            ASKED,
            (
                ToolCall("m1", "ask", "{}", is_server_side=True, extras={"item": ASKED}),
                ToolResult("m1", "ask", (Text("42"),), is_server_side=True, extras=READ_OUT),
            ),
        ),
        (
            RAN,
            (
                ToolCall("ci", "code_interpreter", '{"code":"1"}', is_server_side=True, extras={"item": RAN}),
                ToolResult("ci", "code_interpreter", (Text("1\n"),), is_server_side=True, extras=READ_OUT),
            ),
        ),
        (
            DREW,
            (
                ToolCall("ig", "image_generation", '{"prompt":null}', is_server_side=True, extras={"item": DREW}),
                Media("image", "image/png", data="QUJD", extras=READ_OUT),
            ),
        ),
        ({"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, (Refusal("no"),)),
        (COMPACTED, (Raw("compaction", COMPACTED),)),
    ],
)
def test_every_output_item_is_read(item, expected):
    assert _whole(item).choices[0].message.parts == expected


def test_media_in_the_input_is_read():
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"},
        {"type": "input_image", "file_id": "f1"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"},
        {"type": "input_file", "file_url": "https://x/a.pdf"},
    ]
    message = READER.read_element(json.dumps({"role": "user", "content": parts}).encode())
    assert message.parts == (
        Media("image", "image/png", data="QUJD", detail="auto"),
        Media("image", file_id="f1"),
        Media("file", "application/pdf", data="QUJD", name="a.pdf"),
        Media("file", url="https://x/a.pdf"),
    )


@pytest.mark.parametrize(
    ("fields", "reason", "native"),
    [
        ({}, "stop", "completed"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "length",
            "max_output_tokens",
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content_filter",
            "content_filter",
        ),
        ({"status": "failed", "error": {"code": "server_error", "message": "m"}}, "error", "failed"),
        ({"status": "cancelled"}, "error", "cancelled"),
        ({"status": "in_progress"}, None, None),
    ],
)
def test_status_becomes_a_reason(fields, reason, native):
    choice = _whole(SAID, **fields).choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (reason, native)


def test_a_failed_response_tells_its_error():
    assert _whole(status="failed", error={"code": "x", "message": "m"}).error == ReplyError(None, "m", "x")


def test_web_searches_are_counted_in_the_output():
    search = {"type": "web_search_call", "id": "ws", "status": "completed"}
    usage = _whole(search, search, SAID, usage={"input_tokens": 1, "output_tokens": 1}).usage
    assert usage.web_searches == 2


def _built():
    """A stream without its last event."""
    text = {"type": "response.output_text.delta", "output_index": 1, "content_index": 0}
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    return [
        {"type": "response.created", "response": _response(status="in_progress")},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": thought,
        },
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "hm"},
        {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
        {"type": "response.output_item.added", "output_index": 1, "item": {**SAID, "content": []}},
        {**text, "delta": "Hel"},
        {**text, "delta": "lo"},
        {"type": "response.output_item.added", "output_index": 2, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": '{"a":1}'},
    ]


def test_the_last_event_tells_the_whole_response():
    done = _response(REASONING, SAID, CALL, usage={"input_tokens": 3, "output_tokens": 2})
    streamed = READER.read_stream(_sse(*_built(), {"type": "response.completed", "response": done}))
    assert streamed == READER.read_reply(json.dumps(done).encode(), 200)


def test_a_last_event_without_output_leaves_what_was_built():
    done = {"type": "response.completed", "response": _response()}
    streamed = READER.read_stream(_sse(*_built(), done))
    assert streamed.choices == _whole(REASONING, SAID, CALL).choices


def test_a_cut_stream_keeps_what_came_and_is_incomplete():
    streamed = READER.read_stream(_sse(*_built()))
    assert streamed.is_complete is False
    assert streamed.choices[0].message == _whole(REASONING, SAID, CALL).choices[0].message


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "server_error", "message": "m"},
        {"type": "error", "error": {"code": "server_error", "message": "m"}},
        {
            "type": "response.failed",
            "response": _response(status="failed", error={"code": "server_error", "message": "m"}),
        },
    ],
)
def test_an_error_in_the_stream_is_an_error(error):
    assert READER.read_stream(_sse(*_built(), error)).error == ReplyError(None, "m", "server_error")


def test_stated_ids_are_read():
    body = _request(previous_response_id="resp_0", conversation={"id": "conv_1"}, safety_identifier="ann")
    stated = READER.stated(body)
    assert (stated.previous_response_id, stated.conversation, stated.user) == ("resp_0", "conv_1", "ann")


def test_an_answer_equals_its_items_sent_back():
    answered = _whole(REASONING, SAID).choices[0].message
    body = _request({k: v for k, v in REASONING.items() if k != "id"}, {"role": "assistant", "content": "Hello"})
    assert READER.canon(READER.split_messages(body)[0]) == READER.canon_message(answered)
