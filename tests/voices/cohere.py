"""A provider that speaks Cohere's chat, version 2."""

import json
from typing import Any

from fake_upstream import Answer, Seen
from fake_upstream import stream as streamed
from pydantic import TypeAdapter
from voices.script import Heard, Script, event, must_fit, sorted_json

PATH = "/v2/chat"
PROOF_ORIGIN = ""
_KNOWN = {
    "model", "messages", "tools", "strict_tools", "documents", "citation_options", "response_format", "safety_mode",
    "max_tokens", "stop_sequences", "temperature", "seed", "frequency_penalty", "presence_penalty", "k", "p",
    "logprobs", "tool_choice", "thinking", "priority", "stream",
}  # fmt: skip


def check(seen: Seen) -> None:
    """Fail where Cohere would refuse the request."""
    from cohere.types import ChatMessages, ToolV2  # brings much with it

    body = seen.json()
    assert seen.path == PATH, seen.path
    assert not set(body) - _KNOWN, f"unknown fields {set(body) - _KNOWN}"
    must_fit(TypeAdapter(ChatMessages), body["messages"])
    must_fit(TypeAdapter(list[ToolV2]), body.get("tools") or [])
    assert body.get("tool_choice") in (None, "REQUIRED", "NONE")
    open_ids: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_ids
            open_ids.remove(message["tool_call_id"])
        else:
            assert not open_ids, f"calls without a result: {open_ids}"
            open_ids = [call["id"] for call in message.get("tool_calls") or []]


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = seen.json()
    wanted = body.get("response_format") or {}
    found = Heard(
        model=body["model"],
        is_stream=body.get("stream") is True,
        max_tokens=body.get("max_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("p"),
        seed=body.get("seed"),
        stop=list(body.get("stop_sequences") or []),
        schema=wanted.get("json_schema", wanted.get("schema")),
        thinks=(body.get("thinking") or {}).get("type") == "enabled",
    )
    found.tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    found.choice = {"REQUIRED": "required", "NONE": "none"}.get(body.get("tool_choice", ""), "")
    for message in body["messages"]:
        _hear(message, found)
    return found


def _hear(message: dict[str, Any], found: Heard) -> None:
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    found.images += sum(part["type"] == "image_url" for part in parts)
    text = "\n".join(_text(part) for part in parts if part["type"] in ("text", "document"))
    role = message["role"]
    if role == "system":
        found.system = "\n".join(filter(None, [found.system, text]))
    elif role == "tool":
        found.results.append((message["tool_call_id"], text, "error" in text.lower()))
    elif text:
        found.turns.append((role, text))
    for call in message.get("tool_calls") or []:
        arguments = sorted_json(json.loads(call["function"]["arguments"]))
        found.calls.append((call["id"], call["function"]["name"], arguments))


def _text(part: dict[str, Any]) -> str:
    if part["type"] == "text":
        return str(part["text"])
    data = part["document"]["data"]
    return data if isinstance(data, str) else str(data.get("text", sorted_json(data)))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "billed_units": {"input_tokens": script.input_tokens, "output_tokens": script.output_tokens},
        "tokens": {"input_tokens": script.input_tokens, "output_tokens": script.output_tokens},
        "cached_tokens": script.cached_tokens,
    }


def _reason(script: Script) -> str:
    return "TOOL_CALL" if script.calls else "MAX_TOKENS" if script.is_cut_short else "COMPLETE"


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    message: dict[str, Any] = {"role": "assistant"}
    content: list[dict[str, Any]] = []
    if script.thought:
        content.append({"type": "thinking", "thinking": script.thought})
    if script.text:
        content.append({"type": "text", "text": script.text})
    if content:
        message["content"] = content
    if script.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": sorted_json(call.arguments)},
            }
            for call in script.calls
        ]
    body = {"id": "co-v1", "message": message, "finish_reason": _reason(script), "usage": _usage(script)}
    return Answer(body=json.dumps(body, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece."""
    start = {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}
    events: list[dict[str, Any]] = [{"type": "message-start", "id": "co-v1", "delta": start}]
    index = 0
    for kind, said in (("thinking", script.thought), ("text", script.text)):
        if not said:
            continue
        at = {"index": index}
        events.append({"type": "content-start", **at, "delta": {"message": {"content": {"type": kind, kind: ""}}}})
        events += [
            {"type": "content-delta", **at, "delta": {"message": {"content": {kind: piece}}}}
            for piece in Script(said).pieces()
        ]
        events.append({"type": "content-end", **at})
        index += 1
    for place, call in enumerate(script.calls):
        begun = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        at = {"index": place}
        events.append({"type": "tool-call-start", **at, "delta": {"message": {"tool_calls": begun}}})
        events += [
            {"type": "tool-call-delta", **at, "delta": {"message": {"tool_calls": {"function": {"arguments": piece}}}}}
            for piece in Script(sorted_json(call.arguments)).pieces()
        ]
        events.append({"type": "tool-call-end", **at})
    end = {"finish_reason": _reason(script), "usage": _usage(script)}
    events.append({"type": "message-end", "delta": end})
    return streamed(*(event(one, str(one["type"])) for one in events), b"data: [DONE]\n\n")
