"""Calls that keep their dialect and change everything else: Claude on Bedrock, Gemini with a key of Vertex, Azure."""

import base64
import json

import pytest
from aws_signature import wrong_with
from fake_upstream import Answer, FakeUpstream
from live_gateway import KEY, live_gateway, run

from app.dialects.eventstream import CONTENT_TYPE, write_event, write_message

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
EVENTS = [
    {
        "type": "message_start",
        "message": {"id": "msg_1", "role": "assistant", "content": [], "usage": {"input_tokens": 3}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ho"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
ASKED = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}


def framed(event):
    return write_event("chunk", json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode())


@pytest.fixture(autouse=True)
def keys(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("CLOUD_KEY", "cloud-key")


async def ask_claude(frames, *, split=None):
    """Stream one message through the gateway; return what the client got, what AWS saw, and the record."""
    async with FakeUpstream() as aws:
        body = b"".join(frames)
        pieces = [body[place : place + split] for place in range(0, len(body), split)] if split else frames
        aws.answers.append(Answer(pieces=pieces, framing="chunked", headers=[("content-type", CONTENT_TYPE)]))
        bedrock = {"dialect": "bedrock", "base_url": aws.url, "kind": "bedrock", "region": "eu-west-1"}
        async with live_gateway(aws.url, providers={"aws": bedrock | {"also": ["anthropic"]}}) as gateway:
            headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "anthropic-beta": "context-1m-2025-08-07"}
            got = await gateway.http.post("/v1/messages", json=ASKED | {"model": f"aws/{CLAUDE}"}, headers=headers)
            return got, aws.seen[0], await gateway.record()


def told(text):
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def test_claude_on_bedrock_is_signed_for_and_streams_as_anthropic_does():
    got, seen, record = run(ask_claude([framed(event) for event in EVENTS], split=50))
    assert wrong_with(seen, "AKIDEXAMPLE", "secret", "eu-west-1") == ""
    assert seen.path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream"
    assert seen.json() == {
        "max_tokens": 9,
        "messages": ASKED["messages"],
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["context-1m-2025-08-07"],
    }
    assert seen.header("x-api-key") is None
    assert [name for name, _ in seen.headers if name.lower() == "content-type"] == ["content-type"]
    assert got.headers["content-type"].startswith("text/event-stream")
    assert told(got.text) == EVENTS
    assert got.text.startswith("event: message_start\ndata: ")
    assert record.failure is None


def test_a_failure_within_frames_reaches_the_client_as_anthropics_error():
    slow = write_message(
        {":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"Too many requests."}'
    )
    got, _, _ = run(ask_claude([framed(EVENTS[0]), slow]))
    error = {"type": "rate_limit_error", "message": "Too many requests."}
    assert told(got.text)[-1] == {"type": "error", "error": error}


def test_gemini_with_a_key_of_vertex():
    async def story():
        async with FakeUpstream() as google:
            vertex = {"dialect": "gemini", "base_url": f"{google.url}/v1", "kind": "vertex", "api_key": "env:CLOUD_KEY"}
            async with live_gateway(google.url, providers={"vertex": vertex}) as gateway:
                path = "/v1beta/models/vertex/gemini-2.5-flash:streamGenerateContent?alt=sse"
                asked = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
                await gateway.http.post(path, json=asked, headers={"x-goog-api-key": KEY})
                return google.seen[0]

    seen = run(story())
    assert seen.path == "/v1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert seen.header("x-goog-api-key") == "cloud-key"


@pytest.mark.parametrize(
    ("version", "path"),
    [
        (None, "/openai/v1/chat/completions"),
        ("2024-10-21", "/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21"),
    ],
)
def test_azure_is_asked_in_either_style(version, path):
    async def story():
        async with FakeUpstream() as azure:
            config = {"dialect": "openai_chat", "base_url": azure.url, "kind": "azure", "api_key": "env:CLOUD_KEY"}
            async with live_gateway(azure.url, providers={"azure": config | {"api_version": version}}) as gateway:
                got = await gateway.chat("azure/gpt-5")
                return got, azure.seen[0]

    got, seen = run(story())
    assert (got.status_code, seen.path, seen.header("api-key")) == (200, path, "cloud-key")
    assert seen.header("authorization") is None
    assert seen.json()["model"] == "gpt-5"
