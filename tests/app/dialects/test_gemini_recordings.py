"""Every recorded call of Gemini: read, written again, and parsed by Google's SDK."""

import json

import httpx
import msgspec
import pytest
from dialect_recordings import records
from google import genai
from google.genai import types
from pydantic import TypeAdapter
from same_json import differences

from app.dialects.fold import fold
from app.dialects.registry import reader_of
from app.dialects.writers import client_writer, upstream_writer
from app.dialects.writing import Asked, deltas_of_body
from app.models.chat import ChatRequest
from app.models.message import Raw
from app.models.target import Target

READER = reader_of("gemini")
WRITER = upstream_writer("gemini")
ANSWERS = client_writer("gemini")
_FREE = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels"}
_ENUMS = {"mode", "thinkingLevel"}
_FINISHES = {1: "STOP", 2: "MAX_TOKENS"}
_NEVER_READ = ("systemInstruction.role",)
"""Google ignores it."""


@pytest.fixture(scope="module")
def recorded():
    return records("google.generate")


def _asking(recorded):
    return [record for record in recorded if "body" in record.wire["request"]]


def _whole(recorded):
    """Recorded answers that are one object."""
    good = [record for record in recorded if record.status < 400]
    return [record for record in good if isinstance(record.wire["response"].get("body"), dict)]


def _streams(recorded):
    """Recorded answers in pieces, however they were framed."""
    good = [record for record in recorded if record.status < 400]
    return [record for record in good if not isinstance(record.wire["response"].get("body"), dict)]


def _asked(reply):
    return Asked(ChatRequest(reply.model, ()), reply.model, reply.id, 0)


def test_every_recorded_request_survives_its_own_round_trip(recorded):
    asking = _asking(recorded)
    for record in asking:
        written = WRITER.write_request(READER.read_request(record.request), Target("m", dialect="gemini"))
        one, other = _request(json.loads(record.request)), _request(json.loads(written.body))
        assert differences(one, other, ignoring=_NEVER_READ) == [], record.id
        assert written.losses == (), record.id
    assert len(asking) > 400


def test_every_recorded_answer_survives_its_own_round_trip(recorded):
    whole = _whole(recorded)
    for record in whole:
        reply = READER.read_answer(record.response, record.content_type, record.status)
        written = ANSWERS.write_reply(reply, _asked(reply))
        assert differences(_answer(json.loads(record.response)), _answer(json.loads(written))) == [], record.id
    assert len(whole) > 300


def test_every_recorded_stream_is_written_so_that_the_sdk_parses_the_same(recorded):
    streams = _streams(recorded)
    for record in streams:
        deltas = deltas_of_body(WRITER.read_deltas(), record.response)
        for write in (ANSWERS.write_deltas, ANSWERS.write_deltas_array):
            writer = write(_asked(fold(deltas)))
            written = b"".join(writer.write([delta]) for delta in deltas) + writer.close(is_complete=True)
            assert _parsed(_events(written)) == _parsed(record.events()), record.id
    assert len(streams) > 80


def test_what_the_sdk_itself_streams_is_what_was_recorded(recorded):
    """Through its own client: events, line ends and all."""
    for record in _streams(recorded)[::4]:
        if "$alt" in record.wire["request"]["query"]:
            continue  # numbers for words: not for this SDK
        deltas = deltas_of_body(WRITER.read_deltas(), record.response)
        writer = ANSWERS.write_deltas(_asked(fold(deltas)))
        written = writer.ping() + writer.write(deltas) + writer.close(is_complete=True)
        transport = httpx.MockTransport(lambda _, body=written: httpx.Response(200, content=body))
        options = types.HttpOptions(httpx_client=httpx.Client(transport=transport))
        client = genai.Client(api_key="k", http_options=options)
        chunks = list(client.models.generate_content_stream(model="m", contents="Hi"))
        assert "".join(_texts(chunks)) == "".join(_texts(_responses(record.events()))), record.id


def test_deltas_fold_to_what_the_reader_says(recorded):
    for record in _streams(recorded):
        folded = fold(deltas_of_body(WRITER.read_deltas(), record.response))
        assert folded == READER.read_answer(record.response, record.content_type, record.status), record.id
        assert folded.is_complete or not any("finishReason" in str(event) for event in record.events()), record.id


def test_a_whole_answer_says_what_a_stream_of_one_chunk_says(recorded):
    for record in _whole(recorded):
        if '"text": ""' in record.response.decode():
            continue  # a stream passes over what says nothing
        streamed = READER.read_stream(b"data: " + record.response + b"\r\n\r\n")
        assert streamed == READER.read_reply(record.response, record.status), record.id


def test_an_answer_says_of_what_dialect_it_is(recorded):
    for record in _whole(recorded):
        assert READER.read_answer(record.response, record.content_type, record.status).dialect == "gemini"


