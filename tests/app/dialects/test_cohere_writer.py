import json
from typing import Any

import msgspec
import pytest
from cohere.types import ChatMessageV2, ResponseFormatV2, ToolV2
from cohere.types import Thinking as CohereThinking
from dialect_recordings import records
from pydantic import TypeAdapter
from same_json import differences

from app.dialects.cohere_reader import CohereReader
from app.dialects.cohere_writer import CohereWriter
from app.dialects.registry import reader_of
from app.dialects.turns import identified
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.message import Media, Message, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice
from app.models.target import Quirks, Target, Traits

WRITER = CohereWriter()
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
TOOLS = (Tool("f", "does", SCHEMA), Tool("g"))
KNOWN = {
    *("model", "messages", "stream", "tools", "strict_tools", "documents", "citation_options", "response_format"),
    *("safety_mode", "max_tokens", "stop_sequences", "temperature", "seed", "frequency_penalty", "presence_penalty"),
    *("k", "p", "logprobs", "tool_choice", "thinking", "priority"),
}
MESSAGES: TypeAdapter[Any] = TypeAdapter(list[ChatMessageV2])
TOOL_LIST: TypeAdapter[Any] = TypeAdapter(list[ToolV2])
FORMAT: TypeAdapter[Any] = TypeAdapter(ResponseFormatV2)


def asked(*messages, quirks=None, traits=None, model="command-a", **fields):
    """What another dialect's request becomes: its body and all of it."""
    request = ChatRequest("m", messages or (user("Hi"),), dialect="openai_chat", **fields)
    target = Target(model, quirks=quirks or Quirks(), traits=traits or Traits())
    written = WRITER.write_request(request, target)
    body = json.loads(written.body)
    is_valid(body)
    return body, written


def is_valid(body):
    """Check a body against the types of Cohere's own SDK."""
    assert body.keys() <= KNOWN
    MESSAGES.validate_python(body["messages"])
    TOOL_LIST.validate_python(body.get("tools", []))
    if "response_format" in body:
        FORMAT.validate_python(body["response_format"])
    if "thinking" in body:
        CohereThinking.model_validate(body["thinking"])


def told(written):
    """Field → kind of what was lost."""
    return {loss.field: loss.kind for loss in written.losses}


def user(text):
    """A user's words."""
    return Message("user", (Text(text),))


def result(call_id, *parts, **more):
    """A tool's answer."""
    return Message("tool", (ToolResult(call_id, None, parts, **more),))


def test_system_messages_stay_where_they_stood():
    body, _ = asked(Message("developer", (Text("Be kind."),)), user("Hi"), Message("system", (Text("Be brief."),)))
    assert body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Be brief."},
    ]


def test_words_before_calls_are_their_plan_and_every_call_has_its_result():
    calls = (Text("I will."), ToolCall("a", "f", ""), ToolCall("b", "g", '{"y":1}'))
    body, _ = asked(user("Go"), Message("assistant", calls), result("b", Text("2")), result("a", Text("1")))
    _, turn, first, second = body["messages"]
    assert turn["tool_plan"] == "I will." and "content" not in turn
    assert [call["function"]["arguments"] for call in turn["tool_calls"]] == ["{}", '{"y":1}']
    assert [(one["tool_call_id"], one["content"]) for one in (first, second)] == [("a", "1"), ("b", "2")]


def test_a_call_without_a_result_gets_a_word_for_it():
    body, _ = asked(user("Go"), Message("assistant", (ToolCall("a", "f", "{}"),)), user("So?"))
    assert [one["role"] for one in body["messages"]] == ["user", "assistant", "tool", "user"]


def test_a_failed_result_says_so_and_its_images_follow():
    image = Media("image", "image/png", data="AAAA")
    call = Message("assistant", (ToolCall("a", "f", "{}"),))
    body, written = asked(user("Go"), call, result("a", Text("no"), image, is_error=True), user("So?"))
    failed, follows = body["messages"][2:4]
    assert failed["content"].startswith("Error: no")
    assert follows["content"][1]["image_url"]["url"] == "data:image/png;base64,AAAA"
    assert told(written) == {"messages.tool.content": "changed", "messages.tool.is_error": "changed"}


