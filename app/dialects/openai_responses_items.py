"""The items of OpenAI's responses: what goes in and what comes out are spelled alike.

Items of one assistant turn (reasoning, message, calls) belong together; `is_answer` tells which do.
"""

from collections.abc import Callable
from typing import Any, Final

from app.dialects.media import from_data_uri
from app.dialects.openai_chat_parts import ROLES
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.message import Media, Message, Part, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult

Item = dict[str, Any]


def is_answer(kind: object, role: object, execution: object) -> bool:
    """Return whether an item belongs to an assistant's turn, by its `type`, `role` and `execution`."""
    if kind is None or kind == "message":
        return role == "assistant"
    if kind == "tool_search_output":
        return execution != "client"
    return role is None and not str(kind).endswith(("_output", "_response"))


def message_of(items: list[Item]) -> Message:
    """Return the message of a run of items as `is_answer` joins them, or of a single one."""
    first = items[0] if items else {}
    if is_answer(first.get("type"), first.get("role"), first.get("execution")):
        return Message("assistant", tuple(part for item in items for part in parts_of(item)))
    kind, role = first.get("type"), first.get("role")
    if kind is None or kind == "message":
        return Message(ROLES.get(role, "user") if isinstance(role, str) else "user", tuple(_message(first)))
    if str(kind).endswith("_output"):
        return Message("tool", tuple(parts_of(first)))
    return Message("developer" if role == "developer" else "user", tuple(parts_of(first)))


def parts_of(item: Item) -> list[Part]:
    """Return what one item says: one part, or a call that the provider ran with its result."""
    kind = item.get("type") or "message"
    read = _READ.get(kind) if isinstance(kind, str) else None
    if read is not None:
        return read(item)
    if isinstance(kind, str) and kind.endswith("_output"):
        return [_output(item)]
    return [Raw(word(kind) or "", item)]


