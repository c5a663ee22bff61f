"""Anthropic's content blocks, read.

A block that the shared form shows as something else (a document of text, a search result, what a server tool found)
keeps itself in the extras of its first part, under its own type, so that it goes back as it came; the parts after it
that belong to the same block have None there.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.dialects.media import modality_of
from app.dialects.seal import unseal
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.message import CacheMark, Citation, Extras, Media, Part, Raw, Reasoning, Text, ToolCall, ToolResult

OWN: Final = "anthropic"
"""The dialect's name."""

DOCUMENT_PLACES: Final = ("char_location", "page_location", "content_block_location")
"""Citations of documents: their title is under `document_title`."""

_SERVER_CALLS: Final = ("server_tool_use", "mcp_tool_use")
_MARKED: Final = frozenset({"type", "ttl"})


def parts_of(content: object, *, keeps: bool = True) -> list[Part]:
    """Return the parts of a `content` field: a text or a list of blocks.

    `keeps`: what is needed to write the blocks again stays in the extras.
    """
    if isinstance(content, str):
        return [Text(content)] if content else []
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return []
    parts: list[Part] = []
    for block in content:
        if isinstance(block, dict):
            parts += part_of(block, keeps=keeps)
        elif isinstance(block, str):
            parts.append(Text(block))
        elif block is not None:
            parts.append(Raw("", block))
    return parts


def part_of(block: dict[str, Any], *, keeps: bool = True) -> list[Part]:
    """Return what one block is: one part, none for empty text, several for a document of texts."""
    kind = block.get("type")
    if kind == "text":
        return _text(block)
    if not isinstance(kind, str):
        return [Raw("", block)]
    read = _READ.get(kind)
    if read is not None:
        return read(block)
    shown = _SHOWN.get(kind)
    if shown is not None:
        return _keeping(shown(block), kind, block) if keeps else shown(block)
    return [_server_result(kind, block)] if kind.endswith("_tool_result") else [Raw(kind, block)]


def arguments_of(value: object) -> str:
    """Return a call's input as JSON text."""
    return "{}" if value is None else value if isinstance(value, str) else json_text(value)


def citation_of(citation: dict[str, Any]) -> Citation:
    """Return one citation of a text."""
    title = "document_title" if citation.get("type") in DOCUMENT_PLACES else "title"
    return Citation(
        url=text_or_none(citation.get("url")),
        title=text_or_none(citation.get(title)),
        quote=text_or_none(citation.get("cited_text")),
        extras=rest_of(citation, ("url", title, "cited_text")),
    )


def rest_of(block: dict[str, Any], taken: tuple[str, ...]) -> Extras:
    """Return the fields of a block that are not `taken` and not null; None where there are none."""
    rest = {name: value for name, value in block.items() if name not in taken and value is not None}
    return rest or None


def mark_of(block: dict[str, Any]) -> tuple[CacheMark | None, tuple[str, ...]]:
    """Return a block's mark for caching, and the field it was taken from (none where it says more than a lifetime)."""
    mark = block.get("cache_control")
    if not isinstance(mark, dict) or mark.get("type") != "ephemeral" or not mark.keys() <= _MARKED:
        return None, ()
    return CacheMark(text_or_none(mark.get("ttl"))), ("cache_control",)


def _text(block: dict[str, Any]) -> list[Part]:
    text = block.get("text")
    if not isinstance(text, str) or not text:
        return []
    if len(block) == 2:
        return [Text(text)]
    mark, marked = mark_of(block)
    cited = block.get("citations")
    citations = tuple(citation_of(citation) for citation in entries(cited)) if cited else ()
    return [Text(text, citations, mark, extras=rest_of(block, ("type", "text", "citations", *marked)))]


def _call(block: dict[str, Any]) -> list[Part]:
    mark, marked = mark_of(block)
    rest = rest_of(block, ("type", "id", "name", "input", *marked)) if len(block) > 4 else None
    name, arguments = word(block.get("name")) or "", arguments_of(block.get("input"))
    return [ToolCall(word(block.get("id")), name, arguments, cache=mark, extras=rest)]


def _server_call(block: dict[str, Any]) -> list[Part]:
    kind = block.get("type")
    mark, marked = mark_of(block)
    rest = rest_of(block, ("id", "name", "input", *marked)) or {}
    if kind == "server_tool_use":
        del rest["type"]
    name, arguments = word(block.get("name")) or "", arguments_of(block.get("input"))
    return [ToolCall(word(block.get("id")), name, arguments, True, cache=mark, extras=rest or None)]


