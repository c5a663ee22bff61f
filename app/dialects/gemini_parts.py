"""Gemini's parts, read. Every name comes in two spellings, `inlineData` and `inline_data`, at times in one body.

What a part has beyond the shared form stands in its `extras`: the part's own fields under their names, those of the
object in it below that object's name. https://ai.google.dev/api/caching#Part
"""

from typing import Any, Final

import msgspec

from app.dialects.media import modality_of
from app.dialects.seal import unseal
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.message import Extras, Media, Message, Part, Raw, Reasoning, Role, Text, ToolCall, ToolResult

OWN: Final = "gemini"
CODE: Final = "code_execution"
"""What the shared form calls a program that the provider ran."""
REDACTED: Final = "+redacted"
"""Behind the dialect's name in a sealed proof: it stands for a thought that the provider keeps to itself."""
UNDER: Final = "under"
"""In a result's `extras`: the key that its text alone stood under, where it is not the usual one."""

_ANSWER_KEYS: Final = ("result", "output", "return_value", "content", "error")
_OUTCOME_OK: Final = ("OUTCOME_OK", 1, None)
_KEPT_BY_GOOGLE: Final = ("gs://", "https://generativelanguage.googleapis.com/")
_SIGNATURES: Final = ("thoughtSignature", "thought_signature")


def pick(value: dict[str, Any], camel: str, snake: str) -> Any:
    """Return a field in whichever spelling it has."""
    found = value.get(camel)
    return value.get(snake) if found is None else found


