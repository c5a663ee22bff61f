import json

import pytest
from google.genai import types

from app.dialects.gemini import GeminiReader
from app.dialects.gemini_contents import SKIP
from app.dialects.gemini_writer import GeminiWriter
from app.dialects.seal import seal
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.message import CacheMark, Media, Message, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice
from app.models.target import Quirks, Target, Traits

WRITER = GeminiWriter()
SECOND = Target("gemini-2.5-flash", dialect="gemini")
THIRD = Target("gemini-3-pro", dialect="gemini", traits=Traits(needs_signatures=True, thinking="level"))
USER = Message("user", (Text("Hi"),))
CALL = ToolCall("c1", "get_weather", '{"city":"Paris"}')
FUNCTION = Tool("get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})
PNG = "iVBORw0KGgoAAAANSUhEUgAA"


def _ask(*messages, target=SECOND, dialect="openai_chat", **fields):
    return WRITER.write_request(ChatRequest("m", messages or (USER,), dialect=dialect, **fields), target)


def _body(*messages, **fields):
    return json.loads(_ask(*messages, **fields).body)


def _config(target=SECOND, **settings):
    return _body(target=target, settings=Settings(**settings)).get("generationConfig", {})


def _losses(*messages, **fields):
    return {loss.field: loss.kind for loss in _ask(*messages, **fields).losses}


def _result(*parts, **fields):
    return Message("tool", (ToolResult("c1", None, parts, **fields),))


def test_the_path_names_the_model_and_the_stream():
    assert _ask().path == "/v1beta/models/gemini-2.5-flash:generateContent"
    stream = _ask(is_stream=True, target=Target("tunedModels/my one"))
    assert stream.path == "/v1beta/tunedModels/my%20one:streamGenerateContent?alt=sse"
    assert _ask(target=Target("models/x")).path == "/v1beta/models/x:generateContent"
    assert _ask(target=Target("a/b?c")).path == "/v1beta/models/a%2Fb%3Fc:generateContent"


def test_equal_requests_give_equal_bytes():
    asked = (USER, Message("assistant", (CALL,)), _result(Text("22")))
    assert _ask(*asked, tools=(FUNCTION,)) == _ask(*asked, tools=(FUNCTION,))


def test_roles_are_user_and_model_and_the_system_prompt_stands_apart():
    body = _body(Message("system", (Text("Be kind."),)), USER, Message("assistant", (Text("Yes?"),)), USER)
    assert body["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]


def test_a_system_message_within_stays_where_it_stands():
    asked = (USER, Message("assistant", (Text("Yes?"),)), Message("developer", (Text("Hurry."),)))
    body = _body(*asked)
    assert "systemInstruction" not in body
    assert body["contents"][-1] == {"role": "user", "parts": [{"text": "Hurry."}]}
    assert _losses(*asked) == {"messages.system": "changed"}


def test_a_system_prompt_alone_is_what_the_user_says():
    body = _body(Message("system", (Text("Be kind."),)))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Be kind."}]}]}


def test_media_in_a_system_prompt_are_refused():
    with pytest.raises(InputError, match="system prompt"):
        _ask(Message("system", (Media("image", data=PNG),)), USER)


def test_a_result_bears_the_name_of_the_call_with_its_id():
    body = _body(USER, Message("assistant", (CALL,)), _result(Text("22")))
    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "c1", "name": "get_weather", "response": {"result": "22"}}}
    ]


def test_there_are_as_many_results_as_calls_and_in_one_content():
    calls = (CALL, ToolCall("c2", "get_time", ""))
    results = (ToolResult("c2", None, (Text("noon"),)),)
    body = _body(USER, Message("assistant", calls), Message("tool", results), USER)
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    answers = [part["functionResponse"] for part in body["contents"][2]["parts"] if "functionResponse" in part]
    assert [answer["name"] for answer in answers] == ["get_weather", "get_time"]
    assert answers[1]["response"] == {"result": "noon"}


@pytest.mark.parametrize(
    ("said", "is_error", "response"),
    [
        ('{"a": 1}', False, {"a": 1}),
        ("[1, 2]", False, {"result": "[1, 2]"}),
        ("22", False, {"result": "22"}),
        ("{broken", False, {"result": "{broken"}),
        ("no such city", True, {"error": "no such city"}),
        ('{"a": 1}', True, {"error": '{"a": 1}'}),
    ],
)
def test_a_response_is_an_object_and_never_encoded_twice(said, is_error, response):
    body = _body(USER, Message("assistant", (CALL,)), _result(Text(said), is_error=is_error))
    assert body["contents"][2]["parts"][0]["functionResponse"]["response"] == response


