"""One message of an OpenAI chat, sent or answered, and the spellings of all who copied it.

What the shared form says in fewer words than the wire (OpenRouter's reasoning details, annotations, a spoken answer,
the call of the time before tools) is read into parts and kept whole in the message's `extras` besides; such parts carry
`{"of": field}`, so that they are not written twice.
"""

from typing import Any, Final

from app.dialects.media import from_data_uri
from app.dialects.openai_chat_tools import mark_of
from app.dialects.seal import unseal
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.message import (
    Citation,
    Extras,
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
OF: Final = "of"
"""The one key in `extras` that is no wire name; see above."""

_PLAIN: Final = frozenset({"role", "content"})
_READ: Final = frozenset(
    {
        "role",
        "content",
        "name",
        "refusal",
        "reasoning_content",
        "reasoning",
        "tool_calls",
        "tool_call_id",
    }
)
_CALL: Final = frozenset({"id", "type", "index", "function", "custom"})
"""`index` is where a call stood in its stream; in a message its place says that."""
_KEPT: Final = ("reasoning_details", "thinking_blocks", "annotations", "audio", "function_call")
"""Read into parts and kept whole in the message's extras."""


def message_of(turn: dict[str, Any], role: Role | None = None) -> Message:
    """Return the message of a whole turn, under its own role or the one given."""
    said = turn.get("role")
    role = role or (ROLES.get(said, "user") if isinstance(said, str) else "user")
    if role == "tool":
        return _result(turn)
    content = turn.get("content")
    if turn.keys() <= _PLAIN:
        return Message(role, tuple(content_parts(content)) if content else ())
    parts = reasoning_parts(turn)
    if content:
        parts += content_parts(content)
    refusal = turn.get("refusal")
    if refusal and isinstance(refusal, str):
        parts.append(Refusal(refusal))
    if turn.get("audio"):
        parts += _audio(turn["audio"])
    if turn.get("annotations"):
        parts = _cited(parts, turn["annotations"])
    if turn.get("tool_calls"):
        parts += [call_of(call) for call in entries(turn["tool_calls"])]
    if isinstance(turn.get("function_call"), dict):
        call = call_of({"function": turn["function_call"]})
        if isinstance(call, ToolCall) and (call.name or call.arguments):  # Snowflake sends an empty one always
            parts.append(ToolCall(call.id, call.name, call.arguments, extras={OF: "function_call"}))
    return Message(role, tuple(parts), text_or_none(turn.get("name")), _left(turn))


def content_parts(content: object) -> list[Part]:
    """Return the parts of a `content` field: null, a text, or a list."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return []
    parts: list[Part] = []
    for entry in content:
        if isinstance(entry, str):
            parts.append(Text(entry))
        elif isinstance(entry, dict):
            parts.append(_part(entry))
        elif entry is not None:
            parts.append(Raw("", entry))
    return [part for part in parts if not (isinstance(part, Text) and not part.text)]


def reasoning_parts(turn: dict[str, Any]) -> list[Part]:
    """Return what was thought: details with their proofs where there are any, else the plain text."""
    proofs: list[Part] = [*_details(turn.get("reasoning_details")), *_blocks(turn.get("thinking_blocks"))]
    field = "reasoning_content" if turn.get("reasoning_content") else "reasoning"
    text = turn.get(field)
    if not isinstance(text, str) or not text:
        return proofs
    if any(isinstance(part, Reasoning) and part.text for part in proofs):
        return proofs
    return [Reasoning(text, extras={OF: field}), *proofs]


def call_of(call: dict[str, Any]) -> ToolCall | Raw:
    """Return a tool call: a function's, or a custom tool's with its free text."""
    is_custom = not isinstance(call.get("function"), dict) and isinstance(call.get("custom"), dict)
    function = call.get("custom") if is_custom else call.get("function")
    if not isinstance(function, dict):
        return Raw(word(call.get("type")) or "tool_call", call)
    arguments = function.get("arguments", function.get("input"))
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json_text(arguments)
    extras: Extras = None
    if len(call) > 3 or len(function) > 2 or not call.keys() <= _CALL:
        inner = {key: value for key, value in function.items() if key not in ("name", "arguments", "input")}
        extras = {key: value for key, value in call.items() if key not in _CALL}
        extras = extras | ({"function": inner} if inner else {}) or None
    return ToolCall(
        word(call.get("id")), word(function.get("name")) or "", arguments, is_custom=is_custom, extras=extras
    )


def thinking_text(entry: dict[str, Any]) -> str:
    """Return the text of a `thinking` part: Mistral's list of texts, or a text."""
    thinking = entry.get("thinking")
    if isinstance(thinking, str):
        return thinking
    return "".join(text_or_none(piece.get("text")) or "" for piece in entries(thinking))


def citation_of(annotation: dict[str, Any]) -> Citation:
    """Return what an annotation of an answer's text points to."""
    cited = fields(annotation.get("url_citation")) or annotation
    start, end = cited.get("start_index"), cited.get("end_index")
    return Citation(
        text_or_none(cited.get("url")),
        text_or_none(cited.get("title")),
        text_or_none(cited.get("content")),
        start if isinstance(start, int) else None,
        end if isinstance(end, int) else None,
    )


def _left(turn: dict[str, Any]) -> Extras:
    """Return the fields of a turn that no part says in full."""
    left = {name: value for name, value in turn.items() if name not in _READ and value is not None}
    if "reasoning_details" in left or "thinking_blocks" in left:
        left |= {name: turn[name] for name in ("reasoning_content", "reasoning") if turn.get(name)}
    elif turn.get("reasoning") and turn.get("reasoning_content"):
        left["reasoning"] = turn["reasoning"]
    return {name: value for name, value in left.items() if value or name not in _KEPT} or None


def _result(turn: dict[str, Any]) -> Message:
    said_by = word(turn.get("name"))
    result = ToolResult(word(turn.get("tool_call_id")), said_by, tuple(content_parts(turn.get("content"))))
    extras = {
        name: value
        for name, value in turn.items()
        if name not in ("role", "content", "name", "tool_call_id") and value is not None
    }
    if turn.get("role") == "function":
        extras["role"] = "function"
    return Message("tool", (result,), extras=extras or None)


def _details(details: object) -> list[Part]:
    """Return OpenRouter's details: texts, summaries, and what only the provider can read."""
    found: list[Part] = []
    for detail in entries(details):
        said = text_or_none(detail.get("text")) or text_or_none(detail.get("summary")) or ""
        hidden = text_or_none(detail.get("data"))
        proof = text_or_none(detail.get("signature")) or hidden
        if said or proof:
            found.append(_thought(said, proof, "reasoning_details", is_redacted=hidden is not None))
    return found


def _blocks(blocks: object) -> list[Part]:
    """Return Anthropic's thinking blocks, which LiteLLM's clients send back and ours too."""
    found: list[Part] = []
    for block in entries(blocks):
        hidden = text_or_none(block.get("data"))
        said, proof = text_or_none(block.get("thinking")) or "", text_or_none(block.get("signature")) or hidden
        if said or proof:
            found.append(
                _thought(said, proof, "thinking_blocks", is_redacted=hidden is not None, bare_origin="anthropic")
            )
    return found


def _thought(
    text: str, proof: str | None, field: str, *, is_redacted: bool, bare_origin: str | None = None
) -> Reasoning:
    if proof is None:
        return Reasoning(text, extras={OF: field})
    opened, origin = unseal(proof, "openai_chat")
    is_bare = opened is proof or opened == proof
    return Reasoning(text, opened, is_redacted, bare_origin or origin if is_bare else origin, {OF: field})


def _cited(parts: list[Part], annotations: object) -> list[Part]:
    """Return the parts with an answer's annotations on its last text."""
    citations = tuple(citation_of(one) for one in entries(annotations))
    place = max((index for index, part in enumerate(parts) if isinstance(part, Text)), default=None)
    if place is None or not citations:
        return parts
    text = parts[place]
    assert isinstance(text, Text)
    return [*parts[:place], Text(text.text, citations, text.cache, extras=text.extras), *parts[place + 1 :]]


def _part(entry: dict[str, Any]) -> Part:
    kind = entry.get("type")
    if kind in ("text", "input_text", "output_text") and isinstance(entry.get("text"), str):
        if len(entry) == 2:
            return Text(entry["text"])
        extras = _rest(entry, ("text",), kind if kind != "text" else None)
        return Text(entry["text"], cache=mark_of(entry.get("cache_control")), extras=extras)
    if kind == "thinking":
        proof = text_or_none(entry.get("signature"))
        return Reasoning(thinking_text(entry), proof, origin="openai_chat" if proof else None, extras=dict(entry))
    if kind == "refusal" and isinstance(entry.get("refusal"), str):
        return Refusal(entry["refusal"], {OF: "content"})
    media = _media(kind, entry)
    return media or Raw(word(kind) or "", entry)


def _rest(entry: dict[str, Any], taken: tuple[str, ...], kind: object = None) -> Extras:
    rest = {name: value for name, value in entry.items() if name not in ("type", "cache_control", *taken)}
    if kind is not None:
        rest["type"] = kind
    return rest or None


def _media(kind: object, entry: dict[str, Any]) -> Media | None:
    if kind in ("image_url", "video_url", "audio_url", "document_url"):
        return _addressed(str(kind), entry)
    if kind == "input_audio":
        return _input_audio(entry)
    if kind == "file":
        return _file(fields(entry.get("file")), entry)
    return None


def _addressed(kind: str, entry: dict[str, Any]) -> Media | None:
    address = entry.get(kind)
    inner = fields(address)
    url = address if isinstance(address, str) else text_or_none(inner.get("url"))
    if not url:
        return None
    modality: Any = {"image_url": "image", "video_url": "video", "audio_url": "audio"}.get(kind, "file")
    media = from_data_uri(modality, url, name=text_or_none(entry.get("document_name")))
    extras = _rest(entry, (kind, "document_name")) or {}
    if isinstance(address, str) and kind == "image_url":
        extras["is_bare"] = True  # Mistral's spelling: no object around the address
    if more := {name: value for name, value in inner.items() if name not in ("url", "detail")}:
        extras[kind] = more
    return Media(
        media.modality,
        media.media_type,
        media.url,
        media.data,
        name=media.name,
        detail=text_or_none(inner.get("detail")),
        cache=mark_of(entry.get("cache_control")),
        extras=extras | {"type": kind} if kind not in ("image_url",) else extras or None,
    )


def _input_audio(entry: dict[str, Any]) -> Media | None:
    sound = entry.get("input_audio")
    extras = _rest(entry, ("input_audio",))
    if isinstance(sound, str):
        found = from_data_uri("audio", sound) if sound.startswith(("data:", "http")) else Media("audio", data=sound)
        return Media("audio", found.media_type, found.url, found.data, extras={**(extras or {}), "is_bare": True})
    inner = fields(sound)
    data, form = text_or_none(inner.get("data")), text_or_none(inner.get("format"))
    mark = mark_of(entry.get("cache_control"))
    return Media("audio", f"audio/{form}" if form else None, data=data, cache=mark, extras=extras) if data else None


def _file(file: dict[str, Any], entry: dict[str, Any]) -> Media | None:
    name, mark = text_or_none(file.get("filename")), mark_of(entry.get("cache_control"))
    extras = _rest(entry, ("file", "file_id")) or {}
    if more := {key: value for key, value in file.items() if key not in ("filename", "file_data", "file_id")}:
        extras["file"] = more
    data = text_or_none(file.get("file_data"))
    if data:
        found = from_data_uri("file", data, name=name)
        if found.data is not None and not data.startswith("data:"):
            extras["is_bare"] = True
        return Media("file", found.media_type, found.url, found.data, name=name, cache=mark, extras=extras or None)
    file_id = text_or_none(file.get("file_id")) or text_or_none(entry.get("file_id"))
    return Media("file", file_id=file_id, name=name, cache=mark, extras=extras or None) if file_id else None


def _audio(audio: object) -> list[Part]:
    """What the model spoke: the sound and its words; in later requests only the sound's id."""
    audio = fields(audio)
    parts: list[Part] = []
    data, sound_id = text_or_none(audio.get("data")), text_or_none(audio.get("id"))
    transcript = text_or_none(audio.get("transcript"))
    if transcript:
        parts.append(Text(transcript, extras={OF: "audio"}))
    if data:
        parts.append(Media("audio", data=data, extras={OF: "audio"}))
    elif sound_id:
        parts.append(Media("audio", file_id=sound_id, extras={OF: "audio"}))
    return parts
