"""One message of an OpenAI chat, sent or answered, and the spellings of all who copied it."""

from typing import Any, Final

import msgspec

from app.dialects.media import from_data_uri
from app.dialects.wire import entries, fields, json_text, text_or_none, word
from app.models.message import Media, Message, Part, Raw, Reasoning, Refusal, Role, Text, ToolCall, ToolResult

ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}

_NO_CALL: Final = ToolCall(None, "", "")
"""Snowflake sends a `function_call` of empty texts with every answer."""


class Turn(msgspec.Struct, gc=False):
    """A message or a delta as the wire has it."""

    role: Any = None
    content: Any = None
    name: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    tool_calls: Any = None
    tool_call_id: Any = None
    function_call: Any = None
    audio: Any = None


def message_of(turn: Turn, role: Role | None = None) -> Message:
    """Return the message of a whole turn, under its own role or the one given."""
    role = role or (ROLES.get(turn.role, "user") if isinstance(turn.role, str) else "user")
    if role == "tool":
        result = ToolResult(word(turn.tool_call_id), word(turn.name), tuple(content_parts(turn.content)))
        return Message("tool", (result,))
    parts = reasoning_parts(turn.reasoning_content or turn.reasoning, turn.reasoning_details)
    if turn.content:
        parts += content_parts(turn.content)
    if turn.refusal and isinstance(turn.refusal, str):
        parts.append(Refusal(turn.refusal))
    if turn.audio:
        parts += _audio(turn.audio)
    if turn.tool_calls or turn.function_call:
        listed = entries(turn.tool_calls)
        if isinstance(turn.function_call, dict):
            listed.append({"function": turn.function_call})
        parts += [part for call in listed if (part := call_of(call)) != _NO_CALL]
    return Message(role, tuple(parts), text_or_none(turn.name))


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
    return [part for part in parts if part != Text("")]


def reasoning_parts(text: object, details: object) -> list[Part]:
    """Return what was thought: OpenRouter's details with their proofs, else the plain text."""
    proofs: list[Part] = []
    for detail in entries(details):
        said = text_or_none(detail.get("text")) or text_or_none(detail.get("summary")) or ""
        proof = text_or_none(detail.get("signature")) or text_or_none(detail.get("data"))
        if said or proof:
            proofs.append(Reasoning(said, proof))
    if isinstance(text, str) and text and not any(isinstance(part, Reasoning) and part.text for part in proofs):
        return [Reasoning(text), *proofs]
    return proofs


def call_of(call: dict[str, Any]) -> ToolCall | Raw:
    """Return a tool call: a function's, or a custom tool's with its free text."""
    function = call.get("function") or call.get("custom")
    if not isinstance(function, dict):
        return Raw(word(call.get("type")) or "tool_call", call)
    arguments = function.get("arguments", function.get("input"))
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json_text(arguments)
    return ToolCall(word(call.get("id")), word(function.get("name")) or "", arguments)


def thinking_text(entry: dict[str, Any]) -> str:
    """Return the text of a `thinking` part: Mistral's list of texts, or a text."""
    thinking = entry.get("thinking")
    if isinstance(thinking, str):
        return thinking
    return "".join(text_or_none(piece.get("text")) or "" for piece in entries(thinking))


def _part(entry: dict[str, Any]) -> Part:
    kind = entry.get("type")
    if kind in ("text", "input_text", "output_text") and isinstance(entry.get("text"), str):
        return Text(entry["text"])
    if kind == "thinking":
        return Reasoning(thinking_text(entry), text_or_none(entry.get("signature")))
    if kind == "refusal" and isinstance(entry.get("refusal"), str):
        return Refusal(entry["refusal"])
    return _media(kind, entry) or Raw(word(kind) or "", entry)


def _media(kind: object, entry: dict[str, Any]) -> Media | None:
    if kind in ("image_url", "video_url", "audio_url", "document_url"):
        address = entry.get(kind) if isinstance(kind, str) else None
        url = address if isinstance(address, str) else text_or_none(fields(address).get("url"))
        modality: Any = {"image_url": "image", "video_url": "video", "audio_url": "audio"}.get(str(kind), "file")
        return from_data_uri(modality, url, name=text_or_none(entry.get("document_name"))) if url else None
    if kind == "input_audio":
        return _input_audio(entry.get("input_audio"))
    if kind == "file":
        return _file(fields(entry.get("file")), entry)
    return None


def _input_audio(sound: object) -> Media | None:
    if isinstance(sound, str):
        return from_data_uri("audio", sound) if sound.startswith(("data:", "http")) else Media("audio", data=sound)
    sound = fields(sound)
    data, form = text_or_none(sound.get("data")), text_or_none(sound.get("format"))
    return Media("audio", f"audio/{form}" if form else None, data=data) if data else None


def _file(file: dict[str, Any], entry: dict[str, Any]) -> Media | None:
    name = text_or_none(file.get("filename"))
    data = text_or_none(file.get("file_data"))
    if data:
        return from_data_uri("file", data, name=name)
    file_id = text_or_none(file.get("file_id")) or text_or_none(entry.get("file_id"))
    return Media("file", file_id=file_id, name=name) if file_id else None


def _audio(audio: object) -> list[Part]:
    """What the model spoke: the sound and its words; in later requests only the sound's id."""
    audio = fields(audio)
    parts: list[Part] = []
    data, sound_id = text_or_none(audio.get("data")), text_or_none(audio.get("id"))
    transcript = text_or_none(audio.get("transcript"))
    if transcript:
        parts.append(Text(transcript))
    if data:
        parts.append(Media("audio", data=data))
    elif sound_id:
        parts.append(Media("audio", file_id=sound_id))
    return parts