def test_texts_and_images_keep_their_order():
    parts = (Text("a"), Media("image", url="http://x/y.png", detail="low"), Text("b"))
    body, _ = asked(Message("user", parts))
    assert [part["type"] for part in body["messages"][0]["content"]] == ["text", "image_url", "text"]
    assert body["messages"][0]["content"][1]["image_url"] == {"url": "http://x/y.png", "detail": "low"}


def test_a_file_of_text_is_read_and_any_other_refused():
    body, written = asked(Message("user", (Media("file", "text/plain", data="SGk=", name="a.txt"),)))
    assert body["messages"][0]["content"] == "a.txt:\nHi"
    assert told(written) == {"messages.content.file": "changed"}
    for media in (Media("audio", "audio/wav", data="AA=="), Media("file", "application/pdf", data="AA==")):
        with pytest.raises(InputError, match=f"no {media.modality}"):
            asked(Message("user", (media,)))
    with pytest.raises(InputError, match="another provider"):
        asked(Message("user", (Media("image", file_id="file-1"),)))


def test_thoughts_of_others_are_left_out_aloud():
    body, written = asked(user("Hi"), Message("assistant", (Reasoning("hm", "sig", origin="anthropic"), Text("Ho"))))
    assert body["messages"][1] == {"role": "assistant", "content": "Ho"}
    assert told(written) == {"reasoning": "dropped"}


