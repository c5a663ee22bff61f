import base64
import json
import re
from itertools import pairwise

import pytest
from converse_shape import problems
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.bedrock_writer import BedrockWriter
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.message import CacheMark, Citation, Media, Message, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice
from app.models.target import Quirks, Target, Traits

CLAUDE = Target("us.anthropic.claude-sonnet-4-5-20250929-v1:0", dialect="bedrock")
NOVA = Target("us.amazon.nova-2-lite-v1:0", dialect="bedrock")
LLAMA = Target("us.meta.llama4-maverick-17b-instruct-v1:0", dialect="bedrock")
ADAPTIVE = Target("us.anthropic.claude-opus-4-7", dialect="bedrock", traits=Traits(thinking="adaptive"))
HI = Message("user", (Text("hi"),))
WEATHER = Tool("weather", "Tells it.", {"type": "object", "properties": {"city": {"type": "string"}}})
PNG = base64.b64encode(b"png").decode()
CALL = Message("assistant", (ToolCall("call_1", "weather", '{"city":"Rome"}'),))
RESULT = Message("tool", (ToolResult("call_1", None, (Text("sunny"),)),))


def asked(*messages, target=CLAUDE, dialect="openai_chat", **fields):
    """What is written for a request of OpenAI's chat; checked against the shape of the service."""
    written = BedrockWriter().write_request(ChatRequest("m", messages or (HI,), dialect=dialect, **fields), target)
    assert problems(written.body) == ""
    return written


def body(*messages, **fields):
    return json.loads(asked(*messages, **fields).body)


def losses(written):
    return {loss.field: loss.kind for loss in written.losses}


def test_the_path_names_the_model_and_whether_a_stream_is_wanted():
    arn = Target("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-x")
    assert asked().path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert asked(target=arn, is_stream=True).path == (
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-x/converse-stream"
    )


def test_leading_system_prompts_go_apart_and_later_ones_stay_in_place():
    written = asked(
        Message("system", (Text("a"),)), Message("developer", (Text("b"),)), HI, Message("system", (Text("c"),)), CALL
    )
    said = json.loads(written.body)
    assert said["system"] == [{"text": "a"}, {"text": "b"}]
    assert said["messages"][0] == {"role": "user", "content": [{"text": "hi"}, {"text": "c"}]}
    assert losses(written)["messages.system"] == "changed"


def test_a_model_that_takes_system_messages_inside_gets_them_there():
    target = Target(CLAUDE.model, traits=Traits(takes_system_inside=True))
    said = body(HI, Message("assistant", (Text("ho"),)), Message("system", (Text("c"),)), HI, target=target)
    assert [message["role"] for message in said["messages"]] == ["user", "assistant", "system", "user"]


def test_turns_alternate_and_the_user_begins():
    written = asked(Message("assistant", (Text("welcome "),)), HI, HI, Message("assistant", (Text("so "),)))
    said = json.loads(written.body)["messages"]
    assert [message["role"] for message in said] == ["user", "assistant", "user", "assistant"]
    assert said[2]["content"] == [{"text": "hi"}, {"text": "hi"}]
    assert said[3]["content"] == [{"text": "so"}]
    assert losses(written) == {"messages": "changed"}


def test_empty_texts_are_left_out_and_turns_of_nothing_too():
    said = body(Message("user", (Text(" "), Text("hi"))), Message("assistant", (Text(""),)), HI)
    assert said["messages"] == [{"role": "user", "content": [{"text": "hi"}, {"text": "hi"}]}]


def test_parallel_calls_have_their_results_in_one_turn_before_any_text():
    calls = Message("assistant", (Text("ok"), ToolCall("a", "weather", "{}"), ToolCall("b", "weather", "")))
    said = body(
        HI,
        calls,
        Message("tool", (ToolResult("b", None, (Text("2"),), is_error=True),)),
        Message("tool", (ToolResult("a", None, (Text("1"),)),)),
        HI,
        tools=(WEATHER,),
    )
    assert said["messages"][1]["content"][2] == {"toolUse": {"toolUseId": "b", "name": "weather", "input": {}}}
    assert said["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "1"}]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": "2"}], "status": "error"}},
        {"text": "hi"},
    ]


