"""The demo provider's answers as Anthropic writes them. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from gateway.providers.demo_script import Say, pieces_of

_STOPS: Final = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}
_encode = msgspec.json.encode


def whole(say: Say) -> bytes:
    """Return a message."""
    return _encode(_message(say, _blocks(say), _STOPS[say.finish], _usage(say, say.output_tokens)))


def stream(say: Say) -> Iterator[bytes]:
    """Yield the events of a streamed message."""
    yield _event("message_start", message=_message(say, [], None, _usage(say, 1)))
    for index, block in enumerate(_blocks(say)):
        yield _event("content_block_start", index=index, content_block=block | _empty(block))
        if index == 0:
            yield _event("ping")
        for delta in _deltas(block):
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    end = {"stop_reason": _STOPS[say.finish], "stop_sequence": None}
    yield _event("message_delta", delta=end, usage={"output_tokens": say.output_tokens})
    yield _event("message_stop")


def token_count(input_tokens: int) -> bytes:
    """Return the answer to a question about tokens."""
    return _encode({"input_tokens": input_tokens})


def error(kind: str, message: str, request_id: str) -> bytes:
    """Return an error's body."""
    return _encode({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})


def error_event(message: str) -> bytes:
    """Return the event of an error in the middle of a stream."""
    return _event("error", error={"type": "overloaded_error", "message": message})


def _message(say: Say, content: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{say.id}",
        "type": "message",
        "role": "assistant",
        "model": say.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(say: Say, output_tokens: int) -> dict[str, Any]:
    """Anthropic's input tokens leave cached ones out."""
    return {
        "input_tokens": say.input_tokens - say.cache_read_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": say.cache_read_tokens,
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }


def _blocks(say: Say) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if say.reasoning:
        blocks.append({"type": "thinking", "thinking": say.reasoning, "signature": f"demo{say.id}"})
    if say.text:
        blocks.append({"type": "text", "text": say.text})
    for call in say.calls:
        given = msgspec.json.decode(call.arguments)
        blocks.append({"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": given})
    return blocks


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a block that a stream begins empty."""
    kinds: dict[str, dict[str, Any]] = {
        "thinking": {"thinking": "", "signature": ""},
        "text": {"text": ""},
        "tool_use": {"input": {}},
    }
    return kinds[block["type"]]


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "thinking":
        for piece in pieces_of(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif block["type"] == "text":
        for piece in pieces_of(block["text"]):
            yield {"type": "text_delta", "text": piece}
    else:
        text = _encode(block["input"]).decode()
        yield {"type": "input_json_delta", "partial_json": ""}
        for start in range(0, len(text), 12):
            yield {"type": "input_json_delta", "partial_json": text[start : start + 12]}


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + _encode({"type": kind, **fields}) + b"\n\n"
