from app.dialects.details import tell_details, tell_settings
from app.dialects.losses import Losses
from app.models.chat import ChatRequest, Tool
from app.models.message import CacheMark, Citation, Message, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, ToolChoice


def told(request):
    """What is noted of a request."""
    losses = Losses()
    tell_details(request, losses, "Nobody")
    return {loss.field for loss in losses.all()}


def test_a_plain_request_loses_nothing():
    call, result = ToolCall("a", "f", "{}"), ToolResult("a", "f", (Text("1"),))
    messages = (Message("user", (Text("Hi"),)), Message("assistant", (call,)), Message("tool", (result,)))
    assert told(ChatRequest("m", messages, (Tool("f"),), ToolChoice("auto"))) == set()


def test_each_detail_is_told_once():
    said = Text("a", (Citation(),), CacheMark(), "proof", {"notes": []})
    parts = (said, said, Reasoning("hm"), Raw("odd", {}), ToolCall("a", "f", "", is_server_side=True))
    inner = ToolResult("a", None, (Raw("inner", {}),), extras={"odd": 1})
    request = ChatRequest(
        "m",
        (Message("user", parts, name="bob", extras={"x": 1}), Message("tool", (inner,))),
        (Tool("f", cache=CacheMark(), extras={"defer": True}),),
        ToolChoice("auto", extras={"y": 1}),
        settings=Settings(output=OutputFormat("json", extras={"z": 1})),
        params={"p": 1},
    )
    assert told(request) == {
        "p",
        "cache_control",
        "messages.name",
        "messages.x",
        "messages.content.notes",
        "messages.content.citations",
        "messages.content.signature",
        "messages.content.odd",
        "messages.content.inner",
        "messages.content.server_tool",
        "reasoning",
        "tools.defer",
        "tool_choice.y",
        "response_format.z",
    }


def test_settings_that_ask_for_what_happens_anyway_are_no_loss():
    losses = Losses()
    tell_settings(Settings(store=False, service_tier="default", modalities=("text",)), losses, "Nobody")
    assert losses.all() == ()
    tell_settings(Settings(store=True, modalities=("audio",), verbosity="low"), losses, "Nobody")
    assert {loss.field for loss in losses.all()} == {"store", "modalities", "verbosity"}