def test_a_conversation_with_calls_has_its_tools_named_even_if_none_are_sent():
    written = asked(HI, CALL, RESULT)
    assert json.loads(written.body)["toolConfig"]["tools"][0]["toolSpec"]["name"] == "weather"
    assert losses(written) == {"tools": "changed"}


def test_odd_names_and_ids_are_bent_alike_wherever_they_stand():
    name, call_id = "mcp.server/read file", "fc_1|call:" + "x" * 80
    written = asked(
        HI,
        Message("assistant", (ToolCall(call_id, name, "{}"),)),
        Message("tool", (ToolResult(call_id, name, (Text("1"),)),)),
        tools=(Tool(name), Tool("mcp_server_read_file")),
        tool_choice=ToolChoice("required", (name,)),
    )
    said = json.loads(written.body)
    sent = said["toolConfig"]["tools"][0]["toolSpec"]["name"]
    assert written.restore.names == {sent: name}
    assert said["toolConfig"]["toolChoice"] == {"tool": {"name": sent}}
    call, result = (said["messages"][place]["content"][0] for place in (1, 2))
    assert call["toolUse"]["name"] == sent != "mcp_server_read_file"
    assert call["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"]
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", call["toolUse"]["toolUseId"])


def test_arguments_that_are_no_object_are_kept_as_text():
    written = asked(HI, Message("assistant", (ToolCall("a", "weather", '{"city'),)), tools=(WEATHER,))
    assert json.loads(written.body)["messages"][1]["content"][0]["toolUse"]["input"] == {"_raw": '{"city'}
    assert losses(written) == {"messages.tool_calls.arguments": "changed"}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("required", ("weather",)), {"tool": {"name": "weather"}}),
        (None, None),
    ],
)
def test_a_choice_of_tools_is_carried(choice, said):
    config = body(tools=(WEATHER, Tool("other")), tool_choice=choice)["toolConfig"]
    assert config.get("toolChoice") == said


def test_none_of_the_tools_means_no_tools_unless_the_conversation_called_them():
    assert "toolConfig" not in body(tools=(WEATHER,), tool_choice=ToolChoice("none"))
    written = asked(HI, CALL, RESULT, tools=(WEATHER,), tool_choice=ToolChoice("none"))
    assert "toolChoice" not in json.loads(written.body)["toolConfig"]
    assert losses(written) == {"tool_choice": "changed"}


def test_only_the_allowed_tools_are_sent():
    config = body(tools=(WEATHER, Tool("b"), Tool("c")), tool_choice=ToolChoice("auto", ("b", "c")))["toolConfig"]
    assert [each["toolSpec"]["name"] for each in config["tools"]] == ["b", "c"]


def test_a_model_that_cannot_be_forced_chooses_for_itself_aloud():
    written = asked(tools=(WEATHER,), tool_choice=ToolChoice("required"), target=LLAMA)
    assert json.loads(written.body)["toolConfig"]["toolChoice"] == {"auto": {}}
    assert losses(written) == {"tool_choice": "changed"}
    quirky = Target(CLAUDE.model, quirks=Quirks(takes_tool_choice=False))
    assert losses(asked(tools=(WEATHER,), tool_choice=ToolChoice("required"), target=quirky)) == {
        "tool_choice": "dropped"
    }


def test_schemas_are_of_objects_and_custom_tools_take_one_text():
    tools = (Tool("a"), Tool("b", schema={"properties": {}}), Tool("c", kind="custom"), Tool("d", kind="web_search"))
    written = asked(HI, Message("assistant", (ToolCall("1", "c", "raw text", is_custom=True),)), tools=tools)
    said = json.loads(written.body)
    specs = [each["toolSpec"]["inputSchema"]["json"] for each in said["toolConfig"]["tools"]]
    assert [spec["type"] for spec in specs] == ["object"] * 3
    assert list(specs[2]["properties"]) == ["input"]
    assert written.restore.custom_tools == {"c"}
    assert said["messages"][1]["content"][0]["toolUse"]["input"] == {"input": "raw text"}
    assert losses(written) == {"tools.web_search": "dropped"}


