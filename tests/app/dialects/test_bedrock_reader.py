import json

import pytest

from app.dialects.dialect import Stated
from app.dialects.registry import reader_of
from app.errors import InputError
from app.models.chat import Tool
from app.models.message import CacheMark, Citation, Media, Message, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice

READER = reader_of("bedrock")


def read(**body):
    return READER.read_request(json.dumps({"messages": []} | body).encode())


def parts(*content, role="user"):
    return READER.read_element(json.dumps({"role": role, "content": content}).encode()).parts


def test_a_request_is_read_whole():
    request = read(
        system=[{"text": "Be kind."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        messages=[{"role": "user", "content": [{"text": "hi"}]}],
        inferenceConfig={"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["X"], "odd": 1},
        toolConfig={
            "tools": [
                {
                    "toolSpec": {
                        "name": "a",
                        "description": "A.",
                        "inputSchema": {"json": {"type": "object"}},
                        "strict": True,
                    }
                },
                {"cachePoint": {"type": "default"}},
                {"systemTool": {"name": "nova_grounding"}},
            ],
            "toolChoice": {"tool": {"name": "a"}},
        },
        guardrailConfig={"guardrailIdentifier": "g"},
        serviceTier={"type": "flex"},
        requestMetadata={"team": "x"},
    )
    assert request.messages == (
        Message("system", (Text("Be kind.", cache=CacheMark("1h")),)),
        Message("user", (Text("hi"),)),
    )
    assert request.tools == (
        Tool("a", "A.", {"type": "object"}, strict=True, cache=CacheMark()),
        Tool("nova_grounding", kind="systemTool", extras={"systemTool": {"name": "nova_grounding"}}),
    )
    assert request.tool_choice == ToolChoice("required", ("a",))
    assert request.settings == Settings(
        max_tokens=9, temperature=0.5, top_p=0.9, stop=("X",), service_tier="flex", metadata={"team": "x"}
    )
    assert request.params == {"guardrailConfig": {"guardrailIdentifier": "g"}, "inferenceConfig": {"odd": 1}}
    assert (request.model, request.dialect) == (None, "bedrock")


@pytest.mark.parametrize(
    ("more", "thinking"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, (True, None, 2000)),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, (True, "high", None)),
        ({"thinking": {"type": "disabled"}}, (False, None, None)),
        ({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, (True, "low", None)),
        ({"reasoning_effort": "medium"}, (True, "medium", None)),
        ({"reasoning_config": "high"}, (True, "high", None)),
    ],
)
def test_every_vendors_way_of_thinking_is_read(more, thinking):
    request = read(additionalModelRequestFields=more | {"x": 1})
    said = request.settings.thinking
    assert (said.is_on, said.effort, said.budget_tokens) == thinking
    assert request.params == {"additionalModelRequestFields": {"x": 1}}


def test_an_effort_beside_the_vendors_fields_is_read():
    assert read(outputConfig={"effort": "max"}).settings.thinking == Thinking(
        effort="max", extras={"outputConfig": {"effort": "max"}}
    )


def test_top_k_is_read_wherever_a_vendor_has_it():
    assert read(additionalModelRequestFields={"top_k": 3}).settings.top_k == 3
    assert read(additionalModelRequestFields={"inferenceConfig": {"topK": 4}}).settings.top_k == 4


def test_a_schema_of_the_answer_is_read():
    named = {"schema": '{"type":"object"}', "name": "A"}
    form = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": named}}}
    assert read(outputConfig=form).settings.output == OutputFormat("schema", {"type": "object"}, "A")


def test_media_are_read_with_their_types():
    image = {"format": "png", "source": {"bytes": "cG5n"}}
    stored = {"format": "pdf", "name": "A", "source": {"s3Location": {"uri": "s3://b/k", "bucketOwner": "1"}}}
    odd = {"format": "video/mp4", "source": {"bytes": "cG5n"}}
    assert parts({"image": image}, {"document": stored}, {"video": odd}) == (
        Media("image", "image/png", data="cG5n"),
        Media("file", "application/pdf", "s3://b/k", name="A", extras={"bucketOwner": "1"}),
        Media("video", None, data="cG5n", extras={"format": "video/mp4"}),
    )


def test_results_are_a_tools_turn():
    result = {"toolUseId": "a", "content": [{"json": {"n": 1}}, {"text": "t"}], "status": "error"}
    message = READER.read_element(
        json.dumps({"role": "user", "content": [{"toolResult": result}, {"text": "and"}]}).encode()
    )
    assert message.role == "tool"
    assert message.parts == (
        ToolResult("a", None, (Text('{"n":1}', extras={"json": {"n": 1}}), Text("t")), is_error=True),
        Text("and"),
    )


def test_an_answer_is_read_whole():
    citation = {"title": "T", "sourceContent": [{"text": "q"}], "location": {"documentPage": {"start": 1, "end": 2}}}
    blocks = [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"text": "so "},
        {"citationsContent": {"content": [{"text": "it is"}], "citations": [citation]}},
        {"toolUse": {"toolUseId": "a", "name": "n", "input": {"x": 1}}},
        {"video": {"format": "mp4"}},
    ]
    whole = {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": "tool_use",
        "trace": {"a": 1},
    }
    reply = READER.read_reply(json.dumps(whole).encode(), 200)
    said = reply.choices[0]
    assert said.message.parts[:2] == (Reasoning("hm", "s", origin="anthropic"), Text("so "))
    assert said.message.parts[2].citations == (Citation(None, "T", "q", extras=citation),)
    assert said.message.parts[3] == ToolCall("a", "n", '{"x":1}')
    assert said.message.parts[4] == Raw("video", blocks[4])
    assert (said.finish_reason, said.native_finish_reason) == ("tool_calls", "tool_use")
    assert (reply.extras, reply.dialect) == ({"trace": {"a": 1}}, "bedrock")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"The provided model identifier is invalid."}', "The provided model identifier is invalid."),
        (b"<html><title>Bad Gateway</title>", "Bad Gateway"),
        (b"", "HTTP 400 with an empty body."),
    ],
)
def test_a_refusal_says_why(body, message):
    assert READER.read_answer(body, "application/json", 400).error.message == message


def test_an_answer_that_holds_none_is_an_error_under_any_status():
    assert READER.read_reply(b'{"odd":1}', 200).error is not None


def test_a_request_without_json_is_refused():
    with pytest.raises(InputError):
        READER.read_request(b"{")


def test_a_session_may_be_stated():
    assert READER.stated(b'{"requestMetadata":{"session_id":"s"}}') == Stated(session="s")
    assert READER.stated(b"[") == Stated()