def camel_of(name: str) -> str:
    """Return a field's name in the spelling of JSON."""
    if "_" not in name:
        return name
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def camelled(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its own keys in the spelling of JSON."""
    return {camel_of(key): field for key, field in value.items()}


def left_of(value: dict[str, Any], *taken: str) -> Extras:
    """Return the fields that were not taken (named in the spelling of JSON) and are not null."""
    left = {key: field for key, field in value.items() if field is not None and camel_of(key) not in taken}
    return left or None


def message_of(content: object, role: Role | None = None) -> Message:
    """Return the message of a `content` (role and parts), a list of parts, a part or a text."""
    said = fields(content)
    is_content = "parts" in said or "role" in said
    parts = parts_of(said.get("parts") if is_content else content)
    extras = left_of(said, "role", "parts") if is_content and len(said) > 2 else None
    if role is None:
        role = "assistant" if said.get("role") == "model" else "system" if said.get("role") == "system" else "user"
        if role == "user" and any(isinstance(part, ToolResult) for part in parts):
            role = "tool"
    return Message(role, tuple(_whole_thoughts(parts) if role == "assistant" else parts), extras=extras)


def parts_of(listed: object) -> list[Part]:
    """Return the parts of a `parts` field, which may also be one part or a text."""
    if isinstance(listed, str):
        return [Text(listed)] if listed else []
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list):
        return []
    return [
        found for part in listed for found in ([part_of(part)] if isinstance(part, dict) else parts_of(part)) if part
    ]


def part_of(part: dict[str, Any]) -> Part:
    """Return what one part is, with the proof that stands on it."""
    text = part.get("text")
    signature = text_or_none(pick(part, *_SIGNATURES))
    if part.get("thought") is True:
        return _thought(part, text if isinstance(text, str) else "", signature)
    if isinstance(text, str):
        if signature is not None:
            signature, origin = unseal(signature, OWN)
            signature = signature if origin == OWN else None
        return Text(text, signature=signature, extras=_rest(part, "text") if len(part) > 1 else None)
    return _call(part, signature) or _result(part) or _media(part) or _code(part, signature) or _other(part, signature)


def is_kept_by_google(address: str) -> bool:
    """Whether only Google can read what stands there."""
    return address.startswith(_KEPT_BY_GOOGLE)


def _thought(part: dict[str, Any], text: str, signature: str | None) -> Part:
    if not all(camel_of(name) in ("text", "thought", "thoughtSignature") for name in part) and not text:
        return Raw(next(iter(part)), part)  # an image thought of, for one
    extras = left_of(part, "text", "thought", "thoughtSignature") if len(part) > 2 else None
    if signature is None:
        return Reasoning(text, extras=extras)
    signature, origin = unseal(signature, OWN)
    is_redacted = origin.endswith(REDACTED)
    return Reasoning(text, signature, is_redacted, origin.removesuffix(REDACTED), extras)


def _whole_thoughts(parts: list[Part]) -> list[Part]:
    """Join the pieces of another provider's thought with the proof that came after them."""
    whole: list[Part] = []
    for part in parts:
        if isinstance(part, Reasoning) and part.signature and part.origin != OWN and not part.is_redacted:
            text = part.text
            while whole and isinstance(last := whole[-1], Reasoning) and last.signature is None:
                text = last.text + text
                whole.pop()
            part = msgspec.structs.replace(part, text=text)
        whole.append(part)
    return whole


def _rest(part: dict[str, Any], inner: str, *taken: str) -> Extras:
    """Return a part's own fields beside the object in it, and that object's fields beside those taken."""
    rest = left_of(part, inner, "thoughtSignature")
    said = part.get(inner)
    if said is None:
        said = next((field for key, field in part.items() if camel_of(key) == inner), None)
    if isinstance(said, dict) and (left := left_of(said, *taken)):
        return {**(rest or {}), inner: left}
    return rest


def _call(part: dict[str, Any], signature: str | None) -> Part | None:
    call = pick(part, "functionCall", "function_call")
    if isinstance(call, dict):
        proof, origin = unseal(signature, OWN) if signature else (None, None)
        extras = None
        if len(part) > 1 + (signature is not None) or len(call) > 2 + ("id" in call):
            extras = _rest(part, "functionCall", "id", "name", "args")
        arguments = _args(call.get("args"))
        name = word(call.get("name")) or ""
        return ToolCall(word(call.get("id")), name, arguments, signature=proof, origin=origin, extras=extras)
    call = pick(part, "toolCall", "tool_call")
    if isinstance(call, dict):
        name = word(pick(call, "toolType", "tool_type")) or "tool"
        return _server_call(part, "toolCall", signature, name, call)
    return None


def _server_call(part: dict[str, Any], inner: str, signature: str | None, name: str, call: dict[str, Any]) -> ToolCall:
    taken = ("id", "language", "code") if inner == "executableCode" else ("id", "toolType", "args")
    extras = _rest(part, inner, *taken)
    if inner == "executableCode":
        arguments = json_text({key: call[key] for key in ("code", "language") if key in call})
    else:
        arguments = _args(call.get("args"))
    origin = OWN if signature else None
    return ToolCall(word(call.get("id")), name, arguments, True, signature=signature, origin=origin, extras=extras)


def _result(part: dict[str, Any]) -> Part | None:
    result = pick(part, "functionResponse", "function_response")
    if isinstance(result, dict):
        answer = result.get("response")
        extra = parts_of(result.get("parts")) if "parts" in result else ()
        is_error = isinstance(answer, dict) and bool(answer.get("error"))
        extras = _rest(part, "functionResponse", "id", "name", "response", "parts")
        call_id, name = word(result.get("id")), word(result.get("name"))
        return ToolResult(call_id, name, (*_answered(answer), *extra), is_error, extras=_under(answer, extras))
    result = pick(part, "toolResponse", "tool_response")
    if isinstance(result, dict):
        name = word(pick(result, "toolType", "tool_type"))
        answer = result.get("response")
        extras = _under(answer, _on_side(part, "toolResponse", "id", "toolType", "response"))
        return ToolResult(word(result.get("id")), name, _answered(answer), is_server_side=True, extras=extras)
    return None


def _media(part: dict[str, Any]) -> Part | None:
    inline = pick(part, "inlineData", "inline_data")
    if isinstance(inline, dict):
        media_type, data = text_or_none(pick(inline, "mimeType", "mime_type")), text_or_none(inline.get("data"))
        name = text_or_none(pick(inline, "displayName", "display_name"))
        if data is None:
            return None
        extras = _on_side(part, "inlineData", "mimeType", "data", "displayName")
        return Media(modality_of(media_type), media_type, data=data, name=name, extras=extras)
    stored = pick(part, "fileData", "file_data")
    url = text_or_none(pick(stored, "fileUri", "file_uri")) if isinstance(stored, dict) else None
    if url is None:
        return None
    media_type = text_or_none(pick(stored, "mimeType", "mime_type"))
    name = text_or_none(pick(stored, "displayName", "display_name"))
    extras = _on_side(part, "fileData", "mimeType", "fileUri", "displayName")
    if is_kept_by_google(url):
        return Media(modality_of(media_type), media_type, file_id=url, name=name, extras=extras)
    return Media(modality_of(media_type), media_type, url=url, name=name, extras=extras)


def _code(part: dict[str, Any], signature: str | None) -> Part | None:
    """A program that the model wrote and the provider ran, and what it printed."""
    program = pick(part, "executableCode", "executable_code")
    if isinstance(program, dict):
        return _server_call(part, "executableCode", signature, CODE, program)
    printed = pick(part, "codeExecutionResult", "code_execution_result")
    if isinstance(printed, dict):
        output, outcome = printed.get("output"), printed.get("outcome")
        is_error = outcome not in _OUTCOME_OK
        taken = ("id", "output") + (("outcome",) if outcome in ("OUTCOME_OK", "OUTCOME_FAILED") else ())
        said = (Text(output),) if isinstance(output, str) else ()
        extras = _on_side(part, "codeExecutionResult", *taken)
        return ToolResult(word(printed.get("id")), CODE, said, is_error, True, extras=extras)
    return None


def _other(part: dict[str, Any], signature: str | None) -> Part:
    """A proof alone, or what we have no word for."""
    if signature is not None and len(part) == 1:
        return Text("", signature=signature)
    return Raw(next(iter(part), ""), part)


def _on_side(part: dict[str, Any], inner: str, *taken: str) -> Extras:
    """Return the extras of a part that has no field for a proof: that is among them."""
    extras = _rest(part, inner, *taken)
    signature = pick(part, *_SIGNATURES)
    return {**(extras or {}), "thoughtSignature": signature} if signature else extras


def _args(args: object) -> str:
    return "{}" if args is None else json_text(args)


def _answered(answer: object) -> tuple[Part, ...]:
    """Return a tool's answer; what stands alone under a usual key is the answer itself."""
    if answer is None:
        return ()
    key = _alone(answer)
    if key is not None and isinstance(answer, dict):
        return (Text(answer[key]),)
    return (Text(answer if isinstance(answer, str) else json_text(answer)),)


def _under(answer: object, extras: Extras) -> Extras:
    """Add the key that a text alone stood under, where writing it again would find another."""
    key = _alone(answer)
    if key is None or not isinstance(answer, dict):
        return extras
    usual = "error" if answer.get("error") else "result"
    is_plain = key == usual and answer[key][:1] != "{"
    return extras if is_plain else {**(extras or {}), UNDER: key}


def _alone(answer: object) -> str | None:
    if isinstance(answer, dict) and len(answer) == 1:
        key, only = next(iter(answer.items()))
        if key in _ANSWER_KEYS and isinstance(only, str):
            return str(key)
    return None


def first_of(listed: object) -> list[dict[str, Any]]:
    """Return the objects of a list; an object stands for a list of one."""
    return [listed] if isinstance(listed, dict) else entries(listed)
