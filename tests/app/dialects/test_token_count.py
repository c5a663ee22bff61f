import json

import pytest
from dialect_recordings import records

from app.dialects import token_count
from app.dialects.registry import reader_of
from app.dialects.token_count import count_request, estimate_request, read_count, write_count
from app.dialects.writing import Written
from app.models.chat import ChatRequest, Tool
from app.models.message import Media, Message, Raw, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings
from app.models.target import Target

HELLO = ChatRequest("m", (Message("system", (Text("Be kind."),)), Message("user", (Text("Hello"),))))


@pytest.fixture
def writes(monkeypatch):
    """Make any dialect write this body."""

    def install(**body):
        class Writer:
            def write_request(self, request, target):
                assert not request.is_stream
                return Written(json.dumps(body).encode(), "/path", (("a-version", "1"),))

        monkeypatch.setattr(token_count, "upstream_writer", lambda dialect: Writer())

    return install


def asked(target):
    """The body and path of what counts HELLO."""
    written = count_request(HELLO, target)
    return json.loads(written.body), written.path


def test_anthropic_counts_what_goes_in_and_is_told_nothing_of_the_answer(writes):
    writes(model="c", messages=[1], system=[2], max_tokens=5, temperature=1, stream=False)
    assert asked(Target("c", dialect="anthropic")) == (
        {"model": "c", "messages": [1], "system": [2]},
        "/v1/messages/count_tokens",
    )
    assert count_request(HELLO, Target("c", dialect="anthropic")).headers == (("a-version", "1"),)


def test_gemini_counts_a_whole_request_and_vertex_its_fields(writes):
    writes(contents=[1], systemInstruction=2, safetySettings=[])
    whole = {"model": "models/g", "contents": [1], "systemInstruction": 2, "safetySettings": []}
    assert asked(Target("g", dialect="gemini")) == ({"generateContentRequest": whole}, "/v1beta/models/g:countTokens")
    body, _ = asked(Target("g", "my-vertex", "gemini"))
    assert body == {"contents": [1], "systemInstruction": 2}


def test_openai_counts_for_both_of_its_dialects():
    for dialect in ("openai_responses", "openai_chat"):
        body, path = asked(Target("gpt-5", "openai", dialect))
        assert (body["model"], path) == ("gpt-5", "/v1/responses/input_tokens")
        assert "max_output_tokens" not in body and "store" not in body


def test_bedrock_counts_for_claude_by_its_bare_name(writes):
    writes(messages=[1], inferenceConfig={})
    target = Target("us.anthropic.claude-haiku-4-5-20251001-v1:0", dialect="bedrock")
    path = "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens"
    assert asked(target) == ({"input": {"converse": {"messages": [1]}}}, path)


@pytest.mark.parametrize("dialect", ["openai_chat", "cohere", "ollama", "mistral", "bedrock"])
def test_who_does_not_count_is_not_asked(dialect):
    assert count_request(HELLO, Target("m", "groq", dialect)) is None


def test_every_recorded_count_is_read():
    for api, dialect, name in (
        ("anthropic.count_tokens", "anthropic", "input_tokens"),
        ("google.count_tokens", "gemini", "totalTokens"),
    ):
        for record in records(api):
            stated = record.wire["response"]["body"].get(name)
            assert read_count(dialect, record.response) == stated, record.id


def test_a_count_that_is_none_is_not_read():
    assert read_count("anthropic", b"<html>") is None
    assert read_count("anthropic", b'{"input_tokens": "5"}') is None
    assert read_count("ollama", b'{"input_tokens": 5}') is None


def test_each_client_is_told_in_its_own_words():
    assert json.loads(write_count("anthropic", 5)) == {"input_tokens": 5}
    assert json.loads(write_count("gemini", 5)) == {"totalTokens": 5}
    assert json.loads(write_count("openai_responses", 5)) == {"object": "response.input_tokens", "input_tokens": 5}


def test_an_estimate_counts_everything_that_is_sent():
    base = estimate_request(HELLO)
    assert base == 2 * 4 + -(-13 // 4)
    image = Message("tool", (ToolResult("1", "f", (Media("image", data="AAAA"),)),))
    call = Message("assistant", (ToolCall("1", "f", '{"x": 1}'), Raw("odd", {"a": 1})))
    richer = ChatRequest(
        "m",
        (*HELLO.messages, call, image),
        tools=(Tool("f", "does", {"type": "object"}),),
        settings=Settings(output=OutputFormat("schema", {"type": "object"})),
    )
    assert estimate_request(richer) > base + 1000


def test_an_estimate_is_near_what_anthropic_counted():
    for record in records("anthropic.count_tokens"):
        stated = record.wire["response"]["body"].get("input_tokens")
        if stated and not record.wire["request"]["body"].get("tools"):
            estimate = estimate_request(reader_of("anthropic").read_request(record.request))
            assert abs(estimate - stated) < max(40, stated / 2), record.id
