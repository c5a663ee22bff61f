"""Bedrock's content blocks: each is an object with one field, named for what it is.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.dialects.bedrock_media import KINDS, type_of
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.chat import Tool
from app.models.message import (
    CacheMark,
    Citation,
    Extras,
    Media,
    Part,
    Raw,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)

SERVER_CALL: Final = "server_tool_use"
OWN: Final = "bedrock"
CLAUDES: Final = "anthropic"
"""Whose proofs a signature on Bedrock is: "values generated on one platform will be compatible with another", says
https://platform.claude.com/docs/en/build-with-claude/extended-thinking of the Claude API, Bedrock and Vertex. Nothing
is said of redacted thoughts, and no other vendor's models sign: those stay Bedrock's own."""

_MARKABLE: Final = (Text, ToolCall, ToolResult, Media)


def parts_of(content: object) -> list[Part]:
    """Return the parts of a list of blocks. A cache point belongs to the part before it."""
    if isinstance(content, str):
        return [Text(content)]
    parts: list[Part] = []
    for block in content if isinstance(content, list) else ():
        if not isinstance(block, dict):
            if block is not None:
                parts.append(Text(block) if isinstance(block, str) else Raw("", block))
            continue
        mark = mark_of(block)
        if mark is not None and parts and isinstance(parts[-1], _MARKABLE) and parts[-1].cache is None:
            parts[-1] = msgspec.structs.replace(parts[-1], cache=mark)
        else:
            parts.append(part_of(block))
    return parts


def part_of(block: dict[str, Any]) -> Part:
    """Return what one block is."""
    text = block.get("text")
    if isinstance(text, str):
        return Text(text, extras=rest_of(block, ("text",)))
    if "json" in block:
        return Text(json_text(block["json"]), extras=block)
    for kind in block:
        read = _READ.get(kind)
        inner = block[kind]
        if read is not None and isinstance(inner, dict):
            found = read(inner)
            return found if found is not None else Raw(kind, block)
    return Raw(next(iter(block), ""), block)


def mark_of(block: dict[str, Any]) -> CacheMark | None:
    """Return the mark that a cache point is, None for any other block."""
    point = block.get("cachePoint")
    return CacheMark(text_or_none(point.get("ttl"))) if isinstance(point, dict) and len(block) == 1 else None


def call_of(inner: dict[str, Any], arguments: str) -> ToolCall:
    """Return the call of a `toolUse`."""
    return ToolCall(
        word(inner.get("toolUseId")),
        word(inner.get("name")) or "",
        arguments,
        inner.get("type") == SERVER_CALL,
        extras=rest_of(inner, ("toolUseId", "name", "input")),
    )


def result_of(inner: dict[str, Any]) -> ToolResult:
    """Return the result of a `toolResult`; one with a type is of a tool that Bedrock ran."""
    is_error = inner.get("status") == "error"
    return ToolResult(
        word(inner.get("toolUseId")),
        None,
        tuple(parts_of(inner.get("content"))),
        is_error,
        "type" in inner,
        extras=rest_of(inner, ("toolUseId", "content", "status") if is_error else ("toolUseId", "content")),
    )


def citation_of(entry: dict[str, Any]) -> Citation:
    """Return one citation; where it stands in its source is told in as many ways as there are sources."""
    location = fields(entry.get("location"))
    where = next((place for place in location.values() if isinstance(place, dict)), {})
    quotes = [text for source in entries(entry.get("sourceContent")) if (text := text_or_none(source.get("text")))]
    return Citation(
        url=text_or_none(where.get("url")) or text_or_none(entry.get("source")),
        title=text_or_none(entry.get("title")),
        quote="".join(quotes) or None,
        extras=entry,
    )


def tools_of(listed: object) -> tuple[Tool, ...]:
    """Return the tools of a `toolConfig`. A cache point belongs to the tool before it."""
    tools: list[Tool] = []
    for entry in entries(listed):
        mark = mark_of(entry)
        if mark is not None and tools:
            tools[-1] = msgspec.structs.replace(tools[-1], cache=mark)
        else:
            tools.append(_tool(entry))
    return tuple(tools)


def rest_of(value: dict[str, Any], taken: tuple[str, ...]) -> Extras:
    """Return the fields that are not `taken`, None where there are none."""
    rest = {key: inner for key, inner in value.items() if key not in taken}
    return rest or None


def _tool(entry: dict[str, Any]) -> Tool:
    spec = entry.get("toolSpec")
    if isinstance(spec, dict):
        strict = spec.get("strict")
        return Tool(
            word(spec.get("name")) or "",
            text_or_none(spec.get("description")),
            fields(spec.get("inputSchema")).get("json"),
            strict=strict if isinstance(strict, bool) else None,
            extras=rest_of(spec, ("name", "description", "inputSchema", "strict")),
        )
    kind = next(iter(entry), "")
    return Tool(word(fields(entry.get(kind)).get("name")) or kind, kind=kind, extras=entry)


def _call(inner: dict[str, Any]) -> Part:
    arguments = inner.get("input")
    return call_of(inner, "{}" if arguments is None else json_text(arguments))


def _reasoning(inner: dict[str, Any]) -> Part | None:
    said = inner.get("reasoningText")
    if isinstance(said, dict):
        text, signature = said.get("text"), text_or_none(said.get("signature"))
        extras = rest_of(said, ("text", "signature"))
        return Reasoning(text if isinstance(text, str) else "", signature, origin=_origin(signature), extras=extras)
    redacted = text_or_none(inner.get("redactedContent"))
    return Reasoning("", redacted, is_redacted=True, origin=OWN) if redacted else None


def _origin(signature: str | None) -> str:
    return CLAUDES if signature else OWN


def _cited(inner: dict[str, Any]) -> Part | None:
    content = inner.get("content")
    texts = [text for entry in entries(content) if isinstance(text := entry.get("text"), str)]
    if not texts:
        return None
    citations = tuple(citation_of(entry) for entry in entries(inner.get("citations")))
    return Text("".join(texts), citations, extras={"citationsContent": inner})


def _guarded(inner: dict[str, Any]) -> Part | None:
    text = fields(inner.get("text")).get("text")
    return Text(text, extras={"guardContent": inner}) if isinstance(text, str) else None


def _found(inner: dict[str, Any]) -> Part:
    head = [text_or_none(inner.get(key)) for key in ("title", "source")]
    texts = [text_or_none(entry.get("text")) for entry in entries(inner.get("content"))]
    return Text("\n".join(filter(None, [*head, *texts])), extras={"searchResult": inner})


def _media_reader(kind: str) -> Callable[[dict[str, Any]], Part | None]:
    modality = KINDS[kind]

    def read(inner: dict[str, Any]) -> Part | None:
        name, source = text_or_none(inner.get("format")), fields(inner.get("source"))
        stored = fields(source.get("s3Location"))
        data, url = text_or_none(source.get("bytes")), text_or_none(stored.get("uri"))
        if data is None and url is None:
            return None
        media_type = type_of(modality, name)
        rest = rest_of(inner, ("source", "name") if media_type is None else ("source", "name", "format")) or {}
        if owner := stored.get("bucketOwner"):
            rest = {**rest, "bucketOwner": owner}
        return Media(modality, media_type, url, data, name=text_or_none(inner.get("name")), extras=rest or None)

    return read


_READ: Final[dict[str, Callable[[dict[str, Any]], Part | None]]] = {
    "toolUse": _call,
    "toolResult": result_of,
    "reasoningContent": _reasoning,
    "citationsContent": _cited,
    "guardContent": _guarded,
    "searchResult": _found,
    **{kind: _media_reader(kind) for kind in KINDS},
}