def test_written_requests_are_valid_to_the_sdk(recorded):
    contents, tools = TypeAdapter(list[types.Content]), TypeAdapter(list[types.Tool])
    for record in _asking(recorded):
        request = msgspec.structs.replace(READER.read_request(record.request), dialect="openai_chat", params={})
        body = json.loads(WRITER.write_request(request, Target("gemini-3-pro", dialect="gemini")).body)
        contents.validate_python(body["contents"])
        tools.validate_python(body.get("tools", []))
        types.GenerationConfig.model_validate(body.get("generationConfig", {}))
        types.ToolConfig.model_validate(body.get("toolConfig", {}))
        n_open = 0
        for content in body["contents"]:
            assert sum("functionResponse" in part for part in content["parts"]) == n_open, record.id
            n_open = sum("functionCall" in part for part in content["parts"])


def test_hardly_anything_stays_raw(recorded):
    found = []
    for record in _asking(recorded):
        reply = READER.read_answer(record.response, record.content_type, record.status)
        for message in (*READER.read_request(record.request).messages, *(each.message for each in reply.choices)):
            found += [part.kind for part in message.parts if isinstance(part, Raw)]
    assert found == []


def _request(body):
    """A request in one spelling. What is empty means what is absent; functions may stand in one entry or in several."""
    body = _spelled(body)
    if isinstance(body.get("contents"), str):
        body["contents"] = [{"role": "user", "parts": [{"text": body["contents"]}]}]
    config = body.get("generationConfig") or {}
    body["generationConfig"] = {name: value for name, value in config.items() if value not in ({}, [])}
    entries = [body["tools"]] if isinstance(body.get("tools"), dict) else body.get("tools") or []
    declared = [one for entry in entries for one in entry.get("functionDeclarations", [])]
    others = [{name: value} for entry in entries for name, value in entry.items() if name != "functionDeclarations"]
    body["tools"] = {"functions": declared, "others": others}
    return {name: value for name, value in body.items() if value not in ({}, [])}


def _answer(body):
    """An answer with what Google leaves out because it is the usual."""
    body = _spelled(body)
    for candidate in body.get("candidates", []):
        candidate.setdefault("index", 0)
        candidate["finishReason"] = _FINISHES.get(candidate.get("finishReason"), candidate.get("finishReason"))
        content = candidate.setdefault("content", {})
        content.setdefault("parts", [])
        content.setdefault("role", "model")
    return body


def _spelled(value):
    if isinstance(value, list):
        return [_spelled(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, field in value.items():
        first, *rest = key.split("_")
        name = first + "".join(word.title() for word in rest)
        field = field if name in _FREE else _spelled(field)
        if name in _ENUMS:
            field = field.upper()
        elif name == "parts" and isinstance(field, dict):
            field = [field]
        elif name == "responseModalities":
            field = [modality.upper() for modality in field]
        out[name] = field
    return out


def _events(written):
    if written.startswith(b"["):
        return json.loads(written)
    return [json.loads(line[6:]) for line in written.decode().split("\r\n") if line.startswith("data: ")]


def _responses(events):
    return [types.GenerateContentResponse.model_validate(_answer(_numberless(event))) for event in events]


def _numberless(event):
    """`$alt=json;enum-encoding=int` and what only the newest API says are no words of the SDK's types."""
    event = json.loads(json.dumps(event))
    usage = event.get("usageMetadata", {})
    usage.pop("serviceTier", None)
    if isinstance(usage.get("trafficType"), int):
        usage["trafficType"] = "ON_DEMAND"
    for details in usage.values():
        for entry in details if isinstance(details, list) else []:
            entry["modality"] = {1: "TEXT"}.get(entry["modality"], entry["modality"])
    return event


def _parsed(events):
    """What a stream says, as the SDK's types have it."""
    parts, finish, usage, about = [], None, None, None
    beside = {}
    for chunk in _responses(events):
        about = about or (chunk.response_id, chunk.model_version, chunk.create_time)
        usage = chunk.usage_metadata or usage
        for candidate in chunk.candidates or []:
            finish = candidate.finish_reason or finish
            fields = candidate.model_dump(exclude={"content", "finish_reason", "index"}, exclude_none=True)
            beside |= {name: value for name, value in fields.items() if value or name not in beside}
            for part in (candidate.content and candidate.content.parts) or []:
                _join(parts, part)
    return [part.model_dump(exclude_none=True) for part in parts], finish, usage, about, beside


def _join(parts, part):
    is_said = part.text is not None and not part.function_call
    last = parts[-1] if parts else None
    if is_said and not part.text and not part.thought_signature:
        return
    is_alike = last is not None and is_said and last.text is not None and last.thought == part.thought
    if is_alike and not last.thought_signature:
        told = {"text": last.text + part.text, "thought_signature": part.thought_signature}
        parts[-1] = last.model_copy(update=told)
        return
    parts.append(part)


def _texts(chunks):
    for chunk in chunks:
        for candidate in chunk.candidates or []:
            yield from (part.text for part in (candidate.content and candidate.content.parts) or [] if part.text)
