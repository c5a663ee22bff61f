import json

import msgspec
import ollama
import pytest
from dialect_recordings import records
from same_json import differences

from app.dialects.ollama_reader import OllamaReader
from app.dialects.ollama_writer import OllamaWriter
from app.dialects.registry import reader_of
from app.dialects.restore import Restorer
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.delta import Finish, TextDelta
from app.models.message import Media, Message, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice
from app.models.target import Quirks, Target, Traits

WRITER = OllamaWriter()
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
TOOLS = (Tool("f", "does", SCHEMA), Tool("g"))
KNOWN = {"model", "messages", "stream", "tools", "format", "options", "think", "keep_alive", "logprobs", "top_logprobs"}


def asked(*messages, quirks=None, traits=None, **fields):
    """What another dialect's request becomes: its body and all of it."""
    request = ChatRequest("m", messages or (user("Hi"),), dialect="anthropic", **fields)
    target = Target("qwen3", quirks=quirks or Quirks(), traits=traits or Traits())
    written = WRITER.write_request(request, target)
    body = json.loads(written.body)
    is_valid(body)
    return body, written


def is_valid(body):
    """Check a body against the types of Ollama's own SDK."""
    assert body.keys() <= KNOWN
    ollama._types.ChatRequest.model_validate(body)
    for message in body["messages"]:
        images = [{"value": image} for image in message.get("images", [])]  # on the wire they are bare
        ollama.Message.model_validate({**message, "images": images})
    assert (body.get("options") or {}).keys() <= ollama.Options.model_fields.keys()


def told(written):
    """Field → kind of what was lost."""
    return {loss.field: loss.kind for loss in written.losses}


def user(text):
    """A user's words."""
    return Message("user", (Text(text),))


def test_a_tool_loop_has_objects_for_arguments_and_names_on_results():
    turn = Message("assistant", (Text("I will."), ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", "")))
    results = [Message("tool", (ToolResult(name, None, (Text(name),)),)) for name in "ba"]
    body, written = asked(user("Go"), turn, *results)
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "I will.",
            "tool_calls": [
                {"id": "a", "function": {"name": "f", "arguments": {"x": 1}}},
                {"id": "b", "function": {"name": "g", "arguments": {}}},
            ],
        },
        {"role": "tool", "content": "a", "tool_name": "f", "tool_call_id": "a"},
        {"role": "tool", "content": "b", "tool_name": "g", "tool_call_id": "b"},
    ]
    assert written.losses == ()


def test_arguments_that_are_no_object_are_never_lost():
    turn = Message("assistant", (ToolCall("a", "f", '{"x": 1'),))
    body, written = asked(user("Go"), turn, Message("tool", (ToolResult("a", None, (Text("?"),)),)))
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"_raw": '{"x": 1'}
    assert told(written) == {"messages.tool_calls.arguments": "changed"}


def test_images_stand_beside_the_text():
    image = Media("image", "image/png", data="AAAA")
    body, written = asked(Message("user", (Text("What is this?"), image)))
    assert body["messages"] == [{"role": "user", "content": "What is this?", "images": ["AAAA"]}]
    assert written.losses == ()
    _, written = asked(Message("user", (Text("One:"), image, Text("Two:"), image)))
    assert told(written) == {"messages.content": "changed"}


def test_what_ollama_cannot_read_is_refused():
    with pytest.raises(InputError, match="fetches no images") as refused:
        asked(Message("user", (Media("image", url="http://x/y.png"),)))
    assert "base64" in refused.value.hint
    for media in (Media("audio", data="AA=="), Media("file", "application/pdf", data="AA==")):
        with pytest.raises(InputError, match=f"no {media.modality}"):
            asked(Message("user", (media,)))
    with pytest.raises(InputError, match="one answer"):
        asked(settings=Settings(n=2))


def test_knobs_are_options():
    settings = Settings(max_tokens=5, temperature=0.5, top_p=0.9, top_k=3, stop=("x",), seed=7, presence_penalty=1)
    body, _ = asked(settings=settings)
    assert body["options"] == {
        "num_predict": 5,
        "seed": 7,
        "stop": ["x"],
        "temperature": 0.5,
        "top_k": 3,
        "top_p": 0.9,
        "presence_penalty": 1,
    }


