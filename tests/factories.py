"""Anything a test needs, in one line."""

import itertools
from typing import Any

import msgspec

from app.models.call import CallRecord
from app.models.ids import new_span_id

START_NS = 1_780_000_000_000_000_000
_numbers = itertools.count(1)


def chat_request(*messages: tuple[str, str], model: str = "gpt-4o-mini", **fields: Any) -> bytes:
    """An OpenAI chat request; messages are (role, text)."""
    listed = [{"role": role, "content": text} for role, text in messages or (("user", "Hello"),)]
    return msgspec.json.encode({"model": model, "messages": listed, **fields})


def chat_reply(text: str = "Hi!", *, model: str = "gpt-4o-mini-2024-07-18", tokens: tuple[int, int] = (10, 3)) -> bytes:
    """An OpenAI chat completion with usage."""
    sent, got = tokens
    message = {"role": "assistant", "content": text}
    return msgspec.json.encode(
        {
            "id": f"chatcmpl-{next(_numbers)}",
            "object": "chat.completion",
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": sent, "completion_tokens": got, "total_tokens": sent + got},
        }
    )


def call_record(**fields: Any) -> CallRecord:
    """A finished, ordinary OpenAI chat call; any field can be given."""
    number = next(_numbers)
    start_ns = fields.pop("start_ns", START_NS + number * 1_000_000_000)
    values: dict[str, Any] = {
        "span_id": new_span_id(),
        "request_id": f"req_{number:012d}",
        "start_ns": start_ns,
        "end_ns": start_ns + 500_000_000,
        "method": "POST",
        "path": "/v1/chat/completions",
        "dialect": "openai_chat",
        "operation": "chat",
        "status": 200,
        "request": chat_request(),
        "response": chat_reply(),
        "request_headers": (("content-type", "application/json"), ("user-agent", "OpenAI/Python 3.54.0")),
        "response_headers": (("content-type", "application/json"),),
        "content_type": "application/json",
        "requested_model": "gpt-4o-mini",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "key_id": 1,
        "client": "1|OpenAI/Python 3.54.0|127.0.0.1",
    }
    return CallRecord(**(values | fields))