def test_an_image_of_a_tool_stands_in_its_response_where_the_model_takes_that():
    image = Media("image", "image/png", data=PNG)
    asked = (USER, Message("assistant", (CALL,)), _result(Text("a map"), image))
    [part] = _body(*asked, target=THIRD)["contents"][2]["parts"]
    assert part["functionResponse"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": PNG}}]
    result, words, behind = _body(*asked)["contents"][2]["parts"]
    assert "parts" not in result["functionResponse"]
    assert "c1" in words["text"]
    assert behind["inlineData"]["data"] == PNG
    assert _losses(*asked)["messages.tool.content"] == "changed"


def test_arguments_are_objects_whatever_the_model_wrote():
    calls = [ToolCall(f"c{n}", "f", said) for n, said in enumerate(("", "{broken", "[1]", '{"a": 1}'))]
    parts = _body(USER, Message("assistant", tuple(calls)))["contents"][1]["parts"]
    assert [part["functionCall"]["args"] for part in parts] == [{}, {"_raw": "{broken"}, {"_raw": "[1]"}, {"a": 1}]


def test_a_free_text_tool_goes_as_a_function_and_back():
    tool = Tool("patch", "Patches", kind="custom")
    written = _ask(USER, Message("assistant", (ToolCall("c1", "patch", "*** Begin", is_custom=True),)), tools=(tool,))
    body = json.loads(written.body)
    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == {"input": "*** Begin"}
    assert body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]["required"] == ["input"]
    assert written.restore.custom_tools == {"patch"}


def test_names_that_gemini_refuses_are_bent_everywhere_and_can_be_restored():
    tool = Tool("2 be/or not", None, {"type": "object", "properties": {}})
    asked = (USER, Message("assistant", (ToolCall("c1", "2 be/or not", "{}"),)), _result(Text("x")))
    written = _ask(*asked, tools=(tool,), tool_choice=ToolChoice("required", ("2 be/or not",)))
    body = json.loads(written.body)
    [(sent, original)] = written.restore.names.items()
    assert original == "2 be/or not"
    assert body["tools"][0]["functionDeclarations"][0]["name"] == sent
    assert body["contents"][1]["parts"][0]["functionCall"]["name"] == sent
    assert body["contents"][2]["parts"][0]["functionResponse"]["name"] == sent
    assert body["toolConfig"]["functionCallingConfig"] == {"mode": "ANY", "allowedFunctionNames": [sent]}


@pytest.mark.parametrize(("mode", "sent"), [("auto", "AUTO"), ("none", "NONE"), ("required", "ANY")])
def test_the_choice_among_tools_is_said_in_geminis_words(mode, sent):
    body = _body(tools=(FUNCTION,), tool_choice=ToolChoice(mode))
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": sent}}


def test_calling_one_by_one_cannot_be_asked_for_and_is_told():
    lost = _losses(tools=(FUNCTION,), settings=Settings(parallel_tool_calls=False))
    assert lost == {"parallel_tool_calls": "dropped"}


def test_proofs_of_geminis_go_back_on_the_part_they_stood_on():
    said = Message(
        "assistant", (ToolCall("c1", "f", "{}", signature="c2ln", origin="gemini"), ToolCall("c2", "f", "{}"))
    )
    parts = _body(USER, said, target=THIRD)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["c2ln", None]
    parts = _body(USER, Message("assistant", (Text("a", signature="c2ln"),)))["contents"][1]["parts"]
    assert parts == [{"text": "a", "thoughtSignature": "c2ln"}]


def test_a_proof_that_another_dialect_kept_on_the_thought_goes_back_on_the_call():
    said = Message("assistant", (Reasoning("Paris?", "c2ln", origin="gemini"), CALL))
    thought, call = _body(USER, said)["contents"][1]["parts"]
    assert thought == {"text": "Paris?", "thought": True}
    assert call["thoughtSignature"] == "c2ln"


def test_a_missing_proof_is_skipped_on_the_first_call_only_where_the_model_demands_one():
    said = Message("assistant", (CALL, ToolCall("c2", "f", "{}")))
    parts = _body(USER, said, target=THIRD)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [SKIP, None]
    assert all("thoughtSignature" not in part for part in _body(USER, said)["contents"][1]["parts"])


def test_another_providers_proofs_and_thoughts_stay_behind_aloud():
    call = ToolCall("c1", "f", "{}", signature="x", origin="anthropic")
    said = Message("assistant", (Reasoning("hm", "sig", origin="anthropic"), Text("Yes."), call))
    assert b"sig" not in _ask(USER, said).body
    assert b"hm" not in _ask(USER, said).body
    assert _losses(USER, said) == {"reasoning": "dropped"}


