"""Asking Ollama's own `/api/chat` (https://docs.ollama.com/api/chat)."""

from typing import Final

import msgspec

from app.dialects.body_quirks import apply_quirks
from app.dialects.details import tell_details
from app.dialects.losses import Losses
from app.dialects.ollama_parts import NAME, with_images, written_call
from app.dialects.ollama_settings import chosen_tools, written_settings
from app.dialects.ollama_stream import OllamaDeltas
from app.dialects.text_results import text_of_file, text_results
from app.dialects.turns import call_names, identified, with_results
from app.dialects.writing import Restore, Written
from app.errors import InputError
from app.models.chat import ChatRequest, Tool
from app.models.message import Media, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.target import Target

_PATH: Final = "/api/chat"
_NO_PARAMETERS: Final[dict[str, object]] = {"type": "object", "properties": {}}
_FREE_TEXT: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
_to_json: Final = msgspec.json.Encoder().encode


class OllamaWriter:
    """Writes chats and reads their streams."""

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks Ollama.

        Raises InputError for media it cannot read (anything but images sent along), and for more than one answer.
        """
        losses = Losses()
        is_own = request.dialect == NAME
        if not is_own:
            tell_details(request, losses, "Ollama")
        body: dict[str, object] = {"model": target.model or request.model or "", "stream": request.is_stream}
        body["messages"] = _own_messages(request) if is_own else _messages(request, target, losses)
        tools = request.tools if is_own else chosen_tools(request, losses)
        if tools:
            body["tools"] = [_tool(tool, is_own=is_own) for tool in tools]
        params = dict(request.params) if is_own else {}
        body |= written_settings(request, target, losses, params.pop("options", None))
        body |= params
        apply_quirks(body, target.quirks, losses)
        output = request.settings.output
        restore = Restore(
            output=output if output is not None and output.kind != "text" else None,
            custom_tools=frozenset(tool.name for tool in tools if tool.kind == "custom"),
            splits_think_tags=target.quirks.has_think_tags,
        )
        return Written(_to_json(body), _PATH, losses=losses.all(), restore=restore)

    def read_deltas(self) -> OllamaDeltas:
        """Return a reader for one stream."""
        return OllamaDeltas()


def _own_messages(request: ChatRequest) -> list[dict[str, object]]:
    """Return a conversation that Ollama's own client sent, as it stood."""
    losses = Losses()
    written: list[dict[str, object]] = []
    for message in request.messages:
        extras = message.extras or {}
        for result in message.tool_results():
            named = {"tool_name": result.name, "tool_call_id": result.id}
            turn = {"role": "tool", "content": _said(result.parts), **_filled(named), **extras}
            written.append(with_images(turn, _images(result.parts)))
        if message.role == "tool":
            continue
        own: dict[str, object] = {"role": message.role, "content": _said(message.parts)}
        if thoughts := [part.text for part in message.parts if isinstance(part, Reasoning)]:
            own["thinking"] = "".join(thoughts)
        if calls := message.tool_calls():
            own["tool_calls"] = [written_call(call, losses, is_own=True) for call in calls]
        written.append(with_images({**own, **extras}, _images(message.parts)))
    return written


def _messages(request: ChatRequest, target: Target, losses: Losses) -> list[dict[str, object]]:
    """Return another dialect's conversation: every call answered right after its turn, nothing empty."""
    messages = with_results(request.messages if _has_ids(request) else identified(request.messages))
    names = call_names(messages)
    written: list[dict[str, object]] = []
    for message in text_results(messages, losses):
        if message.role == "tool":
            for result in message.tool_results():
                name = result.name or names.get(result.id or "", "")
                ids = _filled({"tool_name": name, "tool_call_id": result.id})
                written.append({"role": "tool", "content": _said(result.parts), **ids})
        elif message.role == "assistant":
            turn = _assistant(message, losses)
            written += [turn] if turn is not None else []
        elif message.parts:
            role = "user" if message.role == "user" else "system"
            written.append(_asked(message, target.quirks.roles.get(message.role, role), losses))
    return written


def _has_ids(request: ChatRequest) -> bool:
    """Whether every call and every result says which it is."""
    parts = (part for message in request.messages for part in message.parts)
    return all(part.id for part in parts if isinstance(part, ToolCall | ToolResult))


def _assistant(message: Message, losses: Losses) -> dict[str, object] | None:
    calls = [call for call in message.tool_calls() if not call.is_server_side]
    said = _said(message.parts)
    if any(isinstance(part, Media) for part in message.parts):
        losses.drop("messages.assistant.media", "Ollama takes back no media that a model made")
    if not said and not calls:
        return None
    turn: dict[str, object] = {"role": "assistant", "content": said}
    if calls:
        turn["tool_calls"] = [written_call(call, losses, is_own=False) for call in calls]
    return turn


def _asked(message: Message, role: str, losses: Losses) -> dict[str, object]:
    """Return a user's or a system's turn. Images stand beside the text: an order among them cannot be said."""
    texts: list[str] = []
    images: list[str] = []
    is_mixed = False
    for part in message.parts:
        if isinstance(part, Text | Refusal):
            is_mixed = is_mixed or bool(images and texts)
            texts.append(part.text)
        elif isinstance(part, Media):
            text, image = _media(part, losses)
            texts += [text] if text is not None else []
            images += [image] if image is not None else []
    if is_mixed:
        losses.change("messages.content", "Ollama has images beside a text, not inside it: they stand before it")
    return with_images({"role": role, "content": "\n".join(text for text in texts if text)}, images)


def _media(media: Media, losses: Losses) -> tuple[str | None, str | None]:
    """Return the text or the image that media are to Ollama."""
    if (text := text_of_file(media)) is not None:
        losses.change("messages.content.file", "a file of text is sent as text")
        return text, None
    if media.modality == "image" and media.data is not None:
        if media.detail is not None and media.detail != "auto":
            losses.drop("messages.content.image_url.detail", "Ollama looks at every image alike")
        return None, media.data
    if media.modality == "image" and media.url is not None:
        raise InputError(f"Ollama fetches no images: {media.url[:100]}.", hint="Send the image itself, as base64.")
    if media.file_id is not None:
        raise InputError(f"The file {media.file_id} lies at another provider.", hint="Send the file itself.")
    raise InputError(
        f"Ollama reads texts and images, no {media.modality} ({media.media_type or 'of unknown type'}).",
        hint="Send it as text, or ask a model that reads it.",
    )


def _said(parts: tuple[Part, ...]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, Text | Refusal) and part.text)


def _images(parts: tuple[Part, ...]) -> list[str]:
    return [part.data for part in parts if isinstance(part, Media) and part.data is not None]


def _filled(named: dict[str, str | None]) -> dict[str, object]:
    return {name: value for name, value in named.items() if value}


def _tool(tool: Tool, *, is_own: bool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if is_own:
        extras = dict(tool.extras or {})
        more = extras.pop("function", {})
        function |= {"parameters": tool.schema} if tool.schema is not None else {}
        function |= more if isinstance(more, dict) else {}
        return {"type": tool.kind, "function": function, **extras}
    schema = tool.schema if isinstance(tool.schema, dict) and tool.schema else _NO_PARAMETERS
    function["parameters"] = _FREE_TEXT if tool.kind == "custom" else schema
    return {"type": "function", "function": function}