def test_settings_are_carried_clamped_or_dropped_aloud():
    written = asked(
        settings=Settings(
            max_tokens=100,
            temperature=1.7,
            top_p=0.5,
            top_k=7,
            stop=("X", " "),
            seed=1,
            logprobs=True,
            user="me",
            parallel_tool_calls=False,
            service_tier="flex",
            metadata={"team": "a", "bad": "ü"},
            n=1,
        )
    )
    said = json.loads(written.body)
    assert said["inferenceConfig"] == {"maxTokens": 100, "temperature": 1.0, "topP": 0.5, "stopSequences": ["X"]}
    assert said["additionalModelRequestFields"] == {"top_k": 7}
    assert said["serviceTier"] == {"type": "flex"}
    assert said["requestMetadata"] == {"team": "a"}
    assert said["additionalModelResponseFieldPaths"] == ["/stop_sequence"]
    assert losses(written) == {
        "temperature": "changed",
        "stop": "dropped",
        "seed": "dropped",
        "logprobs": "dropped",
        "user": "dropped",
        "parallel_tool_calls": "dropped",
        "metadata.bad": "dropped",
    }


def test_nova_has_its_top_k_elsewhere_and_llama_none():
    assert body(settings=Settings(top_k=7), target=NOVA)["additionalModelRequestFields"] == {
        "inferenceConfig": {"topK": 7}
    }
    assert losses(asked(settings=Settings(top_k=7), target=LLAMA)) == {"top_k": "dropped"}


def test_what_asks_for_nothing_special_is_no_loss():
    plain = Settings(
        n=1, logprobs=False, store=False, parallel_tool_calls=True, service_tier="auto", includes_usage=True
    )
    assert asked(settings=plain).losses == ()


def test_several_answers_are_refused():
    with pytest.raises(InputError, match="one answer"):
        asked(settings=Settings(n=2))


def test_a_model_without_sampling_is_spared_it():
    target = Target(CLAUDE.model, traits=Traits(takes_sampling=False, max_output_tokens=50))
    written = asked(settings=Settings(temperature=0.1, top_p=0.9, top_k=3, max_tokens=99), target=target)
    assert json.loads(written.body)["inferenceConfig"] == {"maxTokens": 50}
    assert losses(written) == {
        "temperature": "dropped",
        "top_p": "dropped",
        "top_k": "dropped",
        "max_tokens": "changed",
    }


