"""Anthropic's content blocks."""

from collections.abc import Callable
from typing import Any, Final

from app.dialects.media import modality_of
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.message import Media, Part, Raw, Reasoning, Text, ToolCall, ToolResult

_SERVER_CALLS: Final = ("server_tool_use", "mcp_tool_use")


def parts_of(content: object) -> list[Part]:
    """Return the parts of a `content` field: a text or a list of blocks."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return []
    parts: list[Part] = []
    for block in content:
        if isinstance(block, dict):
            parts += part_of(block)
        elif isinstance(block, str):
            parts.append(Text(block))
        elif block is not None:
            parts.append(Raw("", block))
    return parts


def part_of(block: dict[str, Any]) -> list[Part]:
    """Return what one block is: one part, none for empty text, several for a document of texts."""
    kind = block.get("type")
    if kind == "text":
        text = block.get("text")
        return [Text(text)] if isinstance(text, str) and text else []
    if kind == "tool_use":
        return [_call(block, is_server_side=False)]
    if isinstance(kind, str):
        read = _READ.get(kind)
        if read is not None:
            return read(block)
        if kind == "tool_result" or kind.endswith("_tool_result"):
            return [_result(block)]
    return [Raw(word(kind) or "", block)]


def arguments_of(value: object) -> str:
    """Return a call's input as JSON text."""
    return "{}" if value is None else value if isinstance(value, str) else json_text(value)


def _call(block: dict[str, Any], *, is_server_side: bool) -> ToolCall:
    return ToolCall(
        word(block.get("id")), word(block.get("name")) or "", arguments_of(block.get("input")), is_server_side
    )


def _result(block: dict[str, Any]) -> ToolResult:
    content = block.get("content")
    kind = fields(content).get("type")
    is_error = block.get("is_error") is True or (isinstance(kind, str) and kind.endswith("_error"))
    return ToolResult(word(block.get("tool_use_id")), None, tuple(parts_of(content)), is_error)


def _server_call(block: dict[str, Any]) -> list[Part]:
    return [_call(block, is_server_side=True)]


def _thinking(block: dict[str, Any]) -> list[Part]:
    return [Reasoning(text_or_none(block.get("thinking")) or "", text_or_none(block.get("signature")))]


def _redacted(block: dict[str, Any]) -> list[Part]:
    return [Reasoning("", text_or_none(block.get("data")))]


def _media(block: dict[str, Any]) -> list[Part]:
    source = fields(block.get("source"))
    kind, media_type = source.get("type"), text_or_none(source.get("media_type"))
    name = text_or_none(block.get("title"))
    modality = "image" if block.get("type") == "image" else modality_of(media_type)
    data, url, file_id = (text_or_none(source.get(key)) for key in ("data", "url", "file_id"))
    if kind == "content":
        return parts_of(source.get("content"))
    if kind == "text" and data:
        return [Text(data)]
    if data:
        return [Media(modality, media_type, data=data, name=name)]
    if url:
        return [Media(modality, media_type, url=url, name=name)]
    if file_id:
        return [Media(modality, media_type, file_id=file_id, name=name)]
    return [Raw(str(block.get("type")), block)]


def _upload(block: dict[str, Any]) -> list[Part]:
    file_id = text_or_none(block.get("file_id"))
    return [Media("file", file_id=file_id)] if file_id else [Raw("container_upload", block)]


def _found(block: dict[str, Any]) -> list[Part]:
    """A web page that was found, or a search result that the client gives: title and address, then its text."""
    head = [text_or_none(block.get(key)) for key in ("title", "url", "source")]
    return [Text("\n".join(filter(None, head))), *parts_of(block.get("content"))]


def _output(block: dict[str, Any]) -> list[Part]:
    """What a program that the provider ran printed, then the files it left."""
    printed = [text_or_none(block.get(key)) for key in ("stdout", "stderr")]
    text = "\n".join(filter(None, printed))
    files = [file_id for entry in entries(block.get("content")) if (file_id := text_or_none(entry.get("file_id")))]
    return [*([Text(text)] if text else []), *(Media("file", file_id=file_id) for file_id in files)]


def _names(block: dict[str, Any]) -> list[Part]:
    names = [text_or_none(entry.get("tool_name")) for entry in entries(block.get("tool_references"))]
    return [Text("\n".join(filter(None, names)))]


def _name(block: dict[str, Any]) -> list[Part]:
    return [Text(text_or_none(block.get("tool_name")) or "")]


def _fetched(block: dict[str, Any]) -> list[Part]:
    return [Text(text_or_none(block.get("url")) or ""), *parts_of(block.get("content"))]


_READ: Final[dict[str, Callable[[dict[str, Any]], list[Part]]]] = {
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "image": _media,
    "document": _media,
    "container_upload": _upload,
    "search_result": _found,
    "web_search_result": _found,
    "web_fetch_result": _fetched,
    "code_execution_result": _output,
    "bash_code_execution_result": _output,
    "tool_search_tool_search_result": _names,
    "tool_reference": _name,
    **dict.fromkeys(_SERVER_CALLS, _server_call),
}
