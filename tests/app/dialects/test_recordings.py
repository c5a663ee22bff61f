"""Every recorded call of the dialects we read, against what the record itself says. Nothing expected is read by us."""

import json
from collections import defaultdict
from functools import cache

import pytest
from dialect_recordings import DIALECTS, records

from app.dialects.registry import reader_of
from app.models.message import Raw, ToolResult

KNOWN_RAW = {
    "": 6,  # messages instead of parts: the provider refused them, too
    "additional_tools": 10,
    "advisor_result": 4,
    "compaction": 18,
    "mcp_list_tools": 7,
    "text_editor_code_execution_create_result": 1,
    "text_editor_code_execution_tool_result_error": 2,
    "text_editor_code_execution_view_result": 1,
    "tokens": 13,
    "tool_addition": 3,
}
"""What stays raw, and how often it was recorded."""

CHAINED = {"openai.chat": 0.86, "openai.responses": 0.91, "anthropic.messages": 0.92, "google.generate": 0.99}
"""Of the requests that carry an earlier answer, at least this share carries one that is equal. The rest were rewritten
by the client: an agent's observation written into it, calls left out, a history made up by a test."""


@cache
def read(api):
    """Every record of an API with its messages and its reply."""
    reader = reader_of(DIALECTS[api])
    return [
        (
            record,
            reader.read_request(record.request).messages if record.request else (),
            reader.read_answer(record.response, record.content_type, record.status),
        )
        for record in records(api)
    ]


@pytest.mark.parametrize("api", DIALECTS)
def test_every_element_is_a_message_with_one_identity(api):
    reader = reader_of(DIALECTS[api])
    for record, messages, _ in read(api):
        elements = reader.split_messages(record.request)
        assert [reader.read_element(element) for element in elements] == list(messages), record.id
        assert [reader.canon(element) for element in elements] == [reader.canon_message(each) for each in messages]


@pytest.mark.parametrize("api", DIALECTS)
def test_every_answer_is_whole_or_says_what_failed(api):
    for record, _, reply in read(api):
        assert reply.skipped_events == 0, record.id
        assert reply.is_complete or reply.error, record.id
        assert bool(reply.error) == _states_an_error(record), record.id


def test_only_rare_parts_stay_raw():
    found = defaultdict(int)
    for api in DIALECTS:
        for _, messages, reply in read(api):
            for message in (*messages, *(choice.message for choice in reply.choices)):
                for raw in _raws(message.parts):
                    found[raw.kind] += 1
    assert set(found) <= set(KNOWN_RAW)
    assert all(found[kind] <= KNOWN_RAW[kind] for kind in found), dict(found)


@pytest.mark.parametrize("api", ["openai.chat", "openai.completions", "openai.embeddings", "openai.responses"])
def test_openais_usage_is_the_recorded_one(api):
    for record, _, reply in read(api):
        said = [event.get("usage") or (event.get("response") or {}).get("usage") for event in record.events()]
        said += [(event.get("x_groq") or {}).get("usage") for event in record.events()]
        last = next((usage for usage in reversed(said) if usage), None)
        if last is None:
            assert reply.usage is None, record.id
            continue
        sent = last.get("prompt_tokens", last.get("input_tokens"))
        got = last.get("completion_tokens", last.get("output_tokens"))
        details = last.get("prompt_tokens_details") or last.get("input_tokens_details") or {}
        if details.get("cached_tokens", 0) > (sent or 0):
            sent += details["cached_tokens"]  # Azure's Grok
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (sent, got), record.id
        thought = (last.get("completion_tokens_details") or last.get("output_tokens_details") or {}).get(
            "reasoning_tokens"
        )
        assert reply.usage.reasoning_tokens in (thought, got), record.id
        if isinstance(last.get("cost"), float):
            assert abs(reply.usage.stated_cost_nusd - last["cost"] * 1e9) <= 0.5 + 1e-6, record.id


def test_anthropics_usage_is_the_recorded_one():
    for record, _, reply in read("anthropic.messages"):
        said = {}
        for event in record.events():
            usage = event.get("usage") or (event.get("message") or {}).get("usage") or {}
            said |= {key: value for key, value in usage.items() if value is not None}
        if not said:
            assert reply.usage is None, record.id
            continue
        steps = [said, *(step for step in said.get("iterations", ()) if step["type"] == "compaction")]
        read_tokens = sum(step.get("cache_read_input_tokens", 0) for step in steps)
        written = sum(step.get("cache_creation_input_tokens", 0) for step in steps)
        assert reply.usage.input_tokens == sum(step["input_tokens"] for step in steps) + read_tokens + written, (
            record.id
        )
        assert reply.usage.output_tokens == sum(step["output_tokens"] for step in steps), record.id
        assert (reply.usage.cache_read_tokens or 0) == read_tokens, record.id
        assert (reply.usage.cache_write_tokens or 0) == written, record.id


def test_geminis_usage_is_the_recorded_one():
    for record, _, reply in read("google.generate"):
        said = [usage for event in record.events() if (usage := event.get("usageMetadata"))]
        if not said:
            assert reply.usage is None, record.id
            continue
        last = {key: value for usage in said for key, value in usage.items()}
        thought, answered = last.get("thoughtsTokenCount", 0), last.get("candidatesTokenCount", 0)
        assert (reply.usage.output_tokens or 0) == thought + answered, record.id
        if "promptTokenCount" not in last:
            assert reply.usage.input_tokens is None, record.id
            continue
        assert reply.usage.input_tokens == last["promptTokenCount"] + last.get("toolUsePromptTokenCount", 0), record.id
        assert reply.usage.input_tokens + (reply.usage.output_tokens or 0) == last["totalTokenCount"], record.id


