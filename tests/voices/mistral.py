"""A provider that speaks Mistral's chat: OpenAI's, spelled its own way."""

import json
import re
from typing import Any

from fake_upstream import Answer, Seen
from fake_upstream import stream as streamed
from voices import openai_chat
from voices.script import Heard, Script, event, sorted_json

PATH = "/chat/completions"
PROOF_ORIGIN = ""
_KNOWN = {
    "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "response_format",
    "tools", "tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls",
    "prompt_mode", "safe_prompt", "metadata", "reasoning_effort", "guardrails", "prompt_cache_key", "service_tier",
}  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9]{9}")
_PARTS = {"text", "image_url", "document_url", "reference", "thinking", "input_audio", "file"}


def check(seen: Seen) -> None:
    """Fail where Mistral would refuse the request."""
    body = seen.json()
    assert seen.path.endswith("/v1/chat/completions"), seen.path
    assert not set(body) - _KNOWN, f"unknown fields {set(body) - _KNOWN}"
    assert body.get("tool_choice") in (None, "auto", "none", "any", "required") or "function" in body["tool_choice"]
    for message in body["messages"]:
        assert message["role"] in ("system", "user", "assistant", "tool"), message["role"]
        assert set(message) <= {"role", "content", "tool_calls", "tool_call_id", "name", "prefix"}, message
        for call in message.get("tool_calls") or []:
            assert _ID.fullmatch(call["id"]), call["id"]
        if isinstance(message.get("content"), list):
            assert {part["type"] for part in message["content"]} <= _PARTS


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    found = openai_chat.heard(seen)
    body = seen.json()
    found.seed = body.get("random_seed")
    found.choice = {"any": "required"}.get(found.choice, found.choice)
    found.files = sum(
        part["type"] == "document_url"
        for message in body["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )
    return found


def _calls(script: Script) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "function": {"name": call.name, "arguments": sorted_json(call.arguments)}, "index": index}
        for index, call in enumerate(script.calls)
    ]


def _reason(script: Script) -> str:
    return "tool_calls" if script.calls else "length" if script.is_cut_short else "stop"


def _usage(script: Script) -> dict[str, Any]:
    return {
        "prompt_tokens": script.input_tokens,
        "completion_tokens": script.output_tokens,
        "total_tokens": script.input_tokens + script.output_tokens,
        "prompt_tokens_details": {"cached_tokens": script.cached_tokens},
    }


def _content(script: Script) -> Any:
    if not script.thought:
        return script.text
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": script.thought}]}
    return [thought, {"type": "text", "text": script.text}]


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    message = {"role": "assistant", "content": _content(script), "tool_calls": _calls(script) or None}
    choice = {"index": 0, "message": message, "finish_reason": _reason(script)}
    body = {"id": "mis-v1", "object": "chat.completion", "created": 1780000000, "model": model, "choices": [choice]}
    return Answer(body=json.dumps(body | {"usage": _usage(script)}, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece: calls whole, usage with the finish reason."""
    head = {"id": "mis-v1", "object": "chat.completion.chunk", "created": 1780000000, "model": model}

    def chunk(delta: dict[str, Any], **fields: Any) -> bytes:
        reason = fields.pop("reason", None)
        return event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **fields})

    events = [chunk({"role": "assistant", "content": ""})]
    for piece in Script(script.thought).pieces():
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": piece}]}
        events.append(chunk({"content": [thought]}))
    events += [chunk({"content": piece}) for piece in script.pieces()]
    last: dict[str, Any] = {"content": ""}
    if script.calls:
        last["tool_calls"] = _calls(script)
    events.append(chunk(last, reason=_reason(script), usage=_usage(script)))
    return streamed(*events, b"data: [DONE]\n\n")
