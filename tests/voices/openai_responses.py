"""A provider that speaks OpenAI's Responses."""

import json
from typing import Any

from fake_upstream import Answer, Seen
from fake_upstream import stream as streamed
from openai.types.responses import response_create_params
from pydantic import TypeAdapter
from voices.script import Heard, Script, event, must_fit, sorted_json

PATH = "/responses"
PROOF_ORIGIN = "openai_responses"
_REQUEST = TypeAdapter(response_create_params.ResponseCreateParamsNonStreaming)
_KNOWN = set(response_create_params.ResponseCreateParamsBase.__annotations__) | {"stream"}


def check(seen: Seen) -> None:
    """Fail where OpenAI would refuse the request."""
    body = seen.json()
    assert seen.path.endswith("/v1/responses"), seen.path
    assert not set(body) - _KNOWN, f"unknown fields {set(body) - _KNOWN}"
    items = body["input"] if isinstance(body["input"], list) else []
    # the API takes thoughts without an id, its SDK's type does not say so
    named = [{"id": "rs_1", **item} if item.get("type") == "reasoning" else item for item in items]
    must_fit(_REQUEST, {**body, "input": named or body["input"], "stream": False})
    called = [item["call_id"] for item in items if item.get("type") == "function_call"]
    answered = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert sorted(called) == sorted(answered), f"{answered} answer {called}"


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = seen.json()
    wanted = (body.get("text") or {}).get("format") or {}
    found = Heard(
        model=body["model"],
        is_stream=body.get("stream") is True,
        system=body.get("instructions") or "",
        max_tokens=body.get("max_output_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        schema=wanted.get("schema"),
        thinks=(body.get("reasoning") or {}).get("effort") not in (None, "none"),
    )
    found.tools = [tool["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    choice = body.get("tool_choice", "")
    found.choice = choice if isinstance(choice, str) else choice.get("name", choice["type"])
    items = body["input"]
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        _hear(item, found)
    return found


def _hear(item: dict[str, Any], found: Heard) -> None:
    kind = item.get("type", "message")
    if kind == "function_call":
        found.calls.append((item["call_id"], item["name"], sorted_json(json.loads(item["arguments"]))))
    elif kind == "function_call_output":
        output = item["output"]
        parts = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
        text = "\n".join(part["text"] for part in parts if part["type"] == "input_text")
        found.images += sum(part["type"] == "input_image" for part in parts)
        found.results.append((item["call_id"], text, "error" in text.lower()))
    elif kind == "reasoning":
        found.proofs.append(item["encrypted_content"])
    elif kind == "message":
        content = item["content"]
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        text = "\n".join(part["text"] for part in parts if part["type"] in ("input_text", "output_text"))
        found.images += sum(part["type"] == "input_image" for part in parts)
        found.files += sum(part["type"] == "input_file" for part in parts)
        if item["role"] in ("system", "developer"):
            found.system = "\n".join(filter(None, [found.system, text]))
        elif text:
            found.turns.append((item["role"], text))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "input_tokens": script.input_tokens,
        "input_tokens_details": {"cached_tokens": script.cached_tokens},
        "output_tokens": script.output_tokens,
        "output_tokens_details": {"reasoning_tokens": script.thinking_tokens},
        "total_tokens": script.input_tokens + script.output_tokens,
    }


def _items(script: Script) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if script.thought:
        summary = [{"type": "summary_text", "text": script.thought}]
        items.append({"id": "rs_v1", "type": "reasoning", "summary": summary, "encrypted_content": script.proof})
    if script.text:
        content = [{"type": "output_text", "text": script.text, "annotations": [], "logprobs": []}]
        message = {"id": "msg_v1", "type": "message", "status": "completed", "role": "assistant", "content": content}
        items.append(message)
    items += [
        {
            "id": f"fc_{index}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": sorted_json(call.arguments),
        }
        for index, call in enumerate(script.calls)
    ]
    return items


def _response(script: Script, model: str, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    is_over = status != "in_progress"
    return {
        "id": "resp_v1",
        "object": "response",
        "created_at": 1780000000,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "model": model,
        "output": items,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": _usage(script) if is_over else None,
        "metadata": {},
    }


def _status(script: Script) -> str:
    return "incomplete" if script.is_cut_short else "completed"


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    body = _response(script, model, _status(script), _items(script))
    return Answer(body=json.dumps(body, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response(script, model, "in_progress", [])},
        {"type": "response.in_progress", "response": _response(script, model, "in_progress", [])},
    ]
    for index, item in enumerate(_items(script)):
        events += _item_events(index, item)
    status = _status(script)
    events.append({"type": f"response.{status}", "response": _response(script, model, status, _items(script))})
    numbered = [{**one, "sequence_number": number} for number, one in enumerate(events)]
    return streamed(*(event(one, str(one["type"])) for one in numbered))


def _item_events(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    place = {"output_index": index, "item_id": item["id"]}
    kind = item["type"]
    if kind == "function_call":
        empty = {**item, "arguments": "", "status": "in_progress"}
        inner = [
            {"type": "response.function_call_arguments.delta", **place, "delta": piece}
            for piece in Script(item["arguments"]).pieces()
        ]
        inner.append({"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]})
    elif kind == "reasoning":
        text = item["summary"][0]["text"]
        at = {**place, "summary_index": 0}
        part = {"type": "summary_text", "text": ""}
        empty = {**item, "summary": [], "encrypted_content": ""}
        inner = [
            {"type": "response.reasoning_summary_part.added", **at, "part": part},
            *(
                {"type": "response.reasoning_summary_text.delta", **at, "delta": piece}
                for piece in Script(text).pieces()
            ),
            {"type": "response.reasoning_summary_text.done", **at, "text": text},
            {"type": "response.reasoning_summary_part.done", **at, "part": part | {"text": text}},
        ]
    else:
        said = item["content"][0]
        at = {**place, "content_index": 0}
        empty = {**item, "content": [], "status": "in_progress"}
        inner = [
            {"type": "response.content_part.added", **at, "part": {**said, "text": ""}},
            *(
                {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
                for piece in Script(said["text"]).pieces()
            ),
            {"type": "response.output_text.done", **at, "text": said["text"], "logprobs": []},
            {"type": "response.content_part.done", **at, "part": said},
        ]
    return [
        {"type": "response.output_item.added", "output_index": index, "item": empty},
        *inner,
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]