def test_bedrocks_own_fields_reach_it_from_any_dialect_and_others_are_dropped_aloud():
    guard = {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    params = {"guardrailConfig": guard, "additionalModelRequestFields": {"x": 1}, "frobnicate": True}
    written = asked(params=params, settings=Settings(top_k=3))
    said = json.loads(written.body)
    assert said["guardrailConfig"] == guard
    assert said["additionalModelRequestFields"] == {"x": 1, "top_k": 3}
    assert losses(written) == {"frobnicate": "dropped"}


@pytest.mark.parametrize(
    ("target", "thinking", "fields"),
    [
        (CLAUDE, Thinking(budget_tokens=2000), {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (CLAUDE, Thinking(budget_tokens=5), {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (CLAUDE, Thinking(effort="low"), {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        (CLAUDE, Thinking(is_on=False), {"thinking": {"type": "disabled"}}),
        (ADAPTIVE, Thinking(), {"thinking": {"type": "adaptive"}}),
        (
            ADAPTIVE,
            Thinking(effort="xhigh", shows=False),
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "high"}},
        ),
        (NOVA, Thinking(effort="max"), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (NOVA, Thinking(is_on=False), {"reasoningConfig": {"type": "disabled"}}),
        (Target("openai.gpt-oss-120b-1:0"), Thinking(budget_tokens=20_000), {"reasoning_effort": "high"}),
        (Target("qwen.qwen3-32b-v1:0"), Thinking(effort="minimal"), {"reasoning_config": "low"}),
        (LLAMA, Thinking(effort="low"), None),
    ],
)
def test_every_vendor_is_told_to_think_in_its_own_way(target, thinking, fields):
    said = body(settings=Settings(thinking=thinking), target=target)
    assert said.get("additionalModelRequestFields") == fields


def test_a_thought_leaves_room_for_an_answer_or_is_left_out():
    written = asked(settings=Settings(thinking=Thinking(budget_tokens=5000), max_tokens=3000))
    assert json.loads(written.body)["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 2999
    short = asked(settings=Settings(thinking=Thinking(budget_tokens=5000), max_tokens=500))
    assert "additionalModelRequestFields" not in json.loads(short.body)
    assert losses(short) == {"thinking": "dropped"}


def test_claude_chooses_its_tools_and_takes_no_sampling_while_it_thinks():
    written = asked(
        tools=(WEATHER,),
        tool_choice=ToolChoice("required"),
        settings=Settings(thinking=Thinking(budget_tokens=2000), temperature=0.2, top_k=3, top_p=0.5),
    )
    said = json.loads(written.body)
    assert said["toolConfig"]["toolChoice"] == {"auto": {}}
    assert "inferenceConfig" not in said
    assert losses(written) == {
        "temperature": "dropped",
        "top_p": "dropped",
        "top_k": "dropped",
        "tool_choice": "changed",
    }


def test_a_tool_turn_that_began_without_thought_goes_on_without():
    thinking = Settings(thinking=Thinking(budget_tokens=2000))
    written = asked(HI, CALL, RESULT, tools=(WEATHER,), settings=thinking)
    assert "additionalModelRequestFields" not in json.loads(written.body)
    assert losses(written) == {"thinking": "dropped"}
    thought = Reasoning("hm", "proof", origin="anthropic")
    kept = asked(HI, Message("assistant", (thought, *CALL.parts)), RESULT, tools=(WEATHER,), settings=thinking)
    said = json.loads(kept.body)
    assert said["messages"][1]["content"][0] == {
        "reasoningContent": {"reasoningText": {"text": "hm", "signature": "proof"}}
    }
    assert "thinking" in said["additionalModelRequestFields"]
    assert kept.losses == ()


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning("hm", "proof", origin="gemini"),
        Reasoning("hm", origin="openai_chat"),
        Reasoning("", "secret", is_redacted=True, origin="anthropic"),
        Reasoning("hm", "proof"),
    ],
)
def test_thoughts_of_others_never_go_to_bedrock(thought):
    written = asked(HI, Message("assistant", (thought, Text("ho"))), HI)
    assert json.loads(written.body)["messages"][1]["content"] == [{"text": "ho"}]
    assert losses(written) == {"messages.reasoning": "dropped"}


def test_claudes_thoughts_go_to_no_other_model_and_bedrocks_redacted_ones_come_back():
    proof, redacted = (
        Reasoning("hm", "proof", origin="anthropic"),
        Reasoning("", "c2Vj", is_redacted=True, origin="bedrock"),
    )
    turn = Message("assistant", (proof, redacted, Text("ho")))
    written = asked(HI, turn, HI, target=NOVA)
    assert json.loads(written.body)["messages"][1]["content"][0] == {"reasoningContent": {"redactedContent": "c2Vj"}}
    assert losses(written) == {"messages.reasoning": "dropped"}


def test_media_are_carried_with_formats_and_names_that_bedrock_knows():
    parts = (
        Media("image", "image/jpg", data=PNG),
        Media("file", "application/pdf", data=PNG, name="My  report_v2 (final)!.pdf"),
        Media("file", None, data=PNG, name="My report v2 (final).csv"),
        Media("file", "application/json", data=PNG),
        Media("image", "image/png", url="s3://bucket/key.png"),
    )
    content = body(Message("user", parts))["messages"][0]["content"]
    assert content[0] == {"image": {"format": "jpeg", "source": {"bytes": PNG}}}
    assert content[1]["document"]["name"] == "My report v2 (final)"
    assert content[2]["document"] | {"source": 0} == {"format": "csv", "source": 0, "name": "My report v2 (final) 2"}
    assert content[3]["document"]["format"] == "txt"
    assert content[4]["image"]["source"] == {"s3Location": {"uri": "s3://bucket/key.png"}}
    assert content[5] == {"text": "The document is attached."}


@pytest.mark.parametrize(
    ("media", "why"),
    [
        (Media("image", "image/png", url="https://example.com/a.png"), "reads no image from an address"),
        (Media("file", file_id="file-1"), "kept by another provider"),
        (Media("image", "image/bmp", data=PNG), "takes no image image/bmp"),
        (Media("audio", "audio/wav", data=PNG), "takes no audio"),
        (Media("video", "video/mp4", data=PNG), "takes no video"),
    ],
)
def test_media_that_cannot_be_read_are_refused(media, why):
    with pytest.raises(InputError, match=why):
        asked(Message("user", (Text("look"), media)))


def test_media_in_a_system_prompt_are_refused():
    with pytest.raises(InputError, match="system prompt"):
        asked(Message("system", (Media("image", "image/png", data=PNG),)), HI)


def test_videos_and_sounds_reach_models_that_may_take_them():
    parts = (Text("look"), Media("video", "video/mp4", data=PNG), Media("audio", "audio/mpeg", data=PNG))
    content = body(Message("user", parts), target=NOVA)["messages"][0]["content"]
    assert [next(iter(block)) for block in content] == ["text", "video", "audio"]


def test_results_carry_images():
    result = ToolResult("call_1", None, (Text("see"), Media("image", "image/png", data=PNG)))
    said = body(HI, CALL, Message("tool", (result,)), tools=(WEATHER,))
    assert said["messages"][2]["content"][0]["toolResult"]["content"][1] == {
        "image": {"format": "png", "source": {"bytes": PNG}}
    }


def test_cache_marks_are_points_and_the_last_four_are_kept():
    def marked(text, ttl=None):
        return Text(text, cache=CacheMark(ttl))

    written = asked(
        Message("system", (marked("a"), marked("b", "1h"))),
        Message("user", (marked("c"), Text("d"), marked("e", "5m"))),
        tools=(Tool("t", cache=CacheMark()),),
    )
    said = json.loads(written.body)
    assert said["system"] == [
        {"text": "a"},
        {"cachePoint": {"type": "default"}},
        {"text": "b"},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
    ]
    point = {"cachePoint": {"type": "default"}}
    assert said["messages"][0]["content"] == [{"text": "c"}, point, {"text": "d"}, {"text": "e"}, point]
    assert len(said["toolConfig"]["tools"]) == 1
    assert losses(written) == {"cache_control": "changed"}
    assert losses(asked(Message("user", (marked("c"),)), target=LLAMA)) == {"cache_control": "dropped"}


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def test_a_schema_is_native_where_the_model_has_it():
    target = Target(CLAUDE.model, traits=Traits(takes_schema=True))
    written = asked(settings=Settings(output=OutputFormat("schema", SCHEMA, "A", "An a.")), target=target)
    said = json.loads(written.body)["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert (json.loads(said["schema"]), said["name"], said["description"]) == (SCHEMA, "A", "An a.")
    assert written.restore.output is None


def test_a_schema_is_a_tool_that_must_be_called_where_the_model_has_none():
    output = OutputFormat("schema", SCHEMA, "A")
    written = asked(settings=Settings(output=output))
    config = json.loads(written.body)["toolConfig"]
    assert config["tools"][0]["toolSpec"]["inputSchema"]["json"] == SCHEMA
    assert config["toolChoice"] == {"tool": {"name": written.restore.output_tool}}
    assert written.restore.output == output
    assert losses(written) == {"response_format": "emulated"}


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": (WEATHER,)},
        {"target": LLAMA},
        {"settings": Settings(thinking=Thinking(budget_tokens=2000), output=OutputFormat("schema", SCHEMA))},
    ],
)
def test_a_schema_is_asked_for_in_words_where_no_tool_may_be_forced(fields):
    written = asked(**{"settings": Settings(output=OutputFormat("schema", SCHEMA))} | fields)
    said = json.loads(written.body)
    assert '"required":["a"]' in said["system"][-1]["text"]
    assert written.restore.output_tool is None
    assert written.restore.output is not None
    assert "toolChoice" not in said.get("toolConfig", {})


def test_any_json_is_asked_for_in_words():
    written = asked(settings=Settings(output=OutputFormat("json")))
    assert "JSON object" in json.loads(written.body)["system"][0]["text"]
    assert losses(written) == {"response_format": "emulated"}


def test_details_of_other_dialects_are_dropped_aloud():
    turn = Message(
        "assistant",
        (
            Text("a", (Citation("https://x"),), extras={"odd": 1}),
            Refusal("no"),
            ToolCall("s", "search", "{}", is_server_side=True),
            ToolResult("s", "search", (Text("r"),), is_server_side=True),
            Media("image", "image/png", data=PNG),
            Raw("compaction", {}),
        ),
        name="bob",
        extras={"sound": 1},
    )
    written = asked(HI, turn, HI)
    assert json.loads(written.body)["messages"][1]["content"] == [{"text": "a"}, {"text": "no"}]
    assert set(losses(written)) == {
        "messages.name",
        "messages.sound",
        "messages.content.odd",
        "messages.content.citations",
        "messages.content.server_tool_use",
        "messages.content.server_tool_result",
        "messages.content.image",
        "messages.content.compaction",
    }


_WORDS = st.text(max_size=6)
_IDS = st.sampled_from([None, "a", "b", "c|d", "x" * 70, ""])
_TEXT = st.builds(Text, _WORDS, cache=st.none() | st.builds(CacheMark))
_CALL = st.builds(ToolCall, _IDS, _WORDS, st.sampled_from(["", "{}", "[1]", '{"a":1}', "x"]))
_THOUGHT = st.builds(Reasoning, _WORDS, st.none() | _WORDS, origin=st.sampled_from([None, "anthropic", "gemini"]))
_RESULT = st.builds(ToolResult, _IDS, st.none(), st.lists(_TEXT, max_size=2).map(tuple), st.booleans())
_FILE = st.just(Media("file", "application/pdf", data=PNG))


def _turn(role, *parts):
    return st.lists(st.one_of(*parts), max_size=3).map(lambda listed: Message(role, tuple(listed)))


_TURNS = st.one_of(
    _turn("system", _TEXT),
    _turn("user", _TEXT, _FILE),
    _turn("assistant", _TEXT, _THOUGHT, _CALL),
    _turn("tool", _RESULT),
)
_TOOLS = st.lists(st.builds(Tool, _WORDS, st.none() | _WORDS), max_size=3, unique_by=lambda tool: tool.name)


@settings(max_examples=100, deadline=None)
@given(st.lists(_TURNS, max_size=6), _TOOLS, st.sampled_from([CLAUDE, NOVA, LLAMA, ADAPTIVE]))
def test_whatever_is_asked_is_a_valid_request(messages, tools, target):
    request = ChatRequest("m", tuple(messages), tuple(tools), dialect="openai_chat")
    written = BedrockWriter().write_request(request, target)
    assert problems(written.body) == ""
    said = json.loads(written.body)
    roles = [message["role"] for message in said["messages"]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    assert all(message["content"] for message in said["messages"])
    for turn, answer in pairwise([*said["messages"], {"content": []}]):
        called = [block["toolUse"]["toolUseId"] for block in turn["content"] if "toolUse" in block]
        told = [block["toolResult"]["toolUseId"] for block in answer["content"] if "toolResult" in block]
        assert set(called) == set(told)
    assert BedrockWriter().write_request(request, target) == written