def test_structured_output_is_a_format_and_checked():
    output = OutputFormat("schema", SCHEMA)
    body, written = asked(settings=Settings(output=output))
    assert (body["format"], written.restore.output) == (SCHEMA, output)
    assert asked(settings=Settings(output=OutputFormat("json")))[0]["format"] == "json"


def test_a_code_fence_around_json_is_taken_off_only_where_json_was_asked_for():
    def told_of(settings):
        restorer = Restorer(asked(settings=settings)[1].restore, "r")
        pieces = restorer.deltas([TextDelta("```json\n"), TextDelta('{"x": 1}\n```'), Finish("stop")])
        return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))

    assert told_of(Settings(output=OutputFormat("json"))) == '{"x": 1}'
    assert told_of(Settings()) == '```json\n{"x": 1}\n```'


def test_thoughts_in_tags_are_told_apart_where_the_provider_writes_them_so():
    assert asked(quirks=Quirks(has_think_tags=True))[1].restore.splits_think_tags
    assert not asked()[1].restore.splits_think_tags


@pytest.mark.parametrize(
    ("thinking", "think", "losses"),
    [
        (Thinking(), True, {}),
        (Thinking(False), False, {}),
        (Thinking(effort="low"), "low", {}),
        (Thinking(effort="xhigh"), "high", {"reasoning_effort": "changed"}),
        (Thinking(budget_tokens=5000), True, {"thinking.budget_tokens": "changed"}),
    ],
)
def test_thinking_is_on_off_or_a_level(thinking, think, losses):
    body, written = asked(settings=Settings(thinking=thinking))
    assert (body["think"], told(written)) == (think, losses)


def test_a_model_that_does_not_think_is_not_asked_to():
    body, written = asked(settings=Settings(thinking=Thinking()), traits=Traits(thinking="none"))
    assert ("think" in body, told(written)) == (False, {"reasoning_effort": "dropped"})


@pytest.mark.parametrize(
    ("choice", "sent", "losses"),
    [
        (ToolChoice("auto"), ["f", "g"], {}),
        (ToolChoice("none"), [], {"tool_choice": "changed"}),
        (ToolChoice("required"), ["f", "g"], {"tool_choice": "dropped"}),
        (ToolChoice("required", ("g",)), ["g"], {"tool_choice": "dropped", "tool_choice.names": "changed"}),
    ],
)
def test_what_may_not_be_called_is_not_sent(choice, sent, losses):
    body, written = asked(tools=TOOLS, tool_choice=choice)
    assert [tool["function"]["name"] for tool in body.get("tools", [])] == sent
    assert told(written) == losses


def test_thoughts_of_others_are_left_out_aloud():
    body, written = asked(user("Hi"), Message("assistant", (Reasoning("hm", "sig", origin="anthropic"), Text("Ho"))))
    assert body["messages"][1] == {"role": "assistant", "content": "Ho"}
    assert told(written) == {"reasoning": "dropped"}


def test_every_recorded_request_stays_what_it_was():
    for record in records("ollama.chat"):
        request = OllamaReader().read_request(record.request)
        written = WRITER.write_request(request, Target(request.model))
        assert written.losses == (), record.id
        assert differences(json.loads(record.request), json.loads(written.body)) == [], record.id


def test_a_request_of_its_own_keeps_what_we_have_no_word_for():
    call = {"id": "c", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}}
    body = {
        "model": "m",
        "stream": True,
        "keep_alive": "5m",
        "think": True,
        "options": {"num_ctx": 8192, "seed": 1},
        "messages": [
            {"role": "user", "content": "Hi", "images": ["AAAA"]},
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [call], "new": 1},
            {"role": "tool", "tool_name": "f", "content": "5"},
        ],
    }
    written = WRITER.write_request(OllamaReader().read_request(json.dumps(body).encode()), Target("m"))
    assert differences(body, json.loads(written.body)) == []


def test_every_recorded_request_to_openais_responses_is_one_that_ollama_takes():
    reader = reader_of("openai_responses")
    for record in records("openai.responses"):
        try:
            request = msgspec.structs.replace(reader.read_request(record.request), is_stream=False)
            written = WRITER.write_request(request, Target("qwen3"))
        except InputError:
            continue
        is_valid(json.loads(written.body))


def test_equal_requests_are_equal_bytes():
    request = ChatRequest("m", (user("Hi"),), tools=TOOLS, dialect="gemini")
    assert WRITER.write_request(request, Target("c")).body == WRITER.write_request(request, Target("c")).body
