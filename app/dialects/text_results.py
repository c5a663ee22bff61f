"""Tool results as plain text, for dialects whose results are nothing else.

What cannot stand in a text (an image, a file) follows in a user's message that says which call it came from; a result
that is an error says so in its first word.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Final

from app.dialects.losses import Losses
from app.models.message import Media, Message, Part, Raw, Refusal, Text, ToolResult

_ERROR: Final = "Error: "
_TEXTUAL: Final = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml")


def text_results(messages: Iterable[Message], losses: Losses) -> list[Message]:
    """Return the conversation with one message a result, and its media after the last of them."""
    shaped: list[Message] = []
    moved: list[Part] = []
    for message in messages:
        if message.role != "tool":
            if moved:
                shaped.append(Message("user", tuple(moved)))
                moved = []
            shaped.append(message)
            continue
        for result in message.tool_results():
            shaped.append(Message("tool", (_plain(result, moved, losses),), message.name, message.extras))
    if moved:
        shaped.append(Message("user", tuple(moved)))
    return shaped


def text_of_file(media: Media) -> str | None:
    """Return what stands in a file of text, after its name; None for any other file."""
    if media.modality != "file" or media.data is None or not (media.media_type or "").startswith(_TEXTUAL):
        return None
    try:
        written = base64.b64decode(media.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return f"{media.name}:\n{written}" if media.name else written


def _plain(result: ToolResult, moved: list[Part], losses: Losses) -> ToolResult:
    if len(result.parts) == 1 and type(result.parts[0]) is Text and not result.is_error:
        return result
    texts: list[str] = []
    media: list[Part] = []
    for part in result.parts:
        if isinstance(part, Text | Refusal):
            texts.append(part.text)
        elif isinstance(part, Media) and (written := text_of_file(part)) is not None:
            texts.append(written)
        elif isinstance(part, Media):
            media.append(part)
        elif not isinstance(part, Raw):
            losses.drop("messages.tool.content", "only texts and media can be a tool's result")
    if media:
        losses.change("messages.tool.content", "media of a tool's result follow in a user's message")
        texts.append("(see the next message)")
        moved += [Text(f"From the result of the call {result.id or result.name or ''}:"), *media]
    said = "\n".join(texts)
    if result.is_error:
        losses.change("messages.tool.is_error", "stands as a word before the result's text")
        said = said if said.lower().startswith("error") else _ERROR + said
    return ToolResult(result.id, result.name, (Text(said),), extras=result.extras)
