"""The demo provider's answers as OpenAI writes them: chat, responses, embeddings, errors. Pure."""

import base64
import hashlib
import struct
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.models.message import ToolCall
from gateway.providers.demo_script import Say, pieces_of

_VECTOR: Final = 256
_encode = msgspec.json.encode


def chat_whole(say: Say) -> bytes:
    """Return a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": say.text or None, "refusal": None, "annotations": []}
    if say.reasoning:
        message["reasoning_content"] = say.reasoning
    if say.calls:
        message["tool_calls"] = [_chat_call(call) for call in say.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": say.finish}
    return _encode(_chat_head(say, "chat.completion") | {"choices": [choice], "usage": _chat_usage(say)})


def chat_stream(say: Say, has_usage: bool) -> Iterator[bytes]:
    """Yield the events of a streamed chat completion; `has_usage`: the client asked for it."""
    head = _chat_head(say, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data(head | {"choices": [choice]} | ({"usage": None} if has_usage else {}))

    yield chunk({"role": "assistant", "content": None if say.calls else "", "refusal": None})
    for piece in pieces_of(say.reasoning):
        yield chunk({"reasoning_content": piece})
    for piece in pieces_of(say.text):
        yield chunk({"content": piece})
    for index, call in enumerate(say.calls):
        named = _chat_call(call) | {"index": index}
        named["function"] = {"name": call.name, "arguments": ""}
        yield chunk({"tool_calls": [named]})
        for part in _quarters(call.arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, say.finish)
    if has_usage:
        yield _data(head | {"choices": [], "usage": _chat_usage(say)})
    yield b"data: [DONE]\n\n"


def responses_whole(say: Say) -> bytes:
    """Return a response of the Responses API."""
    return _encode(_response(say, "completed", _items(say)))


def responses_stream(say: Say) -> Iterator[bytes]:
    """Yield the events of a streamed response."""
    number = 0

    def event(kind: str, **fields: Any) -> bytes:
        nonlocal number
        data = _encode({"type": kind, **fields, "sequence_number": number})
        number += 1
        return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"

    yield event("response.created", response=_response(say, "in_progress", []))
    yield event("response.in_progress", response=_response(say, "in_progress", []))
    for index, item in enumerate(_items(say)):
        place = {"item_id": item["id"], "output_index": index}
        if item["type"] == "message":
            part = item["content"][0]
            yield event("response.output_item.added", output_index=index, item=item | _BEGUN | {"content": []})
            yield event("response.content_part.added", **place, content_index=0, part=part | {"text": ""})
            for piece in pieces_of(say.text):
                yield event("response.output_text.delta", **place, content_index=0, delta=piece, logprobs=[])
            yield event("response.output_text.done", **place, content_index=0, text=say.text, logprobs=[])
            yield event("response.content_part.done", **place, content_index=0, part=part)
        elif item["type"] == "reasoning":
            part = item["summary"][0]
            yield event("response.output_item.added", output_index=index, item=item | {"summary": []})
            yield event("response.reasoning_summary_part.added", **place, summary_index=0, part=part | {"text": ""})
            for piece in pieces_of(say.reasoning):
                yield event("response.reasoning_summary_text.delta", **place, summary_index=0, delta=piece)
            yield event("response.reasoning_summary_text.done", **place, summary_index=0, text=say.reasoning)
            yield event("response.reasoning_summary_part.done", **place, summary_index=0, part=part)
        else:
            yield event("response.output_item.added", output_index=index, item=item | _BEGUN | {"arguments": ""})
            for piece in _quarters(item["arguments"]):
                yield event("response.function_call_arguments.delta", **place, delta=piece)
            named = {"name": item["name"], "arguments": item["arguments"]}
            yield event("response.function_call_arguments.done", **place, **named)
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed", response=_response(say, "completed", _items(say)))


def embeddings(body: bytes, model: str) -> bytes:
    """Return vectors for an embeddings request: of length one, the same for the same text."""
    asked = msgspec.json.decode(body)
    given = asked.get("input", "")
    texts = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    size = asked.get("dimensions") or _VECTOR
    vectors = [_vector(repr(text), min(int(size), 4096)) for text in texts]
    is_base64 = asked.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if is_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(max(1, len(str(text)) // 4) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _encode({"object": "list", "data": data, "model": f"demo-{model}", "usage": usage})


def error(kind: str, message: str, code: str | None) -> bytes:
    """Return an error's body."""
    return _encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_event(message: str, dialect: str) -> bytes:
    """Return the event of an error in the middle of a stream."""
    if dialect == "openai_responses":
        fields = {"type": "error", "code": "server_error", "message": message, "param": None, "sequence_number": 99}
        return b"event: error\ndata: " + _encode(fields) + b"\n\n"
    return _data({"error": {"message": message, "type": "server_error", "param": None, "code": None}})


_BEGUN: Final = {"status": "in_progress"}


def _chat_head(say: Say, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{say.id}",
        "object": kind,
        "created": int(time.time()),
        "model": say.model,
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def _chat_call(call: ToolCall) -> dict[str, Any]:
    return {"id": f"call_{call.id}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _chat_usage(say: Say) -> dict[str, Any]:
    return {
        "prompt_tokens": say.input_tokens,
        "completion_tokens": say.output_tokens,
        "total_tokens": say.input_tokens + say.output_tokens,
        "prompt_tokens_details": {"cached_tokens": say.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": say.reasoning_tokens, "audio_tokens": 0},
    }


def _response(say: Say, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "input_tokens": say.input_tokens,
        "input_tokens_details": {"cached_tokens": say.cache_read_tokens},
        "output_tokens": say.output_tokens,
        "output_tokens_details": {"reasoning_tokens": say.reasoning_tokens},
        "total_tokens": say.input_tokens + say.output_tokens,
    }
    is_cut = status == "completed" and say.finish == "length"
    return {
        "id": f"resp_{say.id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "incomplete" if is_cut else status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "instructions": None,
        "metadata": {},
        "model": say.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage if status == "completed" else None,
    }


def _items(say: Say) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if say.reasoning:
        summary = [{"type": "summary_text", "text": say.reasoning}]
        items.append({"id": f"rs_{say.id}", "type": "reasoning", "summary": summary})
    if say.text:
        part = {"type": "output_text", "text": say.text, "annotations": [], "logprobs": []}
        message = {"id": f"msg_{say.id}", "type": "message", "status": "completed", "role": "assistant"}
        items.append(message | {"content": [part]})
    for call in say.calls:
        named = {"call_id": f"call_{call.id}", "name": call.name, "arguments": call.arguments}
        items.append({"id": f"fc_{call.id}", "type": "function_call", "status": "completed", **named})
    return items


def _quarters(text: str) -> list[str]:
    step = max(1, -(-len(text) // 4))
    return [text[start : start + step] for start in range(0, len(text), step)]


def _vector(text: str, size: int) -> list[float]:
    raw = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(size)
    centred = [byte - 127.5 for byte in raw]
    length = sum(value * value for value in centred) ** 0.5
    return [value / length for value in centred]


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + _encode(value) + b"\n\n"
