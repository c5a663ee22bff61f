"""A provider that speaks Gemini's generateContent."""

import json
import re
from typing import Any
from urllib.parse import unquote

from fake_upstream import Answer, Seen
from fake_upstream import stream as streamed
from google.genai import types
from pydantic import TypeAdapter
from voices.script import Heard, Script, event, sorted_json

PATH = "enerateContent"
PROOF_ORIGIN = "gemini"
_PATH = re.compile(
    r"/v1(?:beta|alpha)?/models/(?P<model>[^:]+):(?P<verb>generateContent|streamGenerateContent)(?:\?alt=sse)?"
)
_KNOWN = {
    "contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "safetySettings", "cachedContent",
    "labels",
}  # fmt: skip
_CONTENTS = TypeAdapter(list[types.Content])
_TOOLS = TypeAdapter(list[types.Tool])


def check(seen: Seen) -> None:
    """Fail where Gemini would refuse the request."""
    body = seen.json()
    match = _PATH.fullmatch(seen.path)
    assert match, seen.path
    assert (match["verb"] == "streamGenerateContent") == seen.path.endswith("?alt=sse")
    assert not set(body) - _KNOWN, f"unknown fields {set(body) - _KNOWN}"
    contents = _CONTENTS.validate_python(body["contents"])
    _TOOLS.validate_python(body.get("tools") or [])
    types.GenerationConfig.model_validate(body.get("generationConfig") or {})
    types.ToolConfig.model_validate(body.get("toolConfig") or {})
    if body.get("systemInstruction"):
        types.Content.model_validate(body["systemInstruction"])
    _check_turns(contents)


def _check_turns(contents: list[types.Content]) -> None:
    n_open = 0
    for content in contents:
        assert content.role in ("user", "model"), content.role
        assert content.parts, "an empty content"
        n_results = sum(part.function_response is not None for part in content.parts)
        assert n_results == n_open, f"{n_results} results for {n_open} calls"
        n_open = sum(part.function_call is not None for part in content.parts)
        assert all(part.function_response.name for part in content.parts if part.function_response)
    assert not n_open, "calls without a result"
    assert contents[0].role == "user"


def _camel(value: Any) -> Any:
    """Keys in one spelling: Google's own SDK mixes two. What a tool says and is told stays as it is."""
    if isinstance(value, list):
        return [_camel(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {_word(key): inner if key in ("args", "response") else _camel(inner) for key, inner in value.items()}


def _word(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(map(str.capitalize, rest))


def heard(seen: Seen) -> Heard:
    """What the request asks."""
    body = _camel(seen.json())
    match = _PATH.fullmatch(seen.path)
    assert match
    config = body.get("generationConfig") or {}
    thinking = config.get("thinkingConfig") or {}
    found = Heard(
        model=unquote(match["model"]),
        is_stream="stream" in match["verb"],
        max_tokens=config.get("maxOutputTokens"),
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        stop=list(config.get("stopSequences") or []),
        seed=config.get("seed"),
        schema=config.get("responseJsonSchema", config.get("responseSchema")),
        thinks=bool(thinking.get("thinkingBudget") or thinking.get("thinkingLevel")),
    )
    for tool in body.get("tools") or []:
        found.tools += [declared["name"] for declared in tool.get("functionDeclarations") or []]
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    named = calling.get("allowedFunctionNames") or []
    mode = {"AUTO": "auto", "NONE": "none", "ANY": "required"}.get(calling.get("mode", ""), "")
    found.choice = named[0] if len(named) == 1 and mode == "required" else mode
    system = (body.get("systemInstruction") or {}).get("parts") or []
    found.system = "\n".join(part["text"] for part in system)
    for content in body["contents"]:
        _hear(content, found)
    return found


def _hear(content: dict[str, Any], found: Heard) -> None:
    texts = []
    for part in content["parts"]:
        if part.get("thoughtSignature"):
            found.proofs.append(part["thoughtSignature"])
        if "functionCall" in part:
            call = part["functionCall"]
            found.calls.append((call.get("id") or "", call["name"], sorted_json(call.get("args") or {})))
        elif "functionResponse" in part:
            result = part["functionResponse"]
            said = result["response"]
            text = said.get("result", said.get("output", said.get("error", said)))
            is_error = "error" in said
            found.images += sum("inlineData" in inner for inner in result.get("parts") or [])
            found.results.append((result["name"], text if isinstance(text, str) else sorted_json(text), is_error))
        elif "inlineData" in part or "fileData" in part:
            kind = (part.get("inlineData") or part.get("fileData"))["mimeType"].partition("/")[0]
            found.images += kind == "image"
            found.sounds += kind == "audio"
            found.files += kind == "application"
        elif part.get("text") and not part.get("thought"):
            texts.append(part["text"])
    if texts:
        found.turns.append(("assistant" if content["role"] == "model" else "user", "\n".join(texts)))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "promptTokenCount": script.input_tokens,
        "cachedContentTokenCount": script.cached_tokens,
        "candidatesTokenCount": script.output_tokens - script.thinking_tokens,
        "thoughtsTokenCount": script.thinking_tokens,
        "totalTokenCount": script.input_tokens + script.output_tokens,
    }


def _parts(script: Script) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if script.thought:
        parts.append({"text": script.thought, "thought": True})
    if script.text:
        parts.append({"text": script.text})
    for index, call in enumerate(script.calls):
        part: dict[str, Any] = {"functionCall": {"name": call.name, "args": call.arguments}}
        if script.proof and index == 0:
            part["thoughtSignature"] = script.proof
        parts.append(part)
    return parts


def _answer(parts: list[dict[str, Any]], script: Script, model: str, *, is_last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if is_last:
        candidate["finishReason"] = "MAX_TOKENS" if script.is_cut_short else "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(script),
        "modelVersion": model,
        "responseId": "gem-v1",
    }


def whole(script: Script, model: str) -> Answer:
    """Say it in one."""
    body = _answer(_parts(script), script, model, is_last=True)
    return Answer(body=json.dumps(body, ensure_ascii=False).encode())


def stream(script: Script, model: str) -> Answer:
    """Say it piece by piece: texts in pieces, calls whole."""
    pieces: list[dict[str, Any]] = []
    for part in _parts(script):
        if "text" in part:
            pieces += [{**part, "text": piece} for piece in Script(part["text"]).pieces()]
        else:
            pieces.append(part)
    last = len(pieces) - 1
    events = [
        event(_answer([part], script, model, is_last=place == last), end="\r\n") for place, part in enumerate(pieces)
    ]
    return streamed(*events)
