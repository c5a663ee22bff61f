"""One message of a Cohere v2 chat, sent or answered, both ways.

A `tool_plan` is the text that stands before a turn's calls (https://docs.cohere.com/v2/docs/tool-use-overview).
"""

from typing import Any, Final

import msgspec

from app.dialects.media import from_data_uri
from app.dialects.wire import count, entries, fields, json_text, text_or_none, word
from app.models.message import (
    Citation,
    Extras,
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

PLAN: Final[dict[str, object]] = {"type": "tool_plan"}
"""The extras of a text that was a plan."""
_ROLES: Final[dict[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_TURN: Final = frozenset({"role", "content", "tool_calls", "tool_plan", "citations", "tool_call_id"})
_CALL: Final = frozenset({"id", "type", "function"})
_CITED: Final = frozenset({"start", "end", "text"})


def message_of(turn: dict[str, Any], role: Role | None = None) -> Message:
    """Return the message of a turn, under its own role or the one given."""
    role = role or _ROLES.get(str(turn.get("role")).lower(), "user")
    extras = left(turn, _TURN)
    parts = content_parts(turn.get("content"))
    if role == "tool":
        result = ToolResult(word(turn.get("tool_call_id")), None, tuple(part for _, part in parts))
        return Message("tool", (result,), extras=extras)
    if turn.get("citations"):
        extras = _cite(entries(turn["citations"]), parts, extras)
    listed = [part for _, part in parts if part != Text("")]
    if (plan := text_or_none(turn.get("tool_plan"))) is not None:
        listed.insert(0, Text(plan, extras=PLAN))
    if turn.get("tool_calls"):
        listed += [call_of(call) for call in entries(turn["tool_calls"])]
    if not listed[:1] or isinstance(listed[0], ToolCall):
        extras = _with_empty(turn.get("content"), extras)
    return Message(role, tuple(listed), extras=extras)


def content_parts(content: object) -> list[tuple[int, Part]]:
    """Return the parts of a `content` field with their places in it: null, a text, or a list."""
    if isinstance(content, str):
        return [(0, Text(content))] if content else []
    if not isinstance(content, list):
        return []
    return [(place, _part(entry)) for place, entry in enumerate(content) if entry is not None]


def call_of(call: dict[str, Any]) -> ToolCall:
    """Return a tool call."""
    function = fields(call.get("function"))
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json_text(arguments)
    return ToolCall(word(call.get("id")), word(function.get("name")) or "", arguments, extras=left(call, _CALL))


def citation_of(cited: dict[str, Any]) -> Citation:
    """Return a citation: the words of the answer, and in `extras` the sources they come from."""
    document = next((fields(source.get("document")) for source in entries(cited.get("sources"))), {})
    return Citation(
        url=text_or_none(document.get("url")),
        title=text_or_none(document.get("title")),
        quote=text_or_none(cited.get("text")),
        start=count(cited.get("start")),
        end=count(cited.get("end")),
        extras=left(cited, _CITED),
    )


def written_part(part: Part, *, is_own: bool) -> dict[str, object] | None:
    """Return a part of a `content` list; None for one that Cohere has no place for."""
    kept = part.extras or {} if is_own and not isinstance(part, Raw) else {}
    if isinstance(part, Text):
        return {"type": "text", "text": part.text, **kept}
    if isinstance(part, Media) and part.modality == "image" and part.file_id is None:
        detail = {"detail": part.detail} if part.detail in ("auto", "low", "high") else {}
        return {"type": "image_url", "image_url": {"url": address_of(part), **detail}, **kept}
    if isinstance(part, Reasoning) and is_own:
        return {"type": "thinking", "thinking": part.text, **kept}
    if isinstance(part, Raw) and is_own and isinstance(part.value, dict):
        return part.value
    return None


def written_call(call: ToolCall, name: str, *, is_own: bool) -> dict[str, object]:
    """Return a call as it goes back; no arguments are an empty object."""
    function = {"name": name, "arguments": call.arguments or "{}"}
    return {"id": call.id or "", "type": "function", "function": function, **((call.extras or {}) if is_own else {})}


def written_citation(citation: Citation) -> dict[str, object]:
    """Return a citation as it goes back."""
    written = {"start": citation.start, "end": citation.end, "text": citation.quote, **(citation.extras or {})}
    return {name: value for name, value in written.items() if value is not None}


def address_of(media: Media) -> str:
    """Return the address of media, a `data:` one where it is sent along."""
    if media.url is not None:
        return media.url
    return f"data:{media.media_type or 'image/png'};base64,{media.data or ''}"


def left(wire: dict[str, Any], known: frozenset[str]) -> Extras:
    """Return what has no word in the shared form, None where there is none of it."""
    if wire.keys() <= known:
        return None
    return {name: value for name, value in wire.items() if name not in known and value is not None} or None


def _with_empty(content: object, extras: Extras) -> Extras:
    """Return the extras with a content that says nothing: some clients send it beside calls."""
    return extras if content is None else {**(extras or {}), "content": content}


def _part(entry: object) -> Part:
    if isinstance(entry, str):
        return Text(entry)
    if not isinstance(entry, dict):
        return Raw("", entry)
    kind = entry.get("type")
    if kind == "text" and isinstance(entry.get("text"), str):
        return Text(entry["text"], extras=left(entry, frozenset({"type", "text"})))
    if kind == "thinking" and isinstance(entry.get("thinking"), str):
        known = frozenset({"type", "thinking"})
        return Reasoning(entry["thinking"], origin="cohere", extras=left(entry, known))
    if kind == "image_url" and (url := text_or_none(fields(entry.get("image_url")).get("url"))) is not None:
        detail = text_or_none(entry["image_url"].get("detail"))
        known = frozenset({"type", "image_url"})
        return msgspec.structs.replace(from_data_uri("image", url), detail=detail, extras=left(entry, known))
    return Raw(word(kind) or "", entry)


def _cite(citations: list[dict[str, Any]], parts: list[tuple[int, Part]], extras: Extras) -> Extras:
    """Hang citations on the texts they belong to; return the extras with those that belong to none."""
    texts = {place: index for index, (place, part) in enumerate(parts) if isinstance(part, Text)}
    first = next(iter(texts), None)
    stray: list[dict[str, Any]] = []
    for cited in citations:
        place = cited.get("content_index", first)
        if place not in texts or cited.get("type") not in (None, "TEXT_CONTENT"):
            stray.append(cited)
            continue
        _, text = parts[texts[place]]
        assert isinstance(text, Text)
        added = (*text.citations, citation_of(cited))
        parts[texts[place]] = (place, msgspec.structs.replace(text, citations=added))
    return {**(extras or {}), "citations": stray} if stray else extras
