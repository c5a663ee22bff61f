"""A provider that speaks Anthropic's messages."""

import itertools
import json
from typing import Any

from anthropic.types import message_create_params
from fake_upstream import Answer, Seen
from fake_upstream import stream as streamed
from pydantic import TypeAdapter
from voices.script import Heard, Script, event, must_fit, sorted_json

PATH = "/v1/messages"
PROOF_ORIGIN = "anthropic"
_REQUEST = TypeAdapter(message_create_params.MessageCreateParamsNonStreaming)
_KNOWN = set(message_create_params.MessageCreateParamsBase.__annotations__) | {
    *("stream", "temperature", "top_p", "top_k")  # the newest SDK has no arguments for the last three
}


def check(seen: Seen) -> None:
    """Fail where Anthropic would refuse the request."""
    body = seen.json()
    assert seen.path.partition("?")[0].endswith(PATH), seen.path
    assert seen.header("anthropic-version")
    assert not set(body) - _KNOWN, f"unknown fields {set(body) - _KNOWN}"
    must_fit(_REQUEST, {key: value for key, value in body.items() if key != "stream"})
    _check_turns(body["messages"])
    _check_thinking(body)


def _check_turns(messages: list[dict[str, Any]]) -> None:
    roles = [message["role"] for message in messages]
    assert roles[0] == "user", roles
    assert all(one != other for one, other in itertools.pairwise(roles)), roles
    open_ids: list[str] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        assert blocks, "an empty message"
        assert all(block["text"] for block in blocks if block["type"] == "text"), "an empty text"
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        assert sorted(results) == sorted(open_ids), f"{results} answer {open_ids}"
        kinds = [block["type"] == "tool_result" for block in blocks]
        assert kinds == sorted(kinds, reverse=True), "results stand first"
        open_ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
    assert not open_ids, f"calls without a result: {open_ids}"


def _check_thinking(body: dict[str, Any]) -> None:
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled":
        assert 1024 <= thinking["budget_tokens"] < body["max_tokens"]
        assert body.get("temperature", 1) == 1
        assert (body.get("tool_choice") or {}).get("type", "auto") in ("auto", "none")
    assert body.get("temperature", 0) <= 1


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = seen.json()
    found = Heard(
        model=body["model"],
        is_stream=body.get("stream") is True,
        max_tokens=body.get("max_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        stop=list(body.get("stop_sequences") or []),
        thinks=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
    )
    found.tools = [tool["name"] for tool in body.get("tools") or []]
    choice = body.get("tool_choice") or {}
    found.choice = {"any": "required", "tool": choice.get("name", "")}.get(
        choice.get("type", ""), choice.get("type", "")
    )
    found.schema = ((body.get("output_config") or {}).get("format") or body.get("output_format") or {}).get("schema")
    system = body.get("system") or ""
    found.system = system if isinstance(system, str) else "\n".join(block["text"] for block in system)
    found.cache_marks = json.dumps(body).count('"cache_control": {')
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        _hear(message["role"], blocks, found)
    return found


def _hear(role: str, blocks: list[dict[str, Any]], found: Heard) -> None:
    text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
    for block in blocks:
        kind = block["type"]
        found.images += kind == "image"
        found.files += kind == "document"
        if kind == "tool_use":
            found.calls.append((block["id"], block["name"], sorted_json(block["input"])))
        elif kind == "thinking":
            found.proofs.append(block["signature"])
        elif kind == "redacted_thinking":
            found.proofs.append(block["data"])
        elif kind == "tool_result":
            content = block.get("content") or ""
            inner = [{"type": "text", "text": content}] if isinstance(content, str) else content
            said = "\n".join(part["text"] for part in inner if part["type"] == "text")
            found.images += sum(part["type"] == "image" for part in inner)
            found.results.append((block["tool_use_id"], said, block.get("is_error") is True))
    if text:
        found.turns.append((role, text))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "input_tokens": script.input_tokens - script.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": script.cached_tokens,
        "output_tokens": script.output_tokens,
    }


def _reason(script: Script) -> str:
    return "tool_use" if script.calls else "max_tokens" if script.is_cut_short else "end_turn"


def _blocks(script: Script) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if script.thought:
        blocks.append({"type": "thinking", "thinking": script.thought, "signature": script.proof})
    if script.text:
        blocks.append({"type": "text", "text": script.text})
    blocks += [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in script.calls]
    return blocks


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    body = {
        "id": "msg_v1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": _blocks(script),
        "stop_reason": _reason(script),
        "stop_sequence": None,
        "usage": _usage(script),
    }
    return Answer(body=json.dumps(body, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece."""
    start = {
        "id": "msg_v1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(script) | {"output_tokens": 1},
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(_blocks(script)):
        events += _block_events(index, block)
        if index == 0:
            events.append({"type": "ping"})
    delta = {"stop_reason": _reason(script), "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": _usage(script)})
    events.append({"type": "message_stop"})
    return streamed(*(event(one, one["type"]) for one in events))


def _block_events(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    kind = block["type"]
    if kind == "text":
        begin: dict[str, Any] = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in Script(block["text"]).pieces()]
    elif kind == "thinking":
        begin = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in Script(block["thinking"]).pieces()]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    else:
        begin = {**block, "input": {}}
        arguments = Script(sorted_json(block["input"])).pieces() if block["input"] else [""]
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *arguments]]
    return [
        {"type": "content_block_start", "index": index, "content_block": begin},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]
