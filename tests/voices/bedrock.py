"""A provider that speaks Bedrock's Converse."""

import base64
import binascii
import itertools
import json
import re
import struct
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator
from fake_upstream import Answer, Seen
from voices.script import Heard, Script, sorted_json

PATH = "/converse"
PROOF_ORIGIN = "bedrock"
_PATH = re.compile(r"/model/(?P<model>[^/]+)/converse(?P<stream>-stream)?")


@cache
def _shape() -> Shape:
    described = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(described).operation_model("Converse").input_shape  # type: ignore[return-value]


def check(seen: Seen) -> None:
    """Fail where Bedrock would refuse the request."""
    match = _PATH.fullmatch(seen.path)
    assert match, seen.path
    body = {**seen.json(), "modelId": unquote(match["model"])}
    report = ParamValidator().validate(_with_bytes(body), _shape())
    assert not report.has_errors(), report.generate_report()
    _check_turns(body["messages"])


def _with_bytes(value: Any) -> Any:
    """The blobs as bytes, as botocore has them."""
    if isinstance(value, dict):
        return {
            key: base64.b64decode(inner) if key in ("bytes", "redactedContent") else _with_bytes(inner)
            for key, inner in value.items()
        }
    return [_with_bytes(inner) for inner in value] if isinstance(value, list) else value


def _check_turns(messages: list[dict[str, Any]]) -> None:
    roles = [message["role"] for message in messages]
    assert roles[0] == "user"
    assert all(one != other for one, other in itertools.pairwise(roles)), roles
    open_ids: list[str] = []
    for message in messages:
        assert message["content"], "an empty message"
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        assert sorted(results) == sorted(open_ids), f"{results} answer {open_ids}"
        open_ids = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
    assert not open_ids


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = seen.json()
    match = _PATH.fullmatch(seen.path)
    assert match
    config = body.get("inferenceConfig") or {}
    thinking = (body.get("additionalModelRequestFields") or {}).get("thinking") or {}
    found = Heard(
        model=unquote(match["model"]),
        is_stream=match["stream"] is not None,
        max_tokens=config.get("maxTokens"),
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        stop=list(config.get("stopSequences") or []),
        thinks=thinking.get("type") in ("enabled", "adaptive"),
        cache_marks=json.dumps(body).count('"cachePoint"'),
    )
    wanted = (body.get("outputConfig") or {}).get("textFormat") or {}
    if wanted:
        found.schema = json.loads(wanted["structure"]["jsonSchema"]["schema"])
    tools = body.get("toolConfig") or {}
    found.tools = [tool["toolSpec"]["name"] for tool in tools.get("tools") or [] if "toolSpec" in tool]
    choice = tools.get("toolChoice") or {}
    found.choice = (
        choice["tool"]["name"]
        if "tool" in choice
        else {"any": "required"}.get(next(iter(choice), ""), next(iter(choice), ""))
    )
    found.system = "\n".join(block["text"] for block in body.get("system") or [] if "text" in block)
    for message in body["messages"]:
        _hear(message["role"], message["content"], found)
    return found


def _hear(role: str, blocks: list[dict[str, Any]], found: Heard) -> None:
    text = "\n".join(block["text"] for block in blocks if "text" in block)
    for block in blocks:
        found.images += "image" in block
        found.files += "document" in block
        if "toolUse" in block:
            call = block["toolUse"]
            found.calls.append((call["toolUseId"], call["name"], sorted_json(call["input"])))
        elif "toolResult" in block:
            result = block["toolResult"]
            said = "\n".join(
                part["text"] if "text" in part else sorted_json(part["json"])
                for part in result["content"]
                if "text" in part or "json" in part
            )
            found.images += sum("image" in part for part in result["content"])
            found.results.append((result["toolUseId"], said, result.get("status") == "error"))
        elif "reasoningContent" in block:
            thought = block["reasoningContent"].get("reasoningText") or {}
            found.proofs.append(thought.get("signature") or block["reasoningContent"].get("redactedContent") or "")
    if text:
        found.turns.append((role, text))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "inputTokens": script.input_tokens - script.cached_tokens,
        "outputTokens": script.output_tokens,
        "totalTokens": script.input_tokens + script.output_tokens,
        "cacheReadInputTokens": script.cached_tokens,
        "cacheWriteInputTokens": 0,
    }


def _reason(script: Script) -> str:
    return "tool_use" if script.calls else "max_tokens" if script.is_cut_short else "end_turn"


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    content: list[dict[str, Any]] = []
    if script.thought:
        thought = {"text": script.thought, "signature": script.proof}
        content.append({"reasoningContent": {"reasoningText": thought}})
    if script.text:
        content.append({"text": script.text})
    content += [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}} for call in script.calls
    ]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _reason(script),
        "usage": _usage(script),
        "metrics": {"latencyMs": 100},
    }
    return Answer(body=json.dumps(body, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece, in AWS's frames."""
    events: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    index = 0

    def block(deltas: list[dict[str, Any]], start: dict[str, Any] | None = None) -> None:
        nonlocal index
        if start is not None:
            events.append(("contentBlockStart", {"start": start, "contentBlockIndex": index}))
        events.extend(("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}) for delta in deltas)
        events.append(("contentBlockStop", {"contentBlockIndex": index}))
        index += 1

    if script.thought:
        thoughts = [{"reasoningContent": {"text": piece}} for piece in Script(script.thought).pieces()]
        block([*thoughts, {"reasoningContent": {"signature": script.proof}}])
    if script.text:
        block([{"text": piece} for piece in script.pieces()])
    for call in script.calls:
        pieces = Script(sorted_json(call.arguments)).pieces()
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        block([{"toolUse": {"input": piece}} for piece in pieces], start)
    events.append(("messageStop", {"stopReason": _reason(script)}))
    events.append(("metadata", {"usage": _usage(script), "metrics": {"latencyMs": 100}}))
    headers = [("content-type", "application/vnd.amazon.eventstream")]
    return Answer(pieces=[frame(name, value) for name, value in events], headers=headers, framing="chunked")


def frame(name: str, value: dict[str, Any], *, kind: str = "event") -> bytes:
    """One message of AWS's event stream; `kind` may be `exception`."""
    headers = b"".join(
        struct.pack(">B", len(key)) + key + b"\x07" + struct.pack(">H", len(said)) + said
        for key, said in (
            (f":{kind}-type".encode(), name.encode()),
            (b":content-type", b"application/json"),
            (b":message-type", kind.encode()),
        )
    )
    payload = json.dumps(value, ensure_ascii=False).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack(">I", binascii.crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))
