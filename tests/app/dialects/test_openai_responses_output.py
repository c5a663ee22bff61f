"""Whole answers as responses."""

import json

import pytest
from dialect_recordings import records
from same_json import differences

from app.dialects.openai_responses import OpenAiResponsesReader
from app.dialects.openai_responses_writer import OpenAiResponsesWriter
from app.dialects.writing import Asked
from app.models.chat import ChatRequest, Choice, Logprob, Reply
from app.models.message import Media, Message, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import Settings
from app.models.usage import Usage

READER, WRITER = OpenAiResponsesReader(), OpenAiResponsesWriter()
ASKED = Asked(ChatRequest("gpt", (), dialect="openai_responses"), "gpt", "abc", 7)


def _meant(value):
    """A response without its empty lists of likelihoods: some servers leave them out."""
    if isinstance(value, list):
        return [_meant(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _meant(field) for name, field in value.items() if (name, field) != ("logprobs", [])}


def _asked_of(record, reply):
    request = READER.read_request(record.request) if record.request else ASKED.request
    owner = (reply.id or "").removeprefix("resp_")
    return Asked(request, reply.model or "m", owner, reply.created_s or 0)


def _output(*parts, logprobs=None, dialect="anthropic"):
    choice = Choice(0, Message("assistant", parts), "stop", logprobs=logprobs)
    return json.loads(WRITER.write_reply(Reply(choices=(choice,), dialect=dialect), ASKED))["output"]


def test_ids_come_from_the_answers_and_are_told_apart():
    output = _output(Reasoning("hm"), Text("a"), ToolCall("c", "f", ""), Text("b"))
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "message"]
    ids = [item["id"] for item in output]
    assert len(set(ids)) == 4 and all("abc" in item_id for item_id in ids)
    assert ids == [item["id"] for item in _output(Reasoning("hm"), Text("a"), ToolCall("c", "f", ""), Text("b"))]


def test_likelihoods_stand_with_the_first_text():
    (message,) = _output(Text("a"), Text("b"), logprobs=(Logprob("a", -1.0, (97,)),))
    first, second = message["content"]
    assert first["logprobs"] == [{"token": "a", "bytes": [97], "logprob": -1.0, "top_logprobs": []}]
    assert second["logprobs"] == []


def test_what_has_no_place_in_a_response_is_left_out():
    found = ToolResult("s", "bash", (Text("1"),), is_server_side=True)
    assert _output(Raw("future", {"foreign": 1}), found, Reasoning(""), Text("a", extras={"foreign": 1})) == _output(
        Text("a")
    )


@pytest.mark.parametrize(("served", "told"), [("priority", "priority"), ("standard", "default"), ("ON_DEMAND", "flex")])
def test_the_tier_that_served_is_told_in_openais_words(served, told):
    reply = Reply(choices=(Choice(0, Message("assistant", ())),), usage=Usage(1, 1, service_tier=served))
    request = ChatRequest("gpt", (), settings=Settings(service_tier="flex"), dialect="openai_responses")
    assert json.loads(WRITER.write_reply(reply, Asked(request, "gpt", "abc", 7)))["service_tier"] == told


def test_a_spoken_answer_is_told_by_its_words():
    (message,) = _output(Media("audio", "audio/wav", data="QUJD", transcript="Hello"))
    assert message["content"][0]["text"] == "Hello"


def test_a_whole_answer_that_was_cut_is_incomplete_or_failed():
    cut = Choice(0, Message("assistant", (Text("Hel"),)), "length", "max_tokens")
    long = json.loads(WRITER.write_reply(Reply(choices=(cut,), dialect="anthropic"), ASKED))
    assert (long["status"], long["output"][0]["status"]) == ("incomplete", "incomplete")
    broken = json.loads(WRITER.write_reply(Reply(choices=(cut,), is_complete=False), ASKED))
    assert (broken["status"], broken["error"]["code"]) == ("failed", "server_error")


def test_every_recorded_answer_survives_its_own_round_trip():
    n = 0
    for record in records("openai.responses"):
        reply = READER.read_answer(record.response, record.content_type, record.status)
        if reply.error or "body" not in record.wire["response"]:
            continue
        answered = json.loads(record.response)
        if "output" not in answered:
            continue  # a count of tokens
        answered.setdefault("model", "m")  # what was compacted has none
        written = json.loads(WRITER.write_reply(reply, _asked_of(record, reply)))
        for item, again in zip(answered.get("output", ()), written.get("output", ()), strict=False):
            item.setdefault("id", again.get("id"))  # calls at Bedrock have none, and get one
        assert differences(_meant(answered), _meant(written)) == [], record.id
        n += 1
    assert n > 450
