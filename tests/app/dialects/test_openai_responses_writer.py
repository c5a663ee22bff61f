"""Requests as responses: our own again, and those of other dialects."""

import json

import msgspec
import pytest
from dialect_recordings import records
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import TypeAdapter
from same_json import differences

from app.dialects.openai_responses import OpenAiResponsesReader
from app.dialects.openai_responses_writer import OpenAiResponsesWriter
from app.dialects.seal import seal
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.message import CacheMark, Media, Message, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice
from app.models.target import Quirks, Target, Traits

READER, WRITER = OpenAiResponsesReader(), OpenAiResponsesWriter()
HI = Message("user", (Text("Hi"),))
TARGET = Target("gpt")
THINKER = Target("gpt", traits=Traits(thinking="effort", efforts=("minimal", "low", "medium", "high")))


def _chat(*messages, dialect="openai_chat", **fields):
    return ChatRequest("gpt", messages or (HI,), dialect=dialect, **fields)


def _body(request, target=TARGET):
    return json.loads(WRITER.write_request(request, target).body)


def _told(request, target=TARGET):
    return {loss.field: loss.kind for loss in WRITER.write_request(request, target).losses}


def _input(*messages, dialect="openai_chat"):
    return _body(_chat(*messages, dialect=dialect))["input"]


def _again(body):
    request = READER.read_request(json.dumps(body).encode())
    return json.loads(WRITER.write_request(request, Target(request.model or "")).body)


def _meant(value):
    """A body without what says nothing: an item's usual type, empty lists and texts, no stream."""
    if isinstance(value, list):
        is_text = len(value) == 1 and isinstance(value[0], dict) and set(value[0]) == {"type", "text"}
        return value[0]["text"] if is_text else [_meant(entry) for entry in value] or None
    if not isinstance(value, dict):
        return None if value == "" else value
    kept = {name: _meant(field) for name, field in value.items() if (name, field) != ("stream", False)}
    return {"type": "message", **kept} if "role" in kept else kept


def test_every_recorded_request_survives_its_own_round_trip():
    for record in records("openai.responses"):
        if not record.request:
            continue
        request = READER.read_request(record.request)
        written = WRITER.write_request(request, Target(request.model or ""))
        asked, again = json.loads(record.request), json.loads(written.body)
        if isinstance(asked.get("input"), str):
            asked["input"] = [{"role": "user", "content": asked["input"]}]
        if not asked.get("input"):
            asked["input"] = again["input"] = []
        assert differences(_meant(asked), _meant(again)) == [], record.id
        assert written.losses == () and written.path == "/v1/responses", record.id


def test_fields_that_nobody_knows_are_kept_in_their_own_dialect():
    body = {
        "model": "m",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a", "new": 1}], "n": 2},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": []},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "namespace": "n"},
            {"type": "future_call", "id": "x", "deep": {"er": True}},
            {"type": "item_reference", "id": "msg_9"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True, "defer_loading": True}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "text"}, "verbosity": "low", "new": 1},
        "reasoning": {"effort": "none", "new": 1},
        "include": ["web_search_call.results", "message.output_text.logprobs"],
        "safety_identifier": "ann",
        "new": {"field": 1},
    }
    assert differences(body, _again(body)) == []


def test_several_parts_of_one_item_stay_one_item_and_two_items_stay_two():
    said = [{"type": "output_text", "text": text, "annotations": []} for text in "ab"]
    first = {"type": "message", "id": "msg_1", "role": "assistant", "content": said}
    second = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "c"}]}
    body = {"model": "m", "input": [first, second]}
    assert _again(body) == body


def test_ids_that_we_made_are_not_sent():
    items = [
        {"type": "message", "id": "msg_gs1", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"type": "reasoning", "id": "rs_gs1", "summary": [], "encrypted_content": "e"},
        {"type": "function_call", "id": "fc_gs1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_gs2", "summary": [{"type": "summary_text", "text": "never stored"}]},
    ]
    sent = _again({"model": "m", "input": items})["input"]
    assert [item["type"] for item in sent] == ["message", "reasoning", "function_call"]
    assert not any("id" in item for item in sent)


