"""Gemini's parts. Every name comes in two spellings, `inlineData` and `inline_data`, at times in one body."""

from typing import Any, Final

from app.dialects.media import modality_of
from app.dialects.wire import fields, json_text, text_or_none, word
from app.models.message import Media, Message, Part, Raw, Reasoning, Role, Text, ToolCall, ToolResult

_ANSWER_KEYS: Final = ("result", "output", "return_value", "content", "error")
_OUTCOME_OK: Final = ("OUTCOME_OK", 1, None)


def pick(value: dict[str, Any], camel: str, snake: str) -> Any:
    """Return a field in whichever spelling it has."""
    found = value.get(camel)
    return value.get(snake) if found is None else found


def message_of(content: object, role: Role | None = None) -> Message:
    """Return the message of a `content` (role and parts), a list of parts, a part or a text."""
    said = fields(content)
    parts = parts_of(said.get("parts", content))
    if role is None:
        role = "assistant" if said.get("role") == "model" else "system" if said.get("role") == "system" else "user"
        if role == "user" and any(isinstance(part, ToolResult) for part in parts):
            role = "tool"
    return Message(role, tuple(parts))


def parts_of(listed: object) -> list[Part]:
    """Return the parts of a `parts` field, which may also be one part or a text."""
    if isinstance(listed, str):
        return [Text(listed)] if listed else []
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list):
        return []
    return [found for part in listed for found in (part_of(part) if isinstance(part, dict) else parts_of(part))]


def part_of(part: dict[str, Any]) -> list[Part]:
    """Return what one part is; its thought signature follows as a reasoning of its own, without text."""
    text = part.get("text")
    signature = text_or_none(pick(part, "thoughtSignature", "thought_signature"))
    if part.get("thought") is True:
        return [Reasoning(text if isinstance(text, str) else "", signature)]
    found: list[Part]
    if isinstance(text, str):
        found = [Text(text)] if text else []
    else:
        found = _call(part) or _result(part) or _media(part) or _code(part)
        if not found and not signature:
            return [Raw(next(iter(part), ""), part)] if part else []
    return [*found, Reasoning("", signature)] if signature else found


def joined(parts: list[Part]) -> tuple[Part, ...]:
    """Return the parts of a stream's chunks with the pieces of one text, or of one thought, put together."""
    whole: list[Part] = []
    for part in parts:
        last = whole[-1] if whole else None
        if isinstance(part, Text) and isinstance(last, Text):
            whole[-1] = Text(last.text + part.text)
        elif isinstance(part, Reasoning) and isinstance(last, Reasoning) and not last.signature and part.text:
            whole[-1] = Reasoning(last.text + part.text, part.signature)
        else:
            whole.append(part)
    return tuple(whole)


def _call(part: dict[str, Any]) -> list[Part]:
    call = pick(part, "functionCall", "function_call")
    if isinstance(call, dict):
        return [ToolCall(word(call.get("id")), word(call.get("name")) or "", _args(call.get("args")))]
    call = pick(part, "toolCall", "tool_call")
    if isinstance(call, dict):
        name = word(pick(call, "toolType", "tool_type")) or word(call.get("name")) or "tool"
        return [ToolCall(word(call.get("id")), name, _args(call.get("args")), is_server_side=True)]
    return []


def _result(part: dict[str, Any]) -> list[Part]:
    result = pick(part, "functionResponse", "function_response")
    if isinstance(result, dict):
        answer = result.get("response")
        said: list[Part] = [Text(_answer_text(answer))] if answer is not None else []
        is_error = isinstance(answer, dict) and bool(answer.get("error"))
        extra = parts_of(result.get("parts"))
        return [ToolResult(word(result.get("id")), word(result.get("name")), (*said, *extra), is_error)]
    result = pick(part, "toolResponse", "tool_response")
    if isinstance(result, dict):
        name = word(pick(result, "toolType", "tool_type")) or word(result.get("name"))
        return [ToolResult(word(result.get("id")), name, (Text(_answer_text(result.get("response"))),))]
    return []


def _media(part: dict[str, Any]) -> list[Part]:
    inline = pick(part, "inlineData", "inline_data")
    if isinstance(inline, dict):
        media_type, data = text_or_none(pick(inline, "mimeType", "mime_type")), text_or_none(inline.get("data"))
        name = text_or_none(pick(inline, "displayName", "display_name"))
        return [Media(modality_of(media_type), media_type, data=data, name=name)] if data else []
    stored = pick(part, "fileData", "file_data")
    if isinstance(stored, dict):
        media_type = text_or_none(pick(stored, "mimeType", "mime_type"))
        url = text_or_none(pick(stored, "fileUri", "file_uri"))
        return [Media(modality_of(media_type), media_type, url=url)] if url else []
    return []


def _code(part: dict[str, Any]) -> list[Part]:
    """A program that the model wrote and the provider ran, and what it printed."""
    program = pick(part, "executableCode", "executable_code")
    if isinstance(program, dict):
        arguments = {"code": program.get("code"), "language": program.get("language")}
        return [ToolCall(word(program.get("id")), "code_execution", json_text(arguments), is_server_side=True)]
    printed = pick(part, "codeExecutionResult", "code_execution_result")
    if isinstance(printed, dict):
        output = text_or_none(printed.get("output"))
        is_error = printed.get("outcome") not in _OUTCOME_OK
        said = (Text(output),) if output else ()
        return [ToolResult(word(printed.get("id")), "code_execution", said, is_error)]
    return []


def _args(args: object) -> str:
    return "{}" if args is None else json_text(args)


def _answer_text(answer: object) -> str:
    """Return a tool's answer; what stands alone under a usual key is the answer itself."""
    if isinstance(answer, dict) and len(answer) == 1:
        key, only = next(iter(answer.items()))
        if key in _ANSWER_KEYS and isinstance(only, str):
            return only
    return answer if isinstance(answer, str) else json_text(answer)
