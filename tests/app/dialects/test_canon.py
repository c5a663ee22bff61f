import json
import time

import pytest

from app.dialects.canon import canon_message
from app.dialects.registry import reader_of
from app.models.message import Media, Message, Raw, Reasoning, Text, ToolCall, ToolResult

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "f", "arguments": '{"b":[1,2.0],"a":null,"c":"x"}'},
}


def _chat(message):
    return reader_of("openai_chat").canon(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "a"}]}),
        (
            {"role": "user", "content": "ab"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "n"},
        ),
        (
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "assistant", "content": "", "tool_calls": [CALL], "annotations": [], "refusal": None},
        ),
        (
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
            {"role": "assistant", "tool_calls": [{**CALL, "index": 0}], "reasoning_content": "hm"},
        ),
        (
            {"role": "assistant", "tool_calls": [CALL]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": '{"c":"x","b":[1,2]}'}}],
            },
        ),
        ({"role": "assistant", "content": "a "}, {"role": "assistant", "content": "<think>hm</think>\n\na"}),
        (
            {"role": "tool", "tool_call_id": "1", "content": "ok", "name": "f"},
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "ok"}]},
        ),
    ],
)
def test_spellings_of_one_message_are_equal(one, other):
    assert _chat(one) == _chat(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Message("user", (Text("a"),)), Message("user", (Text("b"),))),
        (Message("user", (Text("a"),)), Message("assistant", (Text("a"),))),
        (Message("assistant", (ToolCall("1", "f", "{}"),)), Message("assistant", (ToolCall("2", "f", "{}"),))),
        (Message("assistant", (ToolCall("1", "f", "{}"),)), Message("assistant", (ToolCall("1", "f", '{"a":1}'),))),
        (Message("assistant", (ToolCall("1", "f", "{"),)), Message("assistant", (ToolCall("1", "f", "["),))),
        (
            Message("tool", (ToolResult("1", None, (Text("a"),)),)),
            Message("tool", (ToolResult("1", None, (Text("b"),)),)),
        ),
        (Message("user", (Media("image", data="A" * 99),)), Message("user", (Media("image", data="B" * 99),))),
        (Message("user", (Text("a"), Media("image", url="x"))), Message("user", (Text("a"),))),
        (Message("user", (Raw("x", {"a": 1}),)), Message("user", (Raw("x", {"a": 2}),))),
    ],
)
def test_different_messages_differ(one, other):
    assert canon_message(one) != canon_message(other)


def test_what_the_provider_ran_on_its_side_does_not_count():
    bare = Message("assistant", (Text("a"),))
    told = (
        Reasoning("hm", "s"),
        ToolCall("1", "web_search", "{}", is_server_side=True),
        ToolResult("1", None, (Text("found"),)),
        Text("a"),
        Raw("mcp_list_tools", {}),
    )
    assert canon_message(Message("assistant", told)) == canon_message(bare)


def test_two_compactions_differ():
    one, other = ({"type": "compaction", "id": "1", "encrypted_content": content} for content in "ab")
    assert canon_message(Message("assistant", (Raw("compaction", one),))) != canon_message(
        Message("assistant", (Raw("compaction", other),))
    )


@pytest.mark.slow
def test_a_history_of_200_kb_is_split_fast():
    messages = [{"role": "user", "content": "hello world " * 85}] * 200
    body = json.dumps({"model": "m", "messages": messages}).encode()
    reader = reader_of("openai_chat")
    took = []
    for _ in range(20):
        began = time.perf_counter()
        assert len(reader.split_messages(body)) == 200
        took.append(time.perf_counter() - began)
    assert min(took) < 0.000_8
