import json

import msgspec
import pytest

from app.dialects.anthropic import AnthropicReader
from app.models.chat import ReplyError, Tool
from app.models.message import CacheMark, Media, Message, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import Settings

READER = AnthropicReader()


def _sse(*events):
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events
    )


def _start(**usage):
    message = {"id": "msg_1", "model": "claude", "content": [], "stop_reason": None, "usage": usage}
    return {"type": "message_start", "message": message}


def _block(index, block, *deltas):
    started = {"type": "content_block_start", "index": index, "content_block": block}
    grown = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [started, *grown, {"type": "content_block_stop", "index": index}]


def _end(reason, **usage):
    return [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}, {"type": "message_stop"}]


def _read(role, content):
    return READER.read_element(json.dumps({"role": role, "content": content}).encode())


def _text(text):
    return {"type": "text", "text": text}


def test_a_request_is_read_whole():
    body = {
        "model": "claude",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "w", "input": {"a": 1}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [_text("rain")], "is_error": True},
                    _text("And now?"),
                ],
            },
        ],
        "tools": [
            {"name": "w", "description": "d", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ],
        "stream": True,
    }
    request = READER.read_request(json.dumps(body).encode())
    assert request.messages == (
        Message("system", (Text("Be kind.", cache=CacheMark()),)),
        Message("user", (Text("Weather?"),)),
        Message("assistant", (ToolCall("t1", "w", '{"a":1}'),)),
        Message("tool", (ToolResult("t1", None, (Text("rain"),), is_error=True), Text("And now?"))),
    )
    assert request.tools == (
        Tool("w", "d", {"type": "object"}),
        Tool("web_search", kind="web_search_20250305", extras={"max_uses": 2}),
    )
    assert (request.model, request.is_stream, request.dialect) == ("claude", True, "anthropic")
    assert (request.settings, request.params) == (Settings(max_tokens=100), {})


def test_the_system_prompt_is_an_element_with_its_key():
    body = b'{"messages": [{"role":"user","content":"a"}], "system": "Be kind."}'
    assert READER.split_messages(body) == [b'"system":"Be kind."', b'{"role":"user","content":"a"}']
    assert READER.read_element(b'"system":"Be kind."') == Message("system", (Text("Be kind."),))
    assert READER.split_messages(b'{"messages": [], "system": null}') == []


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, Reasoning("hm", "s", origin="anthropic")),
        ({"type": "redacted_thinking", "data": "xyz"}, Reasoning("", "xyz", True, "anthropic")),
        ({"type": "image", "source": {"type": "url", "url": "https://x/a"}}, Media("image", url="https://x/a")),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
            Media("image", "image/png", data="QUJD"),
        ),
        (
            {"type": "document", "title": "T", "source": {"type": "file", "file_id": "f1"}},
            Media("file", file_id="f1", name="T"),
        ),
        (
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            ToolCall("s1", "web_search", '{"query":"q"}', is_server_side=True),
        ),
        ({"type": "novelty"}, Raw("novelty", {"type": "novelty"})),
    ],
)
def test_every_block_is_read(block, expected):
    assert _read("assistant", [block]).parts == (expected,)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "document", "source": {"type": "content", "content": [_text("words")]}}, (Text("words"),)),
        (
            {"type": "search_result", "title": "T", "source": "https://x", "content": [_text("a"), _text("b")]},
            (Text("T\nhttps://x"), Text("a"), Text("b")),
        ),
        ({"type": "container_upload", "file_id": "f1"}, (Media("file", file_id="f1"),)),
        ({"type": "tool_reference", "tool_name": "t"}, (Text("t"),)),
    ],
)
def test_a_block_that_is_shown_as_another_keeps_itself(block, expected):
    first, *others = _read("user", [block]).parts
    assert first.extras == {block["type"]: block}
    assert all(part.extras == {block["type"]: None} for part in others)
    assert tuple(msgspec.structs.replace(part, extras=None) for part in (first, *others)) == expected


def test_a_document_of_plain_text_is_its_text():
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    block = {"type": "document", "title": "T", "source": source, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    head = {"source": {"type": "text", "media_type": "text/plain"}, "title": "T"}
    assert _read("user", [block]).parts == (Text("words", cache=CacheMark("1h"), extras={"document": head}),)


@pytest.mark.parametrize(
    ("block", "parts", "is_error"),
    [
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": [{"type": "web_search_result", "title": "T", "url": "https://x", "encrypted_content": "e"}],
            },
            (Text("T\nhttps://x"),),
            False,
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
            },
            (
                Raw(
                    "web_search_tool_result_error",
                    {"type": "web_search_tool_result_error", "error_code": "unavailable"},
                ),
            ),
            True,
        ),
        (
            {
                "type": "bash_code_execution_tool_result",
                "tool_use_id": "s1",
                "content": {"type": "bash_code_execution_result", "stdout": "out", "stderr": "err", "content": []},
            },
            (Text("out\nerr"),),
            False,
        ),
    ],
)
def test_what_a_tool_of_the_providers_found_is_shown_and_kept(block, parts, is_error):
    expected = ToolResult("s1", None, parts, is_error, is_server_side=True, extras={block["type"]: block})
    assert _read("assistant", [block]).parts == (expected,)


