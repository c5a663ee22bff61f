"""Single parts out of the shared form, for requests and answers alike; in Gemini's own words where they came from it.

https://ai.google.dev/api/caching#Part
"""

from typing import Any, Final

from app.dialects.gemini_parts import CODE, REDACTED, UNDER
from app.dialects.seal import seal
from app.dialects.wire import UNREADABLE, decode_any
from app.models.message import Extras, Media, Raw, Reasoning, Text, ToolCall, ToolResult

Block = dict[str, Any]

RAW: Final = "_raw"
"""Under which arguments stand that are no object."""
_NOTES: Final = (UNDER,)


def arguments_of(text: str, *, is_custom: bool = False) -> Block:
    """Return a call's arguments as an object; what is none stands under `_raw`, free text under `input`."""
    if is_custom:
        return {"input": text}
    if not text.strip():
        return {}
    try:
        value = decode_any(text.encode("utf-8", "surrogatepass"))
    except UNREADABLE:
        return {RAW: text}
    return value if isinstance(value, dict) else {RAW: text}


def answer_of(text: str, *, is_error: bool = False, under: str | None = None) -> Block:
    """Return a tool's answer as an object: itself, or under `result` or `error`."""
    if under is not None:
        return {under: text}
    if text.lstrip()[:1] == "{":
        try:
            value = decode_any(text.encode("utf-8", "surrogatepass"))
        except UNREADABLE:
            value = None
        if isinstance(value, dict) and (not is_error or value.get("error")):
            return value
    return {"error" if is_error else "result": text}


def with_extras(block: Block, extras: Extras) -> Block:
    """Return a part with what its dialect has beside; objects are put together."""
    for name, value in (extras or {}).items():
        if name in _NOTES:
            continue
        inner = block.get(name)
        block[name] = {**inner, **value} if isinstance(inner, dict) and isinstance(value, dict) else value
    return block


def own_text(part: Text) -> Block:
    """Return a text read from Gemini."""
    block: Block = {"text": part.text}
    if part.signature:
        block["thoughtSignature"] = part.signature
    return with_extras(block, part.extras)


def thought_of(part: Reasoning, origin: str) -> Block:
    """Return a thought; another provider's proof is sealed."""
    block: Block = {"text": part.text} if part.text or not part.signature else {}
    block["thought"] = True
    if part.signature:
        block["thoughtSignature"] = sealed(part.signature, origin, is_redacted=part.is_redacted)
    return block


def sealed(signature: str, origin: str, *, is_redacted: bool = False) -> str:
    """Return a proof as a client of Gemini's may hold it: base64 in any case."""
    return seal(signature, origin + REDACTED if is_redacted else origin, "gemini")


def own_call(call: ToolCall) -> Block:
    """Return a call read from Gemini: of a function, or one that Google ran."""
    if not call.is_server_side:
        block: Block = {"functionCall": _identified(call.id, name=call.name, args=arguments_of(call.arguments))}
    elif call.name == CODE:
        block = {"executableCode": _identified(call.id, **arguments_of(call.arguments))}
    else:
        block = {"toolCall": _identified(call.id, toolType=call.name, args=arguments_of(call.arguments))}
    if call.signature:
        block["thoughtSignature"] = call.signature
    return with_extras(block, call.extras)


def own_result(result: ToolResult) -> Block:
    """Return a result read from Gemini."""
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    if result.is_server_side and result.name == CODE:
        outcome = "OUTCOME_FAILED" if result.is_error else "OUTCOME_OK"
        printed = _identified(result.id, outcome=outcome)
        if texts:
            printed["output"] = "".join(texts)
        return with_extras({"codeExecutionResult": printed}, result.extras)
    under = (result.extras or {}).get(UNDER)
    key = under if isinstance(under, str) else None
    told = _identified(result.id)
    if texts:
        told["response"] = answer_of(texts[0], is_error=result.is_error, under=key)
    if result.is_server_side:
        return with_extras({"toolResponse": {**told, "toolType": result.name}}, result.extras)
    told["name"] = result.name
    media = [own_media(part) for part in result.parts if isinstance(part, Media)]
    media += [part.value for part in result.parts if isinstance(part, Raw) and isinstance(part.value, dict)]
    media += [own_text(part) for part in result.parts[1:] if isinstance(part, Text)]
    if media:
        told["parts"] = media
    return with_extras({"functionResponse": told}, result.extras)


def own_media(media: Media) -> Block:
    """Return media read from Gemini."""
    said: Block = {} if media.media_type is None else {"mimeType": media.media_type}
    if media.name is not None:
        said["displayName"] = media.name
    if media.data is not None:
        return with_extras({"inlineData": {**said, "data": media.data}}, media.extras)
    return with_extras({"fileData": {**said, "fileUri": media.url or media.file_id}}, media.extras)


def own_part(part: object) -> Block:
    """Return any part read from Gemini."""
    if isinstance(part, Text):
        return own_text(part)
    if isinstance(part, Reasoning):
        return with_extras(thought_of(part, part.origin or "gemini"), part.extras)
    if isinstance(part, ToolCall):
        return own_call(part)
    if isinstance(part, ToolResult):
        return own_result(part)
    if isinstance(part, Media):
        return own_media(part)
    if isinstance(part, Raw) and isinstance(part.value, dict):
        return part.value
    return {"text": getattr(part, "text", "")}


def _identified(call_id: str | None, **fields: object) -> Block:
    return fields if call_id is None else {"id": call_id, **fields}