def _result(block: dict[str, Any]) -> list[Part]:
    mark, marked = mark_of(block)
    content = block.get("content")
    rest = rest_of(block, ("type", "tool_use_id", "content", "is_error", *marked)) if len(block) > 3 else None
    is_error = block.get("is_error") is True
    return [
        ToolResult(word(block.get("tool_use_id")), None, tuple(parts_of(content)), is_error, cache=mark, extras=rest)
    ]


def _server_result(kind: str, block: dict[str, Any]) -> ToolResult:
    content = block.get("content")
    said = fields(content).get("type")
    is_error = block.get("is_error") is True or (isinstance(said, str) and said.endswith("_error"))
    found = tuple(parts_of(content, keeps=False))
    return ToolResult(word(block.get("tool_use_id")), None, found, is_error, True, extras={kind: block})


def _thinking(block: dict[str, Any]) -> list[Part]:
    proof, origin = proof_of(block.get("signature"))
    rest = rest_of(block, ("type", "thinking", "signature")) if len(block) > 3 else None
    return [Reasoning(text_or_none(block.get("thinking")) or "", proof, False, origin, rest)]


def _redacted(block: dict[str, Any]) -> list[Part]:
    proof, origin = proof_of(block.get("data"))
    return [Reasoning("", proof, True, origin)]


def proof_of(value: object) -> tuple[str | None, str | None]:
    """Return the proof of a thought, and the dialect whose thought it is (also where that has no proof)."""
    sealed = text_or_none(value)
    if sealed is None:
        return None, None
    proof, origin = unseal(sealed, OWN)
    return proof or None, origin


def _media(block: dict[str, Any]) -> list[Part]:
    kind = block["type"]
    source = fields(block.get("source"))
    way, media_type = source.get("type"), text_or_none(source.get("media_type"))
    if way == "content":
        return _keeping(parts_of(source.get("content")), kind, block)
    mark, marked = mark_of(block)
    if way == "text" and isinstance(source.get("data"), str):
        head = {"type": way, "media_type": media_type or "text/plain"}
        frame: dict[str, Any] = {"source": head, **(rest_of(block, ("type", "source", *marked)) or {})}
        return [Text(source["data"], (), mark, extras={kind: frame})]
    modality = "image" if kind == "image" else modality_of(media_type)
    data, url, file_id = (text_or_none(source.get(key)) for key in ("data", "url", "file_id"))
    if not (data or url or file_id):
        return [Raw(kind, block)]
    rest = (rest_of(block, ("type", "source", "title", *marked)) if len(block) > 2 else None) or {}
    if kind == "document" and modality != "file":
        rest["type"] = kind
    more = rest_of(source, ("type", "media_type", "data", "url", "file_id"))
    if more:
        rest["source"] = more
    name = text_or_none(block.get("title"))
    if data:
        return [Media(modality, media_type, data=data, name=name, cache=mark, extras=rest or None)]
    return [Media(modality, media_type, url, None, None if url else file_id, name, cache=mark, extras=rest or None)]


def _keeping(parts: list[Part], kind: str, block: dict[str, Any]) -> list[Part]:
    """Return parts that know the block they were read from."""
    if not parts:
        return [Raw(kind, block)]
    first, *others = parts
    return [_with(first, {kind: block}), *(_with(part, {kind: None}) for part in others)]


def _with(part: Part, extras: Extras) -> Part:
    return part if isinstance(part, Raw) else msgspec.structs.replace(part, extras=extras)


def _upload(block: dict[str, Any]) -> list[Part]:
    file_id = text_or_none(block.get("file_id"))
    return [Media("file", file_id=file_id)] if file_id else [Raw("container_upload", block)]


def _found(block: dict[str, Any]) -> list[Part]:
    """A web page that was found, or a search result that the client gives: title and address, then its text."""
    head = [text_or_none(block.get(key)) for key in ("title", "url", "source")]
    return [Text("\n".join(filter(None, head))), *parts_of(block.get("content"), keeps=False)]


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
    return [Text(text_or_none(block.get("url")) or ""), *parts_of(block.get("content"), keeps=False)]


_READ: Final[dict[str, Callable[[dict[str, Any]], list[Part]]]] = {
    "tool_use": _call,
    "tool_result": _result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "image": _media,
    "document": _media,
    **dict.fromkeys(_SERVER_CALLS, _server_call),
}
_SHOWN: Final[dict[str, Callable[[dict[str, Any]], list[Part]]]] = {
    "container_upload": _upload,
    "search_result": _found,
    "web_search_result": _found,
    "web_fetch_result": _fetched,
    "code_execution_result": _output,
    "bash_code_execution_result": _output,
    "tool_search_tool_search_result": _names,
    "tool_reference": _name,
}
