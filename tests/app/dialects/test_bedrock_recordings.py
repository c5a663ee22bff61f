"""Every recorded Converse call: read, written again, and asked of the AWS SDK's own model of the service."""

import json
from urllib.parse import unquote

import msgspec
import pytest
from botocore.eventstream import EventStreamBuffer
from converse_shape import problems
from dialect_recordings import records
from same_json import differences

from app.dialects.registry import reader_of
from app.dialects.writers import upstream_writer
from app.models.message import Raw, ToolResult
from app.models.target import Target

READER = reader_of("bedrock")
WRITER = upstream_writer("bedrock")
_EMPTY = ({}, [])


@pytest.fixture(scope="module")
def recorded():
    return records("bedrock.converse")


def _asked(record):
    path = record.wire["request"]["path"]
    model = unquote(path.split("/")[2])
    request = msgspec.structs.replace(
        READER.read_request(record.request), model=model, is_stream=path.endswith("-stream")
    )
    return request, Target(model, dialect="bedrock")


def _asking(recorded):
    """Records with a request in JSON: one was recorded cut off."""
    return [record for record in recorded if "body" in record.wire["request"]]


def _without_nothing(body):
    """Empty fields mean what absent ones do."""
    body = {key: value for key, value in body.items() if value not in _EMPTY}
    if "inferenceConfig" in body:
        body["inferenceConfig"] = {key: value for key, value in body["inferenceConfig"].items() if value not in _EMPTY}
    return body


def test_every_recorded_request_survives_its_own_round_trip(recorded):
    for record in _asking(recorded):
        request, target = _asked(record)
        written = WRITER.write_request(request, target)
        assert written.losses == (), record.id
        assert unquote(written.path) == unquote(record.wire["request"]["path"])
        assert differences(_without_nothing(json.loads(record.request)), json.loads(written.body)) == [], record.id
        assert WRITER.write_request(request, target) == written


def test_every_element_is_a_message_with_one_identity(recorded):
    for record in _asking(recorded):
        elements = READER.split_messages(record.request)
        messages = READER.read_request(record.request).messages
        assert [READER.read_element(element) for element in elements] == list(messages), record.id
        assert [READER.canon(element) for element in elements] == [READER.canon_message(each) for each in messages]


def test_every_answer_is_whole_or_says_what_failed(recorded):
    for record in recorded:
        reply = READER.read_answer(record.response, record.content_type, record.status)
        assert reply.skipped_events == 0, record.id
        assert reply.is_complete or reply.error, record.id
        assert bool(reply.error) == (record.status >= 400), record.id


def test_answers_say_what_was_recorded(recorded):
    n_calls = 0
    for record in recorded:
        if record.status >= 400:
            continue
        text, calls, usage, stop = _told(record)
        reply = READER.read_answer(record.response, record.content_type, record.status)
        said = reply.choices[0]
        assert said.message.text().replace("\n", "") == text.replace("\n", ""), record.id
        seen = [(each.id, each.name, json.loads(each.arguments)) for each in said.message.tool_calls()]
        assert seen == calls, record.id
        assert said.native_finish_reason == stop
        cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
        assert reply.usage.input_tokens == usage["inputTokens"] + cached, record.id
        assert reply.usage.input_tokens + reply.usage.output_tokens == usage["totalTokens"], record.id
        n_calls += len(seen)
    assert n_calls > 100


def test_an_answer_is_the_turn_that_clients_send_back(recorded):
    answers, carried, equal = {}, 0, 0
    for record in _asking(recorded):
        turns = [each for each in READER.read_request(record.request).messages if each.role == "assistant"]
        known = answers.setdefault(record.conversation, set())
        if turns and known:
            carried += 1
            equal += READER.canon_message(turns[-1]) in known
        reply = READER.read_answer(record.response, record.content_type, record.status)
        known |= {READER.canon_message(choice.message) for choice in reply.choices}
    assert carried > 60
    assert equal / carried > 0.9, f"{equal} of {carried}"


def test_hardly_anything_stays_raw(recorded):
    found = []
    for record in _asking(recorded):
        reply = READER.read_answer(record.response, record.content_type, record.status)
        for message in (*READER.read_request(record.request).messages, *(each.message for each in reply.choices)):
            for part in message.parts:
                inner = part.parts if isinstance(part, ToolResult) else (part,)
                found += [each.kind for each in inner if isinstance(each, Raw)]
    assert found == ["document"]  # one whose source is text


def test_written_requests_are_valid_to_the_aws_sdk(recorded):
    for record in _asking(recorded):
        if record.status < 400:
            request, target = _asked(record)
            assert problems(WRITER.write_request(request, target).body) == "", record.id


def _told(record):
    """Text, calls, usage and stop reason, read without any of the code under test."""
    got = record.wire["response"]
    if "body" in got:
        blocks, said = got["body"]["output"]["message"]["content"], got["body"]
        return _text_of(blocks), _calls_of(blocks), said["usage"], said["stopReason"]
    buffer = EventStreamBuffer()
    buffer.add_data(record.response)
    text, calls, usage, stop = "", {}, {}, None
    for event in buffer:
        value = json.loads(event.payload)
        delta = value.get("delta", {})
        text += delta.get("text", "")
        if "toolUse" in value.get("start", {}):
            calls[value["contentBlockIndex"]] = [*_call(value["start"]["toolUse"])[:2], ""]
        if "toolUse" in delta:
            calls[value["contentBlockIndex"]][2] += delta["toolUse"]["input"]
        usage, stop = value.get("usage", usage), value.get("stopReason", stop)
    return text, [(call_id, name, json.loads(said or "{}")) for call_id, name, said in calls.values()], usage, stop


def _text_of(blocks):
    cited = [each for block in blocks for each in block.get("citationsContent", {}).get("content", [])]
    if cited:
        blocks = [each for block in blocks for each in block.get("citationsContent", {}).get("content", [block])]
    return "".join(block.get("text", "") for block in blocks)


def _calls_of(blocks):
    return [_call(block["toolUse"]) for block in blocks if "toolUse" in block]


def _call(said):
    return said["toolUseId"], said["name"], said.get("input", {})