@pytest.mark.parametrize("api", ["openai.chat", "openai.responses", "anthropic.messages", "google.generate"])
def test_calls_are_the_recorded_ones(api):
    told = _CALLS[api]
    total = 0
    for record, _, reply in read(api):
        calls = reply.choices[0].message.tool_calls() if reply.choices else ()
        seen = [(call.id, call.name, _value(call.arguments)) for call in calls if not call.is_server_side]
        assert seen == told(record.events()), record.id
        total += len(seen)
    assert total > 150


@pytest.mark.parametrize("api", ["openai.chat", "anthropic.messages", "google.generate", "openai.responses"])
def test_texts_are_the_recorded_ones(api):
    for record, _, reply in read(api):
        said = reply.choices[0].message.text() if reply.choices else ""
        assert said.replace("\n", "") == _TEXTS[api](record.events()).replace("\n", ""), record.id


@pytest.mark.parametrize("api", CHAINED)
def test_answers_equal_the_turns_that_clients_send_back(api):
    reader = reader_of(DIALECTS[api])
    answers = defaultdict(set)
    carried = equal = 0
    for record, messages, reply in read(api):
        turns = [message for message in messages if message.role == "assistant"]
        if turns and answers[record.conversation]:
            carried += 1
            equal += reader.canon_message(turns[-1]) in answers[record.conversation]
        answers[record.conversation] |= {reader.canon_message(choice.message) for choice in reply.choices}
    assert carried > 100
    assert equal / carried >= CHAINED[api], f"{equal} of {carried}"


def _states_an_error(record):
    """Whether the record shows a failure: its status, an error in its body, or an event that is one."""
    return record.status >= 400 or any(event.get("error") or event.get("type") == "error" for event in record.events())


def _raws(parts):
    for part in parts:
        if isinstance(part, Raw):
            yield part
        elif isinstance(part, ToolResult):
            yield from _raws(part.parts)


def _value(arguments):
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _chat_calls(events):
    calls = {}
    for event in events:
        for choice in (event.get("choices") or [])[:1]:
            if choice["index"] != 0:
                continue
            said = choice.get("message") or choice.get("delta") or {}
            listed = said.get("tool_calls") or []
            if (said.get("function_call") or {}).get("name"):
                listed = [{"index": 0, "function": said["function_call"]}]
            for place, call in enumerate(listed):
                function = call.get("function") or call.get("custom") or {}
                key = call.get("index", place if "message" in choice else call.get("id"))
                entry = calls.setdefault(key, [call.get("id"), function.get("name"), ""])
                entry[2] += function.get("arguments") or function.get("input") or ""
    return [(call_id, name, _value(text)) for call_id, name, text in calls.values() if name]


def _anthropic_calls(events):
    if len(events) == 1:
        blocks = events[0].get("content") or []
        return [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    started, grown = {}, defaultdict(str)
    for event in events:
        if event.get("type") == "content_block_start" and event["content_block"]["type"] == "tool_use":
            started[event["index"]] = event["content_block"]
        elif event.get("type") == "content_block_delta":
            grown[event["index"]] += event["delta"].get("partial_json", "")
    return [(each["id"], each["name"], _value(grown[index] or "{}")) for index, each in started.items()]


def _gemini_calls(events):
    calls = []
    for event in events:
        for candidate in (event.get("candidates") or [])[:1]:
            for part in (candidate.get("content") or {}).get("parts") or []:
                if "functionCall" in part:
                    call = part["functionCall"]
                    calls.append((call.get("id"), call["name"], call.get("args") or {}))
    return calls


def _response_calls(events):
    last = events[-1] if events else {}
    calls = []
    for item in (last.get("response") or last).get("output") or []:
        if item["type"] in ("function_call", "custom_tool_call"):
            calls.append((item["call_id"], item["name"], _value(item.get("arguments", item.get("input")))))
        elif item["type"] == "tool_search_call" and item["execution"] == "client":
            calls.append((item["call_id"], "tool_search", item["arguments"]))
    return calls


def _chat_text(events):
    text = ""
    for event in events:
        for choice in event.get("choices") or []:
            key = "delta" if len(events) > 1 and "delta" in choice else "message"
            said = choice.get(key)
            if choice["index"] == 0 and said:
                text += (said.get("content") or "") + (said.get("refusal") or "")
                text += (said.get("audio") or {}).get("transcript", "")
    return text


def _anthropic_text(events):
    text = "".join(block.get("text") or "" for event in events for block in event.get("content") or [])
    return text + "".join((event.get("delta") or {}).get("text", "") for event in events)


def _gemini_text(events):
    parts = [
        part
        for event in events
        for candidate in (event.get("candidates") or [])[:1]
        for part in (candidate.get("content") or {}).get("parts") or []
    ]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def _response_text(events):
    last = events[-1] if events else {}
    output = (last.get("response") or last).get("output") or []
    said = [part for item in output if item.get("role") == "assistant" for part in item["content"]]
    return "".join(part.get("text") or part.get("refusal") or "" for part in said)


_CALLS = {
    "openai.chat": _chat_calls,
    "anthropic.messages": _anthropic_calls,
    "google.generate": _gemini_calls,
    "openai.responses": _response_calls,
}
_TEXTS = {
    "openai.chat": _chat_text,
    "anthropic.messages": _anthropic_text,
    "google.generate": _gemini_text,
    "openai.responses": _response_text,
}
