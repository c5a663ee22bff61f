from app.dialects.losses import Losses
from app.dialects.text_results import text_of_file, text_results
from app.models.message import Media, Message, Text, ToolResult

IMAGE = Media("image", "image/png", data="AAAA")


def result(call_id, *parts, **more):
    """A tool's answer."""
    return ToolResult(call_id, "f", parts, **more)


def shaped(*messages):
    """The conversation with plain results, and what was told."""
    losses = Losses()
    return text_results(messages, losses), {loss.field for loss in losses.all()}


def test_every_result_is_a_message_of_one_text():
    messages, told = shaped(Message("tool", (result("a", Text("1"), Text("2")), result("b"))))
    assert messages == [Message("tool", (result("a", Text("1\n2")),)), Message("tool", (result("b", Text("")),))]
    assert told == set()


def test_media_follow_after_the_last_result():
    tool, last = Message("tool", (result("a", IMAGE),)), Message("tool", (result("b", Text("2")),))
    messages, told = shaped(tool, last, Message("user", (Text("So?"),)))
    assert [message.role for message in messages] == ["tool", "tool", "user", "user"]
    assert messages[2].parts == (Text("From the result of the call a:"), IMAGE)
    assert told == {"messages.tool.content"}
    assert shaped(tool)[0][-1].role == "user"


def test_an_error_says_so_once():
    messages, told = shaped(Message("tool", (result("a", Text("no"), is_error=True),)))
    assert messages[0].parts[0].parts == (Text("Error: no"),)
    assert told == {"messages.tool.is_error"}
    messages, _ = shaped(Message("tool", (result("a", Text("error: no"), is_error=True),)))
    assert messages[0].parts[0].parts == (Text("error: no"),)


def test_files_of_text_are_text():
    assert text_of_file(Media("file", "application/json", data="e30=")) == "{}"
    assert text_of_file(Media("file", "text/csv", data="/w==")) is None
    assert text_of_file(Media("file", "application/pdf", data="e30=")) is None
    assert text_of_file(Media("file", "text/plain", url="http://x")) is None
