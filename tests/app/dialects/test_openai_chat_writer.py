import json
from typing import Any

import pytest
from dialect_recordings import records
from same_json import differences, without_empty

from app.dialects.mistral_writer import MistralWriter
from app.dialects.openai_chat import MistralReader, OpenAiChatReader
from app.dialects.openai_chat_writer import OpenAiChatWriter
from app.dialects.writing import Asked
from app.models.chat import ChatRequest
from app.models.target import Target

BOTH = {"openai.chat": (OpenAiChatReader(), OpenAiChatWriter()), "mistral.chat": (MistralReader(), MistralWriter())}
DEFAULTS = (
    "messages.tool_calls.index",
    "choices.message.tool_calls.index",
    "model",
    "stream",
    "choices.delta",
    "tools.type",
    "messages.tool_calls.type",
    "choices.message.tool_calls.type",
)
"""Fields whose absence says what they say (no stream, a function), and a delta beside a message."""
ASKED = Asked(ChatRequest(None, ()), "gpt-4o", "abc123", 1_780_000_000)


@pytest.mark.parametrize("api", ["openai.chat", "mistral.chat"])
def test_recorded_requests_mean_the_same_when_written_again(api: str) -> None:
    wrong = []
    reader, writer = BOTH[api]
    for record in records(api):
        body = record.wire["request"].get("body")
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            continue
        request = reader.read_request(record.request)
        written = json.loads(writer.write_request(request, Target(str(body.get("model")))).body)
        found = differences(without_empty(body), without_empty(written), ignoring=DEFAULTS)
        if found and "two_empty_string" not in record.id:  # texts without a word are not kept
            wrong.append(f"{record.id}: {found[:3]}")
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:12])


@pytest.mark.parametrize("api", ["openai.chat", "mistral.chat"])
def test_recorded_answers_mean_the_same_when_written_again(api: str) -> None:
    wrong = []
    reader, writer = BOTH[api]
    for record in records(api):
        body: Any = record.wire["response"].get("body")
        if not isinstance(body, dict) or not body.get("choices") or body.get("error"):
            continue
        reply = reader.read_reply(record.response, record.status)
        written = json.loads(writer.write_reply(reply, ASKED))
        found = differences(without_empty(body), without_empty(written), ignoring=DEFAULTS)
        if found and "azure/test_chat_content_filtering" not in record.id:  # a choice without a message
            wrong.append(f"{record.id}: {found[:3]}")
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:12])
