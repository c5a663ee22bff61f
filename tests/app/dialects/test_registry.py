import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.dialect import Stated
from app.dialects.registry import reader_of
from app.errors import InputError
from app.models.chat import Reply

NAMES = ["openai_chat", "openai_responses", "openai_completions", "openai_embeddings", "anthropic", "gemini", "bedrock"]
_KEYS = st.sampled_from(
    [
        "choices",
        "message",
        "delta",
        "content",
        "role",
        "tool_calls",
        "function",
        "arguments",
        "name",
        "id",
        "index",
        "text",
        "type",
        "usage",
        "error",
        "model",
        "output",
        "item",
        "response",
        "candidates",
        "parts",
        "usageMetadata",
        "messages",
        "input",
        "contents",
        "prompt",
        "status",
        "finish_reason",
        "prompt_tokens",
        "prompt_tokens_details",
        "reasoning_details",
        "output_index",
        "content_block",
        "data",
        "systemInstruction",
        "instructions",
        "system",
        "functionCall",
        "functionResponse",
        "source",
        "message_start",
        "iterations",
        "cost",
    ]
)
_WORDS = st.sampled_from(
    [
        "message_start",
        "content_block_delta",
        "content_block_start",
        "response.completed",
        "response.output_item.done",
        "function_call",
        "message",
        "text",
        "tool_use",
        "tool_result",
        "reasoning",
        "user",
        "assistant",
        "stop",
        "tool",
        "thinking",
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=30,
)
_DEEP = [b"[" * 100_000, b'{"choices":' * 50_000, b'{"messages":[{"content":' + b"[" * 990 + b"]" * 990 + b"}]}"]


def _try_everything(reader, body):
    for answer in (
        reader.read_reply(body, 200),
        reader.read_reply(body, 500),
        reader.read_stream(body),
        reader.read_stream(b"data: " + body + b"\n\n"),
        reader.read_answer(body, "text/event-stream", 400),
    ):
        assert isinstance(answer, Reply)
        for choice in answer.choices:
            assert isinstance(reader.canon_message(choice.message), bytes)
    assert isinstance(reader.stated(body), Stated)
    assert isinstance(reader.canon(body), bytes)
    elements = reader.split_messages(body)
    try:
        assert len(reader.read_request(body).messages) == len(elements)
    except InputError:
        pass


@pytest.mark.parametrize("name", NAMES)
@given(value=_JSON)
def test_any_json_is_read_without_raising(name, value):
    _try_everything(reader_of(name), json.dumps(value).encode())


@pytest.mark.parametrize("name", NAMES)
@given(body=st.binary(max_size=80))
def test_any_bytes_are_read_without_raising(name, body):
    _try_everything(reader_of(name), body)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", _DEEP, ids=["list", "object", "just below the limit"])
def test_nesting_does_not_break_a_reader(name, body):
    _try_everything(reader_of(name), body)


@pytest.mark.parametrize("depth", range(300, 1000, 50))
@pytest.mark.parametrize("name", NAMES)
def test_values_nested_near_the_limit_do_not_break_a_reader(name, depth):
    nest = b'{"content":[' * (depth // 2) + b"1" + b"]}" * (depth // 2)
    for field in (b"input", b"arguments", b"content", b"usage", b"error", b"parts"):
        inner = b'{"type":"tool_result","role":"assistant","name":"x","%b":%b}' % (field, nest)
        _try_everything(reader_of(name), b'{"content":[%b],"usage":%b,"error":%b}' % (inner, nest, nest))
        _try_everything(reader_of(name), b'{"messages":[%b],"contents":[%b],"input":[%b]}' % (inner, inner, inner))


def test_a_dialect_of_a_later_day_has_no_reader():
    assert reader_of("telepathy") is None
    assert reader_of("") is None