def test_a_stream_folds_into_the_same_message_as_a_whole_answer():
    stream = _sse(
        _start(input_tokens=10, output_tokens=1),
        *_block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "h"},
            {"type": "thinking_delta", "thinking": "m"},
            {"type": "signature_delta", "signature": "proof"},
        ),
        {"type": "ping"},
        *_block(1, _text(""), {"type": "text_delta", "text": "Hel"}, {"type": "text_delta", "text": "lo"}),
        *_block(
            2,
            {"type": "tool_use", "id": "t1", "name": "w", "input": {}},
            {"type": "input_json_delta", "partial_json": ""},
            {"type": "input_json_delta", "partial_json": '{"a":'},
            {"type": "input_json_delta", "partial_json": "1}"},
        ),
        *_end("tool_use", output_tokens=9),
    )
    body = {
        "id": "msg_1",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "proof"},
            _text("Hello"),
            {"type": "tool_use", "id": "t1", "name": "w", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 10, "output_tokens": 9},
    }
    assert READER.read_stream(stream) == READER.read_reply(json.dumps(body).encode(), 200)


def test_a_call_without_arguments_has_an_empty_object():
    block = {"type": "tool_use", "id": "t1", "name": "w", "input": {}}
    stream = _sse(_start(), *_block(0, block, {"type": "input_json_delta", "partial_json": ""}))
    assert READER.read_stream(stream).choices[0].message.parts == (ToolCall("t1", "w", "{}"),)


def test_usage_is_inclusive_and_the_last_word_counts():
    stream = _sse(
        _start(
            input_tokens=10,
            cache_read_input_tokens=100,
            cache_creation_input_tokens=30,
            cache_creation={"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            output_tokens=1,
            service_tier="standard",
        ),
        *_end("end_turn", output_tokens=50, server_tool_use={"web_search_requests": 2}),
    )
    usage = READER.read_stream(stream).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (140, 50, 100)
    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (30, 10)
    assert (usage.web_searches, usage.service_tier) == (2, "standard")


def test_an_end_that_repeats_counts_as_zero_does_not_undo_them():
    usage = READER.read_stream(_sse(_start(input_tokens=10), *_end("end_turn", input_tokens=0, output_tokens=5))).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (10, 5, None)


def test_a_compaction_is_billed_on_top():
    body = {
        "content": [],
        "usage": {
            "input_tokens": 220,
            "output_tokens": 8,
            "iterations": [
                {"type": "compaction", "input_tokens": 55196, "output_tokens": 125},
                {"type": "message", "input_tokens": 220, "output_tokens": 8},
            ],
        },
    }
    usage = READER.read_reply(json.dumps(body).encode(), 200).usage
    assert (usage.input_tokens, usage.output_tokens) == (55416, 133)


def test_a_stream_is_complete_with_its_stop_event_only():
    begun = _sse(_start(), *_block(0, _text(""), {"type": "text_delta", "text": "a"}), _end("end_turn")[0])
    assert READER.read_stream(begun).is_complete is False
    assert READER.read_stream(begun + _sse({"type": "message_stop"})).is_complete is True


def test_an_error_in_the_stream_is_an_error():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reply = READER.read_stream(_sse(_start(input_tokens=3), error))
    assert (reply.error, reply.is_complete) == (ReplyError("overloaded_error", "Overloaded"), False)
    assert READER.read_stream(_sse(error)).choices == ()
    assert READER.read_answer(json.dumps(error).encode(), "application/json", 529).error == reply.error


def test_malformed_events_are_counted_and_passed_over():
    reply = READER.read_stream(_sse(_start()) + b"data: {broken\n\n" + _sse(*_end("end_turn")))
    assert (reply.skipped_events, reply.is_complete, reply.choices[0].finish_reason) == (1, True, "stop")


@pytest.mark.parametrize(
    ("user_id", "user", "session"),
    [
        ("user_ab12_account__session_0a-1b", "user_ab12_account_", "0a-1b"),
        ('{"device_id": "d", "account_uuid": "", "session_id": "s1"}', "d", "s1"),
        ("ann", "ann", None),
    ],
)
def test_the_session_inside_the_user_id_is_read(user_id, user, session):
    stated = READER.stated(json.dumps({"metadata": {"user_id": user_id}}).encode())
    assert (stated.user, stated.session) == (user, session)