def content_parts(content: object) -> list[Part]:
    """Return the parts of a `content` or `output` field: null, a text, an object or a list."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    listed = content if isinstance(content, list) else [content]
    parts: list[Part] = []
    for entry in listed:
        if isinstance(entry, dict):
            parts.append(_part(entry))
        elif isinstance(entry, str):
            parts.append(Text(entry))
        elif entry is not None:
            parts.append(Raw("", entry))
    return [part for part in parts if part != Text("")]


def _part(entry: Item) -> Part:
    kind = entry.get("type")
    if kind in ("input_text", "output_text", "text", "summary_text") and isinstance(entry.get("text"), str):
        return Text(entry["text"])
    if kind == "refusal" and isinstance(entry.get("refusal"), str):
        return Refusal(entry["refusal"])
    if kind == "reasoning_text" and isinstance(entry.get("text"), str):
        return Reasoning(entry["text"])
    return _media(kind, entry) or Raw(word(kind) or "", entry)


def _media(kind: object, entry: Item) -> Media | None:
    if kind in ("input_image", "computer_screenshot"):
        return _stored("image", entry, text_or_none(entry.get("image_url")))
    if kind == "input_file":
        return _stored("file", entry, text_or_none(entry.get("file_data")))
    if kind == "input_audio":
        sound = fields(entry.get("input_audio"))
        data, form = text_or_none(sound.get("data")), text_or_none(sound.get("format"))
        return Media("audio", f"audio/{form}" if form else None, data=data) if data else None
    return None


def _stored(modality: Any, entry: Item, address: str | None) -> Media | None:
    name, url = text_or_none(entry.get("filename")), text_or_none(entry.get("file_url"))
    if address:
        return from_data_uri(modality, address, name=name)
    if url:
        return Media(modality, url=url, name=name)
    file_id = text_or_none(entry.get("file_id"))
    return Media(modality, file_id=file_id, name=name) if file_id else None


def _message(item: Item) -> list[Part]:
    return content_parts(item.get("content"))


def _reasoning(item: Item) -> list[Part]:
    thought = [text_or_none(entry.get("text")) for entry in entries(item.get("content"))]
    summary = [text_or_none(entry.get("text")) for entry in entries(item.get("summary"))]
    text = "\n\n".join(filter(None, thought)) or "\n\n".join(filter(None, summary))
    return [Reasoning(text, text_or_none(item.get("encrypted_content")))]


def _function_call(item: Item) -> list[Part]:
    arguments = item.get("arguments", item.get("input"))
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json_text(arguments)
    return [ToolCall(_call_id(item), word(item.get("name")) or "", arguments)]


def _client_call(item: Item) -> list[Part]:
    """A call that the client runs: computer, shell, patch."""
    asked = item.get("action") or item.get("operation") or item.get("actions")
    return [ToolCall(_call_id(item), str(item["type"]).removesuffix("_call"), json_text(asked))]


def _tool_search(item: Item) -> list[Part]:
    is_server_side = item.get("execution") != "client"
    return [ToolCall(_call_id(item), "tool_search", json_text(item.get("arguments")), is_server_side)]


def _tools_found(item: Item) -> list[Part]:
    names = [text_or_none(tool.get("name")) for tool in entries(item.get("tools"))]
    return [ToolResult(_call_id(item), "tool_search", (Text("\n".join(filter(None, names))),))]


def _web_search(item: Item) -> list[Part]:
    return [_server_call(item, "web_search", json_text(item.get("action") or {}))]


def _file_search(item: Item) -> list[Part]:
    call = _server_call(item, "file_search", json_text({"queries": item.get("queries") or []}))
    found = [text for entry in entries(item.get("results")) if (text := text_or_none(entry.get("text")))]
    return [call, *_server_result(item, "file_search", [Text(text) for text in found])]


def _code_interpreter(item: Item) -> list[Part]:
    call = _server_call(item, "code_interpreter", json_text({"code": item.get("code")}))
    parts: list[Part] = []
    for entry in entries(item.get("outputs")):
        logs, url = text_or_none(entry.get("logs")), text_or_none(entry.get("url"))
        if logs:
            parts.append(Text(logs))
        elif url:
            parts.append(from_data_uri("image", url))
    return [call, *_server_result(item, "code_interpreter", parts)]


def _image(item: Item) -> list[Part]:
    call = _server_call(item, "image_generation", json_text({"prompt": item.get("revised_prompt")}))
    data, form = text_or_none(item.get("result")), text_or_none(item.get("output_format"))
    return [call, Media("image", f"image/{form}" if form else None, data=data)] if data else [call]


def _mcp_call(item: Item) -> list[Part]:
    arguments = item.get("arguments")
    name = word(item.get("name")) or "mcp"
    call = _server_call(item, name, arguments if isinstance(arguments, str) else json_text(arguments))
    error = item.get("error")
    said = json_text(error) if isinstance(error, dict) else text_or_none(error) or text_or_none(item.get("output"))
    parts: list[Part] = [Text(said)] if said else []
    return [call, *_server_result(item, name, parts, is_error=bool(error))]


def _output(item: Item) -> ToolResult:
    output = item.get("output")
    if str(item.get("type")) in ("shell_call_output", "local_shell_call_output") and isinstance(output, list):
        printed = [text_or_none(entry.get(key)) for entry in entries(output) for key in ("stdout", "stderr")]
        return ToolResult(_call_id(item), None, (Text("\n".join(filter(None, printed))),))
    return ToolResult(_call_id(item), word(item.get("name")), tuple(content_parts(output)))


def _server_call(item: Item, name: str, arguments: str) -> ToolCall:
    return ToolCall(_call_id(item), name, arguments, is_server_side=True)


def _server_result(item: Item, name: str, parts: list[Part], *, is_error: bool = False) -> list[Part]:
    return [ToolResult(_call_id(item), name, tuple(parts), is_error)] if parts else []


def _call_id(item: Item) -> str | None:
    return word(item.get("call_id")) or word(item.get("id"))


_READ: Final[dict[str, Callable[[Item], list[Part]]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _function_call,
    "computer_call": _client_call,
    "local_shell_call": _client_call,
    "shell_call": _client_call,
    "apply_patch_call": _client_call,
    "tool_search_call": _tool_search,
    "tool_search_output": _tools_found,
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code_interpreter,
    "image_generation_call": _image,
    "mcp_call": _mcp_call,
}
