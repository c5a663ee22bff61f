"""A provider that speaks OpenAI's chat completions."""

import json
from typing import Any

from fake_upstream import Answer, Seen
from fake_upstream import stream as streamed
from openai.types.chat import completion_create_params
from pydantic import TypeAdapter
from voices.script import Heard, Script, event, must_fit, sorted_json

PATH = "/chat/completions"
PROOF_ORIGIN = ""
_REQUEST = TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming)
_KNOWN = set(completion_create_params.CompletionCreateParamsNonStreaming.__annotations__) | set(
    completion_create_params.CompletionCreateParamsBase.__annotations__
)


def check(seen: Seen) -> None:
    """Fail where OpenAI would refuse the request."""
    body = seen.json()
    assert seen.path.endswith(PATH), seen.path
    unknown = set(body) - _KNOWN - {"stream"}
    assert not unknown, f"unknown fields {unknown}"
    must_fit(_REQUEST, {key: value for key, value in body.items() if key != "stream"})
    _check_pairs(body["messages"])


def _check_pairs(messages: list[dict[str, Any]]) -> None:
    """Every call is answered right behind its turn, and nothing else is."""
    open_ids: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_ids, f"a result for no call: {message}"
            open_ids.remove(message["tool_call_id"])
        else:
            assert not open_ids, f"calls without a result: {open_ids}"
            open_ids = [call["id"] for call in message.get("tool_calls") or []]
    assert not open_ids, f"calls without a result: {open_ids}"


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = seen.json()
    found = Heard(
        model=body["model"],
        is_stream=body.get("stream") is True,
        max_tokens=body.get("max_completion_tokens", body.get("max_tokens")),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        seed=body.get("seed"),
        thinks=body.get("reasoning_effort") not in (None, "none"),
    )
    stop = body.get("stop")
    found.stop = [stop] if isinstance(stop, str) else list(stop or [])
    found.tools = [tool["function"]["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    choice = body.get("tool_choice", "")
    found.choice = choice if isinstance(choice, str) else choice.get("function", {}).get("name", choice["type"])
    wanted = body.get("response_format") or {}
    found.schema = wanted.get("json_schema", {}).get("schema")
    for message in body["messages"]:
        _hear(message, found)
    return found


def _hear(message: dict[str, Any], found: Heard) -> None:
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    text = "\n".join(part["text"] for part in parts if part["type"] == "text")
    found.images += sum(part["type"] == "image_url" for part in parts)
    found.files += sum(part["type"] == "file" for part in parts)
    found.sounds += sum(part["type"] == "input_audio" for part in parts)
    role = message["role"]
    if role in ("system", "developer"):
        found.system = "\n".join(filter(None, [found.system, text]))
    elif role == "tool":
        found.results.append((message["tool_call_id"], text, "error" in text.lower()))
    elif text:
        found.turns.append((role, text))
    for call in message.get("tool_calls") or []:
        arguments = sorted_json(json.loads(call["function"]["arguments"]))
        found.calls.append((call["id"], call["function"]["name"], arguments))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "prompt_tokens": script.input_tokens,
        "completion_tokens": script.output_tokens,
        "total_tokens": script.input_tokens + script.output_tokens,
        "prompt_tokens_details": {"cached_tokens": script.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": script.thinking_tokens},
    }


def _reason(script: Script) -> str:
    return "tool_calls" if script.calls else "length" if script.is_cut_short else "stop"


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    message: dict[str, Any] = {"role": "assistant", "content": script.text or None, "refusal": None}
    if script.thought:
        message["reasoning_content"] = script.thought
    if script.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": sorted_json(call.arguments)},
            }
            for call in script.calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(script)}
    body = {"id": "chatcmpl-v1", "object": "chat.completion", "created": 1780000000, "model": model}
    return Answer(body=json.dumps(body | {"choices": [choice], "usage": _usage(script)}, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece."""
    head = {"id": "chatcmpl-v1", "object": "chat.completion.chunk", "created": 1780000000, "model": model}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        return event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    events = [chunk({"role": "assistant", "content": "", "refusal": None})]
    events += [chunk({"reasoning_content": piece}) for piece in Script(script.thought).pieces()]
    events += [chunk({"content": piece}) for piece in script.pieces()]
    for index, call in enumerate(script.calls):
        begin = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        events.append(chunk({"tool_calls": [begin]}))
        events += [
            chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for piece in Script(sorted_json(call.arguments)).pieces()
        ]
    events.append(chunk({}, _reason(script)))
    events.append(event({**head, "choices": [], "usage": _usage(script)}))
    return streamed(*events, b"data: [DONE]\n\n")
