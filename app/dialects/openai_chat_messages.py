"""The messages of an OpenAI chat, written: as they stood, or from another dialect's conversation."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.openai_chat_parts import OF
from app.dialects.openai_chat_tools import written_mark
from app.dialects.text_results import text_of_file, text_results
from app.dialects.tool_names import ToolNames
from app.dialects.turns import with_results
from app.dialects.wire import json_text
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.message import Media, Message, Part, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.target import Target

Entry = dict[str, Any]
_VENDOR: Final = "OpenAI's chat"
_FORMATS: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def own_message(message: Message) -> list[Entry]:
    """Return a message of this dialect as it stood; one of results is one message each."""
    extras = message.extras or {}
    if message.role == "tool":
        return [_own_result(result, extras) for result in message.tool_results()]
    turn: Entry = {"role": message.role}
    content: list[Entry] = []
    calls: list[Any] = []
    for part in message.parts:
        _put_own(part, turn, content, calls)
    if content or not calls:
        is_text = len(content) == 1 and set(content[0]) == {"type", "text"} and content[0]["type"] == "text"
        if content:
            turn["content"] = content[0]["text"] if is_text else content
    if calls:
        turn["tool_calls"] = calls
    if message.name is not None:
        turn["name"] = message.name
    return [turn | extras]


def written_messages(request: ChatRequest, target: Target, names: ToolNames, losses: Losses) -> list[Entry]:
    """Return another dialect's conversation: every call answered right after its turn, results before a user's words.

    Raises InputError for media that a chat cannot hold.
    """
    _tell_details(request, losses)
    written: list[Entry] = []
    for message in text_results(with_results(request.messages), losses):
        if message.role == "assistant":
            turn = _assistant(message, target, names, losses)
            written += [turn] if turn is not None else []
        elif message.role == "tool":
            written += [_sent_result(result) for result in message.tool_results()]
        elif content := _content(message.parts, target, losses):
            entry: Entry = {"role": target.quirks.roles.get(message.role, message.role), "content": content}
            if message.name is not None:
                entry["name"] = message.name
            written.append(entry)
    return written


def sent_call(call: ToolCall, name: str) -> Entry:
    """Return a call as it stands in a message; without arguments it has an empty object, never an empty text."""
    if call.is_custom:
        return {"id": call.id, "type": "custom", "custom": {"name": name, "input": call.arguments}}
    return {"id": call.id, "type": "function", "function": {"name": name, "arguments": call.arguments or "{}"}}


def media_entry(media: Media) -> Entry | None:
    """Return the part of a content list that holds this, None where a chat has none for it."""
    address = media.url or f"data:{media.media_type or 'application/octet-stream'};base64,{media.data}"
    if media.modality == "image" and media.file_id is None:
        image: Entry = {"url": address}
        if media.detail is not None:
            image["detail"] = media.detail
        return {"type": "image_url", "image_url": image}
    if media.modality == "audio" and media.data is not None:
        form = _FORMATS.get(media.media_type or "", (media.media_type or "audio/wav").rpartition("/")[2])
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": form}}
    if media.modality == "file" and media.url is None:
        file: Entry = {"file_id": media.file_id} if media.file_id else {"file_data": address}
        if media.name or not media.file_id:
            file["filename"] = media.name or "file"
        return {"type": "file", "file": file}
    return None


def _own_result(result: ToolResult, extras: dict[str, object]) -> Entry:
    content: list[Entry] = []
    for part in result.parts:
        _put_own(part, {}, content, [])
    entry: Entry = {"role": "tool", "content": content}
    if len(content) == 1 and set(content[0]) == {"type", "text"}:
        entry["content"] = content[0]["text"]
    elif not content:
        entry["content"] = ""
    if result.id is not None:
        entry["tool_call_id"] = result.id
    if result.name is not None:
        entry["name"] = result.name
    return entry | extras


def _put_own(part: Part, turn: Entry, content: list[Entry], calls: list[Any]) -> None:
    """Put a part where it stood in its turn."""
    extras = getattr(part, "extras", None) or {}
    of = extras.get(OF)
    if isinstance(part, Reasoning):
        if of in ("reasoning_content", "reasoning"):
            turn[str(of)] = part.text
        elif of is None and extras.get("type") == "thinking":
            content.append(extras)
    elif of is not None and of != "content":
        return  # kept whole in the message's extras
    elif isinstance(part, Text):
        content.append(_marked({"type": "text", "text": part.text, **extras}, part))
    elif isinstance(part, Refusal):
        if of == "content":
            content.append({"type": "refusal", "refusal": part.text})
        else:
            turn["refusal"] = part.text
    elif isinstance(part, ToolCall):
        calls.append(_own_call(part))
    elif isinstance(part, Media):
        content.append(_own_media(part))
    elif isinstance(part, Raw):
        if isinstance(part.value, dict) and turn.get("role") == "assistant" and "id" in part.value:
            calls.append(part.value)
        else:
            content.append(part.value)  # type: ignore[arg-type]


def _own_call(call: ToolCall) -> Entry:
    extras = dict(call.extras or {})
    more = extras.pop("function", None)
    field, said = ("custom", "input") if call.is_custom else ("function", "arguments")
    inner: Entry = {"name": call.name, said: call.arguments}
    if isinstance(more, dict):
        inner |= more
    entry: Entry = {"type": field, field: inner}
    return ({"id": call.id} if call.id is not None else {}) | entry | extras


def _own_media(media: Media) -> Entry:
    extras = dict(media.extras or {})
    is_bare, kind = extras.pop("is_bare", False), extras.pop("type", None)
    address = media.url or (f"data:{media.media_type};base64,{media.data}" if media.media_type else media.data)
    if kind in ("video_url", "audio_url", "document_url"):
        entry: Entry = {"type": kind, kind: address if kind == "document_url" else {"url": address}}
        if media.name is not None:
            entry["document_name"] = media.name
    elif is_bare and media.modality == "image":
        entry = {"type": "image_url", "image_url": address}
    elif is_bare and media.modality == "audio":
        entry = {"type": "input_audio", "input_audio": media.url or address}
    else:
        entry = media_entry(media) or {"type": "file", "file": {"file_data": media.url, "filename": media.name}}
        if media.modality == "image":
            entry["image_url"] |= extras.pop("image_url", None) or {}
        elif media.modality == "file":
            if is_bare:
                entry["file"]["file_data"] = media.data
            if media.name is None:
                entry["file"].pop("filename", None)
            entry["file"] |= extras.pop("file", None) or {}
        elif media.media_type is None:
            entry["input_audio"].pop("format", None)
    return _marked(entry | extras, media)


def _marked(entry: Entry, part: Text | Media) -> Entry:
    if part.cache is not None:
        entry["cache_control"] = written_mark(part.cache)
    return entry


def _assistant(message: Message, target: Target, names: ToolNames, losses: Losses) -> Entry | None:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[Entry] = []
    refusals: list[str] = []
    for part in message.parts:
        if isinstance(part, Text):
            texts.append(part.text)
        elif isinstance(part, Reasoning):
            thoughts.append(part.text)
        elif isinstance(part, Refusal):
            refusals.append(part.text)
        elif isinstance(part, ToolCall) and not part.is_server_side:
            calls.append(_sent(part, names))
        elif isinstance(part, Media):
            losses.drop("messages.assistant.media", f"{_VENDOR} takes back no media that a model made")
    turn: Entry = {"role": "assistant"}
    field = target.quirks.reasoning_field
    if field and any(thoughts):
        turn[field] = "\n".join(filter(None, thoughts))
    if texts:
        turn["content"] = "\n".join(texts) if len(texts) > 1 else texts[0]
    if refusals:
        turn["refusal"] = "\n".join(refusals)
    if calls:
        turn["tool_calls"] = calls
        turn.setdefault("content", None)
    if not texts and not calls and not refusals:
        return None
    return turn


def _sent(call: ToolCall, names: ToolNames) -> Entry:
    return sent_call(call, names.sent(call.name))


def _sent_result(result: ToolResult) -> Entry:
    said = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    return {"role": "tool", "tool_call_id": result.id or "", "content": said}


def _content(parts: Iterable[Part], target: Target, losses: Losses) -> str | list[Entry]:
    listed: list[Entry] = []
    for part in parts:
        if isinstance(part, Text | Refusal):
            if part.text:
                listed.append({"type": "text", "text": part.text})
        elif isinstance(part, Media):
            listed.append(_sent_media(part, losses))
    if all(entry["type"] == "text" for entry in listed) and (len(listed) == 1 or not target.quirks.takes_parts):
        return "\n".join(entry["text"] for entry in listed)
    if not target.quirks.takes_parts:
        losses.drop("messages.content.media", f"{target.provider} takes texts alone")
        return "\n".join(entry["text"] for entry in listed if entry["type"] == "text")
    return listed


def _sent_media(media: Media, losses: Losses) -> Entry:
    if media.file_id is not None:
        raise InputError(
            f"The file {media.file_id} is kept at another provider.", hint="Send what is in it instead of its id."
        )
    written = text_of_file(media)
    if written is not None:
        losses.change("messages.content.file", "a file of text is sent as text")
        return {"type": "text", "text": written}
    entry = media_entry(media)
    if entry is None:
        what = f"a {media.modality}{' by its address' if media.url else ''}"
        raise InputError(f"{_VENDOR} cannot hold {what}.", hint="Send its bytes, or ask a model that reads it.")
    return entry


def _tell_details(request: ChatRequest, losses: Losses) -> None:
    """Note what stands in a conversation's details and has no place here."""
    for message in request.messages:
        for part in message.parts:
            inner = part.parts if isinstance(part, ToolResult) else ()
            for one in (part, *inner):
                _tell(one, losses)


