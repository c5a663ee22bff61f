"""Asking Cohere's `/v2/chat` (https://docs.cohere.com/reference/chat)."""

import re
from typing import Final

import msgspec

from app.dialects.body_quirks import apply_quirks
from app.dialects.cohere_answer import NAME
from app.dialects.cohere_parts import PLAN, written_call, written_citation, written_part
from app.dialects.cohere_settings import written_settings
from app.dialects.cohere_stream import CohereDeltas
from app.dialects.cohere_tools import Tooling
from app.dialects.details import tell_details
from app.dialects.losses import Losses
from app.dialects.text_results import text_of_file, text_results
from app.dialects.tool_names import ToolNames
from app.dialects.turns import with_results
from app.dialects.writing import Restore, Written
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.message import Media, Message, Part, Refusal, Text, ToolResult
from app.models.target import Target

_PATH: Final = "/v2/chat"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_NAME: Final = 64
_to_json: Final = msgspec.json.Encoder().encode


class CohereWriter:
    """Writes v2 chats and reads their streams."""

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks Cohere.

        Raises InputError for media that Cohere's models cannot read, and for more than one answer.
        """
        losses = Losses()
        is_own = request.dialect == NAME
        if not is_own:
            tell_details(request, losses, "Cohere")
        names = _names(request, is_own=is_own)
        tooling = Tooling(request, target, names, losses)
        body: dict[str, object] = {"model": target.model or request.model or "", "stream": request.is_stream}
        body["messages"] = _messages(request, names, target, losses) if not is_own else _own_messages(request)
        if tooling.instruction:
            body["messages"] = _instructed(body["messages"], tooling.instruction)
        body |= tooling.fields()
        body |= written_settings(request.settings, target, losses)
        if is_own:
            body |= request.params
        apply_quirks(body, target.quirks, losses)
        restore = Restore(
            names=names.changed(),
            output_tool=tooling.output_tool,
            output=tooling.checked,
            custom_tools=tooling.custom,
            splits_think_tags=target.quirks.has_think_tags,
        )
        return Written(_to_json(body), _PATH, losses=losses.all(), restore=restore)

    def read_deltas(self) -> CohereDeltas:
        """Return a reader for one stream."""
        return CohereDeltas()


def _names(request: ChatRequest, *, is_own: bool) -> ToolNames:
    """Return the names of all tools, declared or called."""
    called = [call.name for message in request.messages for call in message.tool_calls()]
    allowed = re.compile(r".*", re.DOTALL) if is_own else _NAME
    return ToolNames([*(tool.name for tool in request.tools), *called], allowed, 10_000 if is_own else _LONGEST_NAME)


def _own_messages(request: ChatRequest) -> list[dict[str, object]]:
    """Return a conversation that Cohere's own client sent, as it stood."""
    written: list[dict[str, object]] = []
    for message in request.messages:
        if message.role == "tool":
            written += [_own_result(result, message) for result in message.tool_results()]
        else:
            written.append(_own_turn(message))
    return written


def _own_turn(message: Message) -> dict[str, object]:
    turn: dict[str, object] = {"role": message.role, **(message.extras or {})}
    content: list[dict[str, object]] = []
    cited: list[dict[str, object]] = []
    for part in message.parts:
        if isinstance(part, Text) and part.extras == PLAN:
            turn["tool_plan"] = part.text
        elif (entry := written_part(part, is_own=True)) is not None:
            content.append(entry)
        if isinstance(part, Text):
            cited += [written_citation(citation) for citation in part.citations]
    if calls := message.tool_calls():
        turn["tool_calls"] = [written_call(call, call.name, is_own=True) for call in calls]
    if content:
        turn["content"] = content
    if cited:
        turn["citations"] = cited + list(turn.get("citations") or ())  # type: ignore[call-overload]
    return turn


def _own_result(result: ToolResult, message: Message) -> dict[str, object]:
    content = [entry for part in result.parts if (entry := written_part(part, is_own=True)) is not None]
    return {"role": "tool", "tool_call_id": result.id or "", "content": content, **(message.extras or {})}


def _messages(request: ChatRequest, names: ToolNames, target: Target, losses: Losses) -> list[dict[str, object]]:
    """Return another dialect's conversation: every call answered right after its turn, nothing empty."""
    written: list[dict[str, object]] = []
    for message in text_results(with_results(request.messages), losses):
        if message.role == "assistant":
            turn = _assistant(message, names, losses)
            written += [turn] if turn is not None else []
        elif message.role == "tool":
            for result in message.tool_results():
                said = "".join(part.text for part in result.parts if isinstance(part, Text))
                written.append({"role": "tool", "tool_call_id": result.id or "", "content": said})
        elif content := _content(message.parts, losses, target):
            role = "user" if message.role == "user" else "system"
            written.append({"role": target.quirks.roles.get(message.role, role), "content": content})
    return written


def _assistant(message: Message, names: ToolNames, losses: Losses) -> dict[str, object] | None:
    """Return a turn of the model's; words before calls are their plan, as Cohere itself writes them."""
    texts = [part.text for part in message.parts if isinstance(part, Text | Refusal) and part.text]
    calls = [call for call in message.tool_calls() if not call.is_server_side]
    if any(isinstance(part, Media) for part in message.parts):
        losses.drop("messages.assistant.media", "Cohere takes back no media that a model made")
    if not calls:
        return {"role": "assistant", "content": _joined(texts)} if texts else None
    turn: dict[str, object] = {"role": "assistant"}
    if texts:
        turn["tool_plan"] = "\n".join(texts)
    turn["tool_calls"] = [written_call(call, names.sent(call.name), is_own=False) for call in calls]
    return turn


def _content(parts: tuple[Part, ...], losses: Losses, target: Target) -> object:
    """Return a user's or a system's content: one text as it is, anything else as a list."""
    entries: list[dict[str, object]] = []
    for part in parts:
        if isinstance(part, Text | Refusal):
            entries += [{"type": "text", "text": part.text}] if part.text else []
        elif isinstance(part, Media):
            entries.append(_media(part, losses, target))
    if all(entry["type"] == "text" for entry in entries):
        return _joined([str(entry["text"]) for entry in entries])
    return entries


def _joined(texts: list[str]) -> object:
    return texts[0] if len(texts) == 1 else [{"type": "text", "text": text} for text in texts]


def _media(media: Media, losses: Losses, target: Target) -> dict[str, object]:
    if media.file_id is not None:
        raise InputError(
            f"The file {media.file_id} lies at another provider: {target.model} cannot read it.",
            hint="Send the file itself.",
        )
    if (text := text_of_file(media)) is not None:
        losses.change("messages.content.file", "a file of text is sent as text")
        return {"type": "text", "text": text}
    written = written_part(media, is_own=False)
    if written is None:
        raise InputError(
            f"Cohere reads texts and images, no {media.modality} ({media.media_type or 'of unknown type'}).",
            hint="Send it as text, or ask a model that reads it.",
        )
    return written


def _instructed(messages: object, instruction: str) -> list[dict[str, object]]:
    """Return messages with an instruction as the first, so that what follows stays the same from call to call."""
    assert isinstance(messages, list)
    return [{"role": "system", "content": instruction}, *messages]