def test_leading_system_messages_are_instructions_and_later_ones_stay():
    body = _body(
        _chat(Message("system", (Text("A"),)), Message("developer", (Text("B"),)), HI, Message("system", (Text("C"),)))
    )
    assert body["instructions"] == "A\n\nB"
    assert [item["role"] for item in body["input"]] == ["user", "system"]


def test_a_longer_conversation_begins_with_the_same_bytes():
    messages = (Message("system", (Text("A"),)), HI, Message("assistant", (Text("Hello"),)), HI)
    short, long = (WRITER.write_request(_chat(*messages[:n]), TARGET).body for n in (2, 4))
    assert long.startswith(short[: short.index(b"]")])
    assert WRITER.write_request(_chat(*messages), TARGET).body == long


def test_a_turn_is_a_message_and_its_calls():
    turn = Message("assistant", (Text("Let me see."), ToolCall("call_1", "w", '{"a":1}'), ToolCall("call_2", "w", "")))
    answers = Message("tool", (ToolResult("call_1", "w", (Text("sunny"),)), ToolResult("call_2", "w", (Text("rain"),))))
    assert _input(HI, turn, answers) == [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_1", "name": "w", "arguments": '{"a":1}'},
        {"type": "function_call", "call_id": "call_2", "name": "w", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        {"type": "function_call_output", "call_id": "call_2", "output": "rain"},
    ]


def test_results_before_a_users_text_stay_before_it():
    both = Message("user", (ToolResult("c", None, (Text("1"),)), Text("And now?")))
    items = _input(both, dialect="anthropic")
    assert [item["type"] for item in items] == ["function_call_output", "message"]


def test_a_result_with_an_image_keeps_it_and_one_that_failed_says_so():
    picture = ToolResult("c", None, (Text("see"), Media("image", "image/png", data="QUJD")))
    failed = ToolResult("d", None, (Text("no such file"),), is_error=True)
    request = _chat(Message("tool", (picture, failed)))
    first, second = _body(request)["input"]
    assert first["output"] == [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"},
    ]
    assert second["output"] == "Error: no such file"
    assert _told(request) == {"messages.content.is_error": "changed"}


def test_custom_calls_and_their_results_stay_custom():
    call = ToolCall("c", "patch", "free text", is_custom=True)
    items = _input(Message("assistant", (call,)), Message("tool", (ToolResult("c", None, (Text("ok"),)),)))
    assert [item["type"] for item in items] == ["custom_tool_call", "custom_tool_call_output"]
    assert items[0]["input"] == "free text"


def test_media_in_its_order():
    parts = (
        Text("Look:"),
        Media("image", url="https://x/a.png", detail="high"),
        Media("file", "application/pdf", data="QUJD", name="a.pdf"),
        Media("file", url="https://x/b.pdf"),
    )
    (item,) = _input(Message("user", parts))
    assert item["content"] == [
        {"type": "input_text", "text": "Look:"},
        {"type": "input_image", "image_url": "https://x/a.png", "detail": "high"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
        {"type": "input_file", "file_url": "https://x/b.pdf"},
    ]


@pytest.mark.parametrize(
    "part",
    [
        Media("audio", "audio/wav", data="QUJD"),
        Media("video", "video/mp4", data="QUJD"),
        Media("file", file_id="file_of_another"),
        Raw("search_result", {"type": "search_result"}),
    ],
)
def test_what_cannot_be_carried_is_refused(part):
    with pytest.raises(InputError):
        _body(_chat(Message("user", (part,)), dialect="anthropic"))


def test_a_file_that_openai_keeps_may_be_named_by_openais_other_dialect():
    (item,) = _input(Message("user", (Media("file", file_id="file-1"),)))
    assert item["content"] == [{"type": "input_file", "file_id": "file-1"}]


def test_several_answers_are_refused():
    with pytest.raises(InputError):
        _body(_chat(settings=Settings(n=2)))


def test_own_thoughts_go_back_before_their_call_and_others_do_not():
    mine = Reasoning("hm", "proof", origin="openai_responses")
    turn = (Reasoning("so", "theirs", origin="anthropic"), mine, ToolCall("c", "f", "{}"), Reasoning("told only"))
    request = _chat(Message("assistant", turn))
    assert _body(request)["input"][:2] == [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "proof"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    assert len(_body(request)["input"]) == 2
    assert _told(request) == {"messages.reasoning": "dropped"}


def test_a_sealed_proof_comes_home_to_its_own_dialect_only():
    thought = {"type": "reasoning", "summary": [], "encrypted_content": seal("p", "anthropic", "openai_responses")}
    request = READER.read_request(json.dumps({"model": "m", "input": [thought]}).encode())
    assert request.messages[0].parts == (Reasoning("", "p", origin="anthropic"),)
    assert _told(request) == {"messages.reasoning": "dropped"}
    assert _body(request)["input" if "input" in _body(request) else "model"] in ([], "gpt")


def test_geminis_proofs_come_back_to_the_call_and_the_text_they_prove():
    def proof(text):
        return {"type": "reasoning", "summary": [], "encrypted_content": seal(text, "gemini", "openai_responses")}

    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hm"}]}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    body = {"model": "m", "input": [said, proof("text:p1"), proof("call:p2"), call]}
    (message,) = READER.read_request(json.dumps(body).encode()).messages
    assert message.parts == (
        Text("Hm", signature="p1"),
        ToolCall("c", "f", "{}", signature="p2", origin="gemini"),
    )


def test_a_translated_call_keeps_nothing_and_asks_for_its_thoughts():
    body = _body(_chat(), THINKER)
    assert (body["store"], body["include"]) == (False, ["reasoning.encrypted_content"])
    plain = _body(_chat(), Target("gpt-4o", traits=Traits(thinking="none")))
    assert plain["store"] is False and "include" not in plain


def test_settings_have_their_words():
    settings = Settings(
        max_tokens=100,
        temperature=0.5,
        top_p=0.9,
        logprobs=True,
        top_logprobs=3,
        parallel_tool_calls=False,
        thinking=Thinking(effort="low", shows=True),
        output=OutputFormat("schema", {"type": "object"}, "answer", "An answer", True),
        verbosity="low",
        user="ann",
        metadata={"a": "b"},
        service_tier="flex",
        prompt_cache_key="k",
        store=True,
    )
    request = _chat(settings=settings, is_stream=True)
    body = _body(request, THINKER)
    del body["input"]
    assert body == {
        "model": "gpt",
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_logprobs": 3,
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {
            "format": {
                "type": "json_schema",
                "name": "answer",
                "schema": {"type": "object"},
                "description": "An answer",
                "strict": True,
            },
            "verbosity": "low",
        },
        "safety_identifier": "ann",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "store": True,
        "stream": True,
    }
    assert _told(request, THINKER) == {}


def test_knobs_that_responses_have_not_are_dropped_aloud():
    settings = Settings(
        stop=("END",), seed=1, presence_penalty=1, frequency_penalty=1, logit_bias={"1": 1}, top_k=5, n=1
    )
    request = _chat(settings=settings, params={"web_search_options": {}})
    assert set(_body(request)) == {"model", "input", "store"}
    dropped = {"stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "top_k", "web_search_options"}
    assert _told(request) == dict.fromkeys(dropped, "dropped")


def test_numbers_out_of_bounds_are_brought_in():
    few = _chat(settings=Settings(max_tokens=1, user="u" * 100))
    assert _body(few)["max_output_tokens"] == 16
    assert len(_body(few)["safety_identifier"]) == 64
    assert _told(few) == {"max_tokens": "changed", "user": "changed"}
    many = _chat(settings=Settings(max_tokens=9999, temperature=1))
    small = Target("o", traits=Traits(max_output_tokens=100, takes_sampling=False))
    assert _body(many, small)["max_output_tokens"] == 100
    assert _told(many, small) == {"max_tokens": "changed", "temperature": "dropped"}


@pytest.mark.parametrize(
    ("thinking", "target", "expected"),
    [
        (Thinking(budget_tokens=2000), THINKER, {"effort": "low"}),
        (Thinking(budget_tokens=10_000), THINKER, {"effort": "medium"}),
        (Thinking(budget_tokens=60_000), THINKER, {"effort": "high"}),
        (Thinking(effort="max"), THINKER, {"effort": "high"}),
        (Thinking(is_on=False), THINKER, {"effort": "minimal"}),
        (Thinking(is_on=False), TARGET, None),
        (Thinking(effort="low"), Target("gpt-4o", traits=Traits(thinking="none")), None),
    ],
)
def test_thinking_is_told_as_effort(thinking, target, expected):
    assert _body(_chat(settings=Settings(thinking=thinking)), target).get("reasoning") == expected


def test_a_function_is_flat_and_as_strict_as_it_was():
    tools = (Tool("f", "does", {"type": "object"}, strict=True), Tool("g"), Tool("p", "d", kind="custom"))
    assert _body(_chat(tools=tools))["tools"] == [
        {"type": "function", "name": "f", "description": "does", "parameters": {"type": "object"}, "strict": True},
        {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": False},
        {"type": "custom", "name": "p", "description": "d"},
    ]


def test_chats_nested_grammar_is_flat_here():
    nested = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
    (tool,) = _body(_chat(tools=(Tool("p", None, nested, "custom"),)))["tools"]
    assert tool["format"] == {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}


def test_other_providers_tools_are_dropped_aloud_but_a_search_is_a_search():
    request = _chat(tools=(Tool("bash", kind="bash_20250124"), Tool("s", kind="web_search_20250305")))
    assert _body(request)["tools"] == [{"type": "web_search"}]
    assert _told(request) == {"tools.bash_20250124": "dropped", "tools.web_search": "changed"}


def test_long_names_are_bent_everywhere_and_there_is_a_way_back():
    name = "a.very.long.name." * 8
    turn = Message("assistant", (ToolCall("c", name, "{}"),))
    request = _chat(HI, turn, tools=(Tool(name),), tool_choice=ToolChoice("required", (name,)))
    written = WRITER.write_request(request, TARGET)
    body = json.loads(written.body)
    sent = body["tools"][0]["name"]
    assert len(sent) == 64 and body["tool_choice"]["name"] == body["input"][1]["name"] == sent
    assert written.restore.names == {sent: name}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "required"),
        (ToolChoice("required", ("f",)), {"type": "function", "name": "f"}),
        (ToolChoice("required", ("p",)), {"type": "custom", "name": "p"}),
        (
            ToolChoice("auto", ("f",)),
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_tool_choice_is_said_here(choice, expected):
    request = _chat(tools=(Tool("f"), Tool("p", kind="custom")), tool_choice=choice)
    written = WRITER.write_request(request, TARGET).body
    assert json.loads(written)["tool_choice"] == expected
    read = READER.read_request(written).tool_choice
    assert (read.mode, read.names) == (choice.mode, choice.names)


def test_cache_marks_and_speakers_names_are_told_as_lost():
    marked = Message("user", (Text("Hi", cache=CacheMark()),), name="ann")
    assert _told(_chat(marked)) == {"cache_control": "dropped", "messages.name": "dropped"}


def test_a_refusal_goes_back_as_one_and_a_providers_own_tool_stays_with_it():
    turn = (Refusal("no"), ToolCall("s", "web_search", "{}", is_server_side=True))
    request = _chat(Message("assistant", turn), dialect="anthropic")
    assert _body(request)["input"][0]["content"] == [{"type": "refusal", "refusal": "no"}]
    assert _told(request) == {"messages.content.server_tools": "dropped"}


def test_quirks_of_the_provider_are_kept_to():
    target = Target("m", quirks=Quirks(drop=("store",), rename={"max_output_tokens": "max_tokens"}))
    body = _body(_chat(settings=Settings(max_tokens=50)), target)
    assert "store" not in body and body["max_tokens"] == 50


def test_a_request_of_everything_is_one_the_sdk_knows():
    call, result = ToolCall("call_1", "w", "{}"), ToolResult("call_1", None, (Text("sunny"),))
    request = _chat(
        Message("system", (Text("A"),)),
        Message("user", (Text("Hi"), Media("image", url="https://x/a.png"))),
        Message("assistant", (Text("Hm"), call)),
        Message("tool", (result,)),
        tools=(Tool("w", "d", {"type": "object"}), Tool("p", kind="custom")),
        tool_choice=ToolChoice("required", ("w",)),
        settings=Settings(max_tokens=99, thinking=Thinking(effort="low"), output=OutputFormat("json"), user="u"),
    )
    TypeAdapter(ResponseCreateParamsBase).validate_python(_body(request, THINKER))


def test_the_same_request_gives_the_same_bytes():
    request = _chat(HI, tools=(Tool("f"),), settings=Settings(temperature=1))
    assert WRITER.write_request(request, TARGET) == WRITER.write_request(msgspec.structs.replace(request), TARGET)