def _tell(part: Part, losses: Losses) -> None:
    if isinstance(part, Raw):
        losses.drop(f"messages.content.{part.kind or 'part'}", f"{_VENDOR} has no such part")
    elif isinstance(part, Reasoning):
        if part.signature is not None:
            losses.drop("reasoning", "another provider's thoughts")
    elif isinstance(part, ToolCall | ToolResult) and part.is_server_side:
        losses.drop("messages.content.server_tool", "another provider ran it")
    elif isinstance(part, Text) and part.citations:
        losses.drop("messages.content.citations", f"{_VENDOR} takes back no citations")
    if getattr(part, "cache", None) is not None:
        losses.drop("cache_control", "OpenAI takes no marks for caching: it caches by itself")


def with_instruction(messages: list[Entry], instruction: str) -> list[Entry]:
    """Return the conversation with an instruction at the end of its system prompt, or before everything."""
    first = messages[0] if messages else {}
    if first.get("role") in ("system", "developer") and isinstance(first.get("content"), str):
        return [{**first, "content": f"{first['content']}\n\n{instruction}"}, *messages[1:]]
    return [{"role": "system", "content": instruction}, *messages]


def schema_instruction(schema: object) -> str:
    """Return what tells a model without structured output what its answer must be."""
    if schema is None:
        return "Answer with one JSON object and nothing else."
    return f"Answer with JSON that matches this JSON schema and with nothing else:\n{json_text(schema)}"


def fitted_ids(messages: list[Entry], pattern: str) -> list[Entry]:
    """Return the conversation with call ids that match in full, the same way each time, calls and results alike."""
    allowed = re.compile(pattern)

    def fit(call_id: str) -> str:
        if allowed.fullmatch(call_id):
            return call_id
        tag = sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
        return next((tag[:size] for size in range(6, 65) if allowed.fullmatch(tag[:size])), call_id)

    fitted: list[Entry] = []
    for message in messages:
        if message.get("tool_calls"):
            calls = [{**call, "id": fit(call["id"] or "")} for call in message["tool_calls"]]
            message = {**message, "tool_calls": calls}
        elif message.get("role") == "tool":
            message = {**message, "tool_call_id": fit(message["tool_call_id"])}
        fitted.append(message)
    return fitted