def test_a_client_of_gemini_brings_anothers_proof_home():
    proof = seal("sig", "anthropic", "gemini")
    parts = [
        {"text": "h", "thought": True},
        {"text": "m", "thought": True},
        {"thought": True, "thoughtSignature": proof},
    ]
    body = json.dumps({"contents": [{"role": "model", "parts": [*parts, {"text": "Yes."}]}]}).encode()
    request = GeminiReader().read_request(body)
    assert request.messages[0].parts == (Reasoning("hm", "sig", origin="anthropic"), Text("Yes."))
    written = WRITER.write_request(request, SECOND)
    assert json.loads(written.body)["contents"][0]["parts"] == [{"text": "Yes."}]
    assert [loss.field for loss in written.losses] == ["reasoning"]


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (Media("image", "image/jpeg", data=PNG), {"inlineData": {"mimeType": "image/png", "data": PNG}}),
        (Media("file", data="JVBERi0xLjQ="), {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0xLjQ="}}),
        (Media("audio", "audio/wav", data="UklGRg=="), {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}),
        (Media("audio", data="SUQzBAAA"), {"inlineData": {"mimeType": "audio/mpeg", "data": "SUQzBAAA"}}),
        (
            Media("image", url="https://x/a.webp?b=c"),
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://x/a.webp?b=c"}},
        ),
        (Media("image", url="https://x/a"), {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x/a"}}),
        (
            Media("video", url="https://youtu.be/x"),
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
        ),
        (
            Media("file", file_id="gs://b/a.pdf"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
        ),
    ],
)
def test_media_have_a_media_type_and_keep_their_place(media, part):
    assert _body(Message("user", (Text("a"), media, Text("b"))))["contents"][0]["parts"] == [
        {"text": "a"},
        part,
        {"text": "b"},
    ]


def test_a_file_that_another_provider_keeps_is_refused():
    with pytest.raises(InputError, match="file-abc"):
        _ask(Message("user", (Media("file", file_id="file-abc"),)))


def test_what_the_model_does_not_take_is_refused():
    deaf = Target("m", traits=Traits(takes=("image",)))
    with pytest.raises(InputError, match="audio"):
        _ask(Message("user", (Media("audio", data="UklG"),)), target=deaf)


def test_settings_have_geminis_names():
    config = _config(
        max_tokens=9,
        temperature=1.5,
        top_p=0.9,
        top_k=4,
        stop=("a", ""),
        seed=7,
        presence_penalty=1,
        frequency_penalty=-1,
        n=2,
        logprobs=True,
        top_logprobs=3,
        modalities=("text", "image"),
    )
    assert config == {
        "maxOutputTokens": 9,
        "temperature": 1.5,
        "topP": 0.9,
        "topK": 4,
        "stopSequences": ["a"],
        "seed": 7,
        "presencePenalty": 1,
        "frequencyPenalty": -1,
        "candidateCount": 2,
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT", "IMAGE"],
    }
    types.GenerationConfig.model_validate(config)


def test_at_most_five_stop_sequences_are_sent():
    settings = Settings(stop=tuple("abcdefg"))
    assert _config(stop=tuple("abcdefg"))["stopSequences"] == list("abcde")
    assert _losses(settings=settings) == {"stop": "changed"}


def test_what_gemini_has_not_is_dropped_aloud():
    settings = Settings(
        logit_bias={"1": 1}, user="u", metadata={"a": "b"}, verbosity="low", prompt_cache_key="k", store=True
    )
    said = Message("user", (Text("Hi", cache=CacheMark()), Raw("hologram", {})), name="Ann")
    lost = _losses(said, settings=settings, params={"web": 1})
    assert set(lost.values()) == {"dropped"}
    assert set(lost) == {
        "logit_bias", "user", "metadata", "verbosity", "prompt_cache_key", "store", "web", "cache_control",
        "messages.content.hologram", "messages.name",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("thinking", "config"),
    [
        (Thinking(effort="low"), {"thinkingBudget": 1024, "includeThoughts": True}),
        (Thinking(budget_tokens=2048), {"thinkingBudget": 2048, "includeThoughts": True}),
        (Thinking(budget_tokens=99999), {"thinkingBudget": 24576, "includeThoughts": True}),
        (Thinking(shows=False), {"thinkingBudget": -1}),
        (Thinking(is_on=False), {"thinkingBudget": 0}),
        (Thinking(effort="none"), {"thinkingBudget": 0}),
    ],
)
def test_the_second_generation_thinks_by_a_budget(thinking, config):
    assert _config(thinking=thinking)["thinkingConfig"] == config
    types.ThinkingConfig.model_validate(config)


@pytest.mark.parametrize(
    ("thinking", "level"),
    [
        (Thinking(effort="minimal"), "LOW"),
        (Thinking(effort="high"), "HIGH"),
        (Thinking(effort="max"), "HIGH"),
        (Thinking(budget_tokens=1024), "LOW"),
        (Thinking(budget_tokens=30000), "HIGH"),
        (Thinking(is_on=False), "LOW"),
    ],
)
def test_the_third_generation_thinks_by_a_level_and_the_nearest_is_taken_aloud(thinking, level):
    target = Target("gemini-3-pro", traits=Traits(thinking="level", efforts=("low", "high")))
    assert _config(target, thinking=thinking)["thinkingConfig"]["thinkingLevel"] == level
    lost = _losses(target=target, settings=Settings(thinking=thinking))
    assert lost == ({} if thinking.effort == level.lower() else {"thinking": "changed"})


def test_a_model_that_does_not_think_is_not_told_to():
    target = Target("gemini-2.0-flash")
    assert "thinkingConfig" not in _config(target, thinking=Thinking(effort="high"))
    assert _losses(target=target, settings=Settings(thinking=Thinking(effort="high"))) == {"thinking": "dropped"}


def test_a_schema_is_the_models_own_business_where_it_has_words_for_it():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    config = _config(output=OutputFormat("schema", schema, name="x", strict=True))
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    assert _config(output=OutputFormat("json")) == {"responseMimeType": "application/json"}


def test_what_a_schema_cannot_say_is_told_in_words_and_checked_here():
    schema = {"type": "object", "properties": {"a": {"type": "string", "not": {"enum": ["x"]}}}}
    output = OutputFormat("schema", schema)
    written = _ask(settings=Settings(output=output))
    config = json.loads(written.body)["generationConfig"]
    assert "not:" in config["responseSchema"]["properties"]["a"]["description"]
    types.Schema.model_validate(config["responseSchema"])
    assert written.restore.output == output
    assert [loss.kind for loss in written.losses] == ["emulated"]


def test_a_schema_beside_tools_is_asked_for_in_words_where_the_model_cannot_have_both():
    output = OutputFormat("schema", {"type": "object"})
    written = _ask(tools=(FUNCTION,), settings=Settings(output=output))
    body = json.loads(written.body)
    assert "generationConfig" not in body
    assert '{"type":"object"}' in body["systemInstruction"]["parts"][-1]["text"]
    assert written.restore.output == output
    assert (
        "responseJsonSchema"
        in _body(target=THIRD, tools=(FUNCTION,), settings=Settings(output=output))["generationConfig"]
    )


def test_a_tool_with_a_schema_beyond_gemini_goes_in_its_subset():
    schema = {"allOf": [{"type": "object", "properties": {"a": {"type": ["string", "null"]}}}]}
    [declared] = _body(tools=(Tool("f", "F", schema),))["tools"][0]["functionDeclarations"]
    assert declared["parameters"]["properties"]["a"] == {"type": "STRING", "nullable": True}
    types.FunctionDeclaration.model_validate(declared)


def test_a_function_without_parameters_states_none():
    assert _body(tools=(Tool("f"),))["tools"] == [{"functionDeclarations": [{"name": "f"}]}]


def test_anothers_search_becomes_googles_where_no_functions_stand_beside():
    search = Tool("web_search", kind="web_search_20250305")
    assert _body(tools=(search,))["tools"] == [{"googleSearch": {}}]
    assert _losses(tools=(search,)) == {"tools.web_search_20250305": "changed"}
    assert _losses(tools=(search, FUNCTION)) == {"tools.web_search_20250305": "dropped"}


def test_only_the_tools_that_may_be_called_are_sent():
    body = _body(tools=(FUNCTION, Tool("other")), tool_choice=ToolChoice("auto", ("get_weather",)))
    assert [declared["name"] for declared in body["tools"][0]["functionDeclarations"]] == ["get_weather"]


def test_a_first_turn_of_the_model_has_a_placeholder_before_it():
    body = _body(Message("assistant", (Text("Hello!"),)), USER)
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]


def test_the_providers_quirks_bend_the_config():
    target = Target("m", quirks=Quirks(drop=("seed",), cap={"maxOutputTokens": 5}))
    assert _config(target, seed=1, max_tokens=9) == {"maxOutputTokens": 5}
