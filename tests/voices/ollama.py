"""A provider that speaks Ollama's own chat: a JSON a line, calls without ids."""

import json
from typing import Any

from fake_upstream import Answer, Seen
from ollama._types import ChatRequest
from voices.script import Heard, Script, sorted_json

PATH = "/api/chat"
PROOF_ORIGIN = ""
_KNOWN = {
    "model",
    "messages",
    "tools",
    "format",
    "options",
    "stream",
    "keep_alive",
    "think",
    "logprobs",
    "top_logprobs",
}


def check(seen: Seen) -> None:
    """Fail where Ollama would refuse the request."""
    body = seen.json()
    assert seen.path == PATH, seen.path
    assert not set(body) - _KNOWN, f"unknown fields {set(body) - _KNOWN}"
    for message in body["messages"]:
        assert message["role"] in ("system", "user", "assistant", "tool"), message["role"]
        assert isinstance(message.get("content", ""), str)
        for call in message.get("tool_calls") or []:
            assert isinstance(call["function"]["arguments"], dict)
    bare = [{key: value for key, value in message.items() if key != "images"} for message in body["messages"]]
    ChatRequest.model_validate({**body, "messages": bare})


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = seen.json()
    options = body.get("options") or {}
    stop = options.get("stop") or []
    found = Heard(
        model=body["model"],
        is_stream=body.get("stream") is not False,
        max_tokens=options.get("num_predict"),
        temperature=options.get("temperature"),
        top_p=options.get("top_p"),
        seed=options.get("seed"),
        stop=[stop] if isinstance(stop, str) else list(stop),
        schema=body.get("format") if isinstance(body.get("format"), dict) else None,
        thinks=bool(body.get("think")),
    )
    found.tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    for message in body["messages"]:
        _hear(message, found)
    return found


def _hear(message: dict[str, Any], found: Heard) -> None:
    text, role = message.get("content") or "", message["role"]
    found.images += len(message.get("images") or [])
    if role == "system":
        found.system = "\n".join(filter(None, [found.system, text]))
    elif role == "tool":
        found.results.append((message.get("tool_name") or "", text, "error" in text.lower()))
    elif text:
        found.turns.append((role, text))
    for call in message.get("tool_calls") or []:
        found.calls.append(("", call["function"]["name"], sorted_json(call["function"]["arguments"])))


def _end(script: Script) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "length" if script.is_cut_short else "stop",
        "total_duration": 1_000_000,
        "prompt_eval_count": script.input_tokens,
        "eval_count": script.output_tokens,
    }


def _calls(script: Script) -> list[dict[str, Any]]:
    return [{"function": {"name": call.name, "arguments": call.arguments}} for call in script.calls]


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    message: dict[str, Any] = {"role": "assistant", "content": script.text}
    if script.thought:
        message["thinking"] = script.thought
    if script.calls:
        message["tool_calls"] = _calls(script)
    body = {"model": model, "created_at": "2026-01-01T00:00:00Z", "message": message, **_end(script)}
    return Answer(body=json.dumps(body, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece."""
    head = {"model": model, "created_at": "2026-01-01T00:00:00Z"}

    def line(message: dict[str, Any], **fields: Any) -> bytes:
        value = {**head, "message": {"role": "assistant", "content": "", **message}, "done": False, **fields}
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"

    lines = [line({"thinking": piece}) for piece in Script(script.thought).pieces()]
    lines += [line({"content": piece}) for piece in script.pieces()]
    lines += [line({"tool_calls": [call]}) for call in _calls(script)]
    lines.append(line({}, **_end(script)))
    headers = [("content-type", "application/x-ndjson")]
    return Answer(pieces=lines, headers=headers, framing="chunked")