def test_tools_are_functions_with_parameters_always():
    body, written = asked(tools=(*TOOLS, Tool("web", kind="web_search"), Tool("grep it", kind="custom")))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g", "grep_it"]
    assert body["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert body["tools"][2]["function"]["parameters"]["required"] == ["input"]
    assert written.restore.names == {"grep_it": "grep it"}
    assert written.restore.custom_tools == {"grep it"}
    assert told(written) == {"tools.web_search": "dropped", "tools.custom": "changed"}


@pytest.mark.parametrize(("mode", "sent"), [("auto", None), ("none", "NONE"), ("required", "REQUIRED")])
def test_a_choice_of_tools_has_its_word(mode, sent):
    body, written = asked(tools=TOOLS, tool_choice=ToolChoice(mode))
    assert (body.get("tool_choice"), written.losses) == (sent, ())


def test_one_tool_is_chosen_by_sending_no_other():
    body, written = asked(tools=TOOLS, tool_choice=ToolChoice("required", ("g",)))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert (body["tool_choice"], told(written)) == ("REQUIRED", {"tool_choice": "changed"})


def test_strictness_holds_for_all_tools():
    body, written = asked(tools=(Tool("f", schema=SCHEMA, strict=True), Tool("g")))
    assert (body["strict_tools"], told(written)) == (True, {"tools.strict": "changed"})


def test_structured_output_is_native_without_tools():
    body, written = asked(settings=Settings(output=OutputFormat("schema", SCHEMA)))
    assert body["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    assert (written.losses, written.restore.output) == ((), None)
    assert asked(settings=Settings(output=OutputFormat("json")))[0]["response_format"] == {"type": "json_object"}


def test_structured_output_beside_tools_is_one_more_tool():
    output = OutputFormat("schema", SCHEMA, name="answer")
    body, written = asked(tools=TOOLS, settings=Settings(output=output))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g", "json_tool_call"]
    assert (body["tool_choice"], "response_format" in body) == ("REQUIRED", False)
    assert (written.restore.output_tool, written.restore.output) == ("json_tool_call", output)
    assert told(written) == {"response_format": "emulated"}


def test_the_tool_for_the_output_never_takes_a_clients_name():
    body, written = asked(tools=(Tool("json_tool_call"),), settings=Settings(output=OutputFormat("schema", SCHEMA)))
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert len(set(names)) == 2 and written.restore.output_tool == names[1]


def test_a_json_answer_beside_tools_is_asked_for_in_words():
    body, written = asked(tools=TOOLS, settings=Settings(output=OutputFormat("json")))
    assert body["messages"][0]["role"] == "system" and "JSON" in body["messages"][0]["content"]
    assert written.restore.output == OutputFormat("json")


def test_every_knob_has_its_name_and_its_limits():
    settings = Settings(
        max_tokens=5,
        temperature=1.5,
        top_p=1.0,
        top_k=1000,
        stop=("a", "b", "c", "d", "e", "f"),
        seed=7,
        presence_penalty=-1,
        frequency_penalty=0.5,
        logprobs=True,
        top_logprobs=3,
    )
    body, written = asked(settings=settings)
    assert body["stop_sequences"] == ["a", "b", "c", "d", "e"]
    del body["model"], body["stream"], body["messages"], body["stop_sequences"]
    assert body == {
        "max_tokens": 5,
        "seed": 7,
        "temperature": 1.5,
        "p": 0.99,
        "k": 500,
        "frequency_penalty": 0.5,
        "presence_penalty": 0,
        "logprobs": True,
    }
    changed = dict.fromkeys(("stop", "top_p", "top_k", "presence_penalty"), "changed")
    assert told(written) == {**changed, "top_logprobs": "dropped"}


def test_what_cohere_has_not_is_told():
    settings = Settings(
        logit_bias={"1": 1.0}, user="u", metadata={"a": 1}, store=True, service_tier="flex", parallel_tool_calls=False
    )
    _, written = asked(settings=settings, params={"prediction": {}})
    names = ("logit_bias", "user", "metadata", "store", "service_tier", "parallel_tool_calls", "prediction")
    assert told(written) == dict.fromkeys(names, "dropped")


def test_what_happens_anyway_is_no_loss():
    assert asked(settings=Settings(service_tier="auto", store=False, parallel_tool_calls=True, n=1))[1].losses == ()


def test_more_than_one_answer_is_refused():
    with pytest.raises(InputError, match="one answer"):
        asked(settings=Settings(n=2))


def test_thinking_is_a_budget():
    assert asked(settings=Settings(thinking=Thinking(budget_tokens=100)))[0]["thinking"] == {
        "type": "enabled",
        "token_budget": 100,
    }
    assert asked(settings=Settings(thinking=Thinking(False)))[0]["thinking"] == {"type": "disabled"}
    body, written = asked(settings=Settings(thinking=Thinking(effort="high")))
    assert (body["thinking"], told(written)) == ({"type": "enabled"}, {"reasoning_effort": "changed"})
    body, _ = asked(settings=Settings(thinking=Thinking(effort="high")), traits=Traits(thinking="none"))
    assert "thinking" not in body


def test_a_providers_quirks_are_kept():
    quirks = Quirks(drop=("seed",), rename={"k": "top_k"}, cap={"max_tokens": 10})
    request = ChatRequest("m", (user("Hi"),), settings=Settings(seed=1, top_k=2, max_tokens=50))
    body = json.loads(WRITER.write_request(request, Target("c", quirks=quirks)).body)
    assert (body["top_k"], body["max_tokens"], "seed" in body) == (2, 10, False)


def test_equal_requests_are_equal_bytes():
    request = ChatRequest("m", (user("Hi"),), tools=TOOLS, dialect="gemini")
    assert WRITER.write_request(request, Target("c")).body == WRITER.write_request(request, Target("c")).body


def test_every_recorded_request_stays_what_it_was():
    for record in records("cohere.chat"):
        if record.wire["request"]["path"] != "/v2/chat":
            continue
        request = CohereReader().read_request(record.request)
        written = WRITER.write_request(request, Target(request.model or ""))
        assert written.losses == (), record.id
        assert differences(json.loads(record.request), json.loads(written.body)) == [], record.id
        is_valid(json.loads(written.body))


def test_citations_and_thoughts_of_its_own_go_back_as_they_came():
    turn = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Ruby."}],
        "citations": [{"start": 0, "end": 4, "text": "Ruby", "sources": [], "content_index": 1}],
    }
    body = {"model": "m", "stream": False, "messages": [turn], "documents": ["a"], "safety_mode": "STRICT"}
    written = WRITER.write_request(CohereReader().read_request(json.dumps(body).encode()), Target("m"))
    assert json.loads(written.body) == body


def test_every_recorded_request_to_openais_responses_is_one_that_cohere_takes():
    reader = reader_of("openai_responses")
    for record in records("openai.responses"):
        try:
            request = reader.read_request(record.request)
            request = msgspec.structs.replace(request, messages=tuple(identified(request.messages)))
            written = WRITER.write_request(request, Target("command-a"))
        except InputError:
            continue
        is_valid(json.loads(written.body))
