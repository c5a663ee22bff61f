"""A conversation written as the input items of OpenAI's responses.

The system messages that a conversation begins with go into `instructions`: they stand before all else in every call,
so that nothing said later moves them and the provider's prompt cache holds. Later ones stay where they are.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.openai_responses_ids import is_minted
from app.dialects.openai_responses_items import DIALECT, ITEM
from app.dialects.openai_responses_tools import Names
from app.dialects.turns import leading_system
from app.dialects.wire import json_text
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.message import (
    Citation,
    Extras,
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

Item = dict[str, Any]

INSTRUCTIONS: Final = "instructions"
"""In the extras of a system message: it came in the field of that name."""
_ERROR: Final = "Error: "
_FILE_NAME: Final = "file"
_CONTENT: Final = ("input_", "output_")
_CACHE_REASON: Final = "OpenAI finds by itself what it has in its cache"


def input_of(request: ChatRequest, names: Names, losses: Losses) -> dict[str, object]:
    """Return `instructions` and `input` of a request, each where it has one.

    Raises InputError for what OpenAI cannot take and the conversation cannot do without.
    """
    if request.dialect == DIALECT:
        return _own_input(request, names, losses)
    first, rest = leading_system(request.messages)
    writer = _Items(request, names, losses)
    written: dict[str, object] = {}
    if first and all(type(part) is Text for message in first for part in message.parts):
        texts = [part for message in first for part in message.parts if isinstance(part, Text)]
        writer.note_cache(texts)
        written[INSTRUCTIONS] = "\n\n".join(text.text for text in texts if text.text)
    else:
        rest = request.messages
    written["input"] = writer.items(rest)
    return written


def _own_input(request: ChatRequest, names: Names, losses: Losses) -> dict[str, object]:
    messages: Sequence[Message] = request.messages
    written: dict[str, object] = {}
    writer = _Items(request, names, losses)
    if messages and (messages[0].extras or {}).get(INSTRUCTIONS):
        parts = messages[0].parts
        is_text = len(parts) == 1 and type(parts[0]) is Text and parts[0].extras is None
        written[INSTRUCTIONS] = messages[0].text() if is_text else [writer.content(part, "input") for part in parts]
        messages = messages[1:]
    items = writer.items(messages)
    if items:
        written["input"] = items
    return written


class _Items:
    """Writes the messages of one request."""

    def __init__(self, request: ChatRequest, names: Names, losses: Losses) -> None:
        self._is_own = request.dialect == DIALECT
        self._is_openai = request.dialect.startswith("openai")
        self._names, self._losses = names, losses
        self._custom = {
            call.id
            for message in request.messages
            for call in message.parts
            if isinstance(call, ToolCall) and call.is_custom
        }

    def items(self, messages: Iterable[Message]) -> list[Item]:
        """Return the items of messages, in order."""
        items: list[Item] = []
        for message in messages:
            if message.name is not None and not self._is_own:
                self._losses.drop("messages.name", "OpenAI's responses have no names of speakers")
            if message.role == "assistant":
                self._turn(message.parts, items)
            elif message.role == "tool" or any(isinstance(part, ToolResult) for part in message.parts):
                self._results(message, items)
            else:
                items += self._said(message.role, message.parts, message.extras)
        if not self._is_own:
            _flatten(items)
        return items

    def content(self, part: Part, side: str) -> Item:
        """Return one entry of a content list; `side` is input or output."""
        if isinstance(part, Text):
            return self._text(part, f"{side}_text")
        if isinstance(part, Refusal):
            if side == "input":
                return {"type": "input_text", "text": part.text}
            return {"type": "refusal", "refusal": part.text, **self._own(part.extras)}
        if isinstance(part, Media):
            return self._media(part)
        if isinstance(part, Raw) and self._is_own:
            return part.value  # type: ignore[return-value]
        if isinstance(part, Raw):
            raise InputError(
                f"A part of type {part.kind!r} cannot be carried to OpenAI's responses.",
                hint="Send text, images and files.",
            )
        return {"type": f"{side}_text", "text": getattr(part, "text", "")}

    def note_cache(self, parts: Iterable[Part]) -> None:
        """Say that marks for caching are not sent."""
        if not self._is_own and any(not isinstance(part, Raw | Refusal | Reasoning) and part.cache for part in parts):
            self._losses.drop("cache_control", _CACHE_REASON)

    def _said(self, role: str, parts: Sequence[Part], extras: Extras) -> list[Item]:
        """A message of one plain text is written as a text."""
        if self._is_own and parts and all(isinstance(part, Raw) and not _is_content(part) for part in parts):
            return [part.value for part in parts]  # type: ignore[union-attr, misc]
        self.note_cache(parts)
        plain = not parts or (len(parts) == 1 and type(parts[0]) is Text and not (self._is_own and parts[0].extras))
        content: object
        if plain:
            content = parts[0].text if parts else ""  # type: ignore[union-attr]
        else:
            content = [
                self.content(part, "input") for part in parts if self._is_own or not isinstance(part, Text) or part.text
            ]
        return [{"type": "message", "role": role, "content": content, **self._own(extras)}]

    def _results(self, message: Message, items: list[Item]) -> None:
        others: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                items.append(self._result(part))
            else:
                others.append(part)
        if others:
            items += self._said("user", others, None)

    def _result(self, result: ToolResult) -> Item:
        if self._is_own and result.extras and isinstance(whole := result.extras.get(ITEM), dict):
            return whole
        self.note_cache((result, *result.parts))
        kind = "custom_tool_call_output" if result.id in self._custom else "function_call_output"
        item: Item = {"type": kind, "call_id": result.id, "output": self._output(result)}
        if self._is_own and result.name is not None:
            item["name"] = result.name
        return {**item, **self._own(result.extras)}

    def _output(self, result: ToolResult) -> object:
        parts = [part for part in result.parts if self._is_own or part != Text("")]
        if result.is_error and not self._is_own:
            self._losses.change("messages.content.is_error", "a result has no mark for errors here: its text says so")
            parts.insert(0, Text(_ERROR))
        if all(isinstance(part, Text) and not (self._is_own and part.extras) for part in parts) and (
            len(parts) < 2 or not self._is_own
        ):
            joined = "\n".join(part.text for part in parts if isinstance(part, Text))
            return joined.replace(f"{_ERROR}\n", _ERROR, 1) if result.is_error else joined
        return [self._in_result(part) for part in parts]

    def _in_result(self, part: Part) -> Item:
        if isinstance(part, Raw) and not self._is_own:
            return {"type": "input_text", "text": json_text(part.value)}
        return self.content(part, "input")

    def _turn(self, parts: Sequence[Part], items: list[Item]) -> None:
        """Write one assistant's turn: runs of texts are one message, all else is an item of its own."""
        said: Item | None = None
        self.note_cache(parts)
        for part in parts:
            if isinstance(part, Text | Refusal) or (isinstance(part, Raw) and _is_content(part) and self._is_own):
                own = (part.extras or {}).get(ITEM) if self._is_own and not isinstance(part, Raw) else None
                if said is None or own is not None:
                    if not self._is_own and not getattr(part, "text", ""):
                        continue
                    said = {"type": "message", "role": "assistant", "content": []}
                    said |= _sendable(own if isinstance(own, dict) else {})
                    items.append(said)
                if part != Text("", extras=getattr(part, "extras", None)):
                    said["content"].append(self._spoken(part, has_id="id" in said))
                continue
            item = self._item(part)
            if item is not None:
                said = None
                items.append(item)

    def _spoken(self, part: Part, *, has_id: bool) -> Item:
        entry = self.content(part, "output")
        if isinstance(part, Text) and (part.citations or has_id):
            entry["annotations"] = [written_citation(citation, is_own=self._is_own) for citation in part.citations]
        return entry

    def _item(self, part: Part) -> Item | None:
        """Return what is an item of its own in an assistant's turn, None for what is left out."""
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        extras = None if isinstance(part, Raw) else part.extras
        if self._is_own:
            if extras and ITEM in extras:
                whole = extras[ITEM]
                return whole if isinstance(whole, dict) else None
            if isinstance(part, Raw):
                return part.value  # type: ignore[return-value]
        if isinstance(part, ToolCall) and not part.is_server_side:
            return self._call(part)
        if isinstance(part, ToolResult) and not part.is_server_side:
            return self._result(part)
        if isinstance(part, Media):
            self._losses.drop("messages.content.media", "an assistant's turn holds no media here")
        else:
            self._losses.drop("messages.content.server_tools", "what another provider's own tools did stays with it")
        return None

    def _call(self, call: ToolCall) -> Item:
        kind, key = ("custom_tool_call", "input") if call.is_custom else ("function_call", "arguments")
        arguments = call.arguments if call.is_custom or self._is_own else call.arguments or "{}"
        item: Item = {"type": kind, "call_id": call.id, "name": self._names(call.name), key: arguments}
        return {**item, **_sendable(self._own(call.extras))}

    def _reasoning(self, thought: Reasoning) -> Item | None:
        """Return a thought for its own provider; another's is left out, and one that only we kept has no place."""
        own = self._own(thought.extras)
        kept = _sendable(own)
        is_proven = thought.origin == DIALECT and thought.signature is not None
        if not is_proven and (thought.origin is not None or not self._is_own or kept is not own):
            self._losses.drop("messages.reasoning", "another provider's thoughts")
            return None
        summary = [{"type": "summary_text", "text": thought.text}] if thought.text else []
        item: Item = {"type": "reasoning", "summary": summary, **kept}
        if thought.signature is not None:
            item["encrypted_content"] = thought.signature
        return item

    def _text(self, text: Text, kind: str) -> Item:
        entry: Item = {"type": kind, "text": text.text}
        if self._is_own and text.extras:
            entry |= {name: value for name, value in text.extras.items() if name != ITEM}
        return entry

    def _media(self, media: Media) -> Item:
        if media.modality == "image":
            entry: Item = {"type": "input_image", **self._image_source(media)}
        elif media.modality == "file":
            entry = {"type": "input_file", **self._file_source(media)}
        elif media.modality == "audio":
            entry = self._sound(media)
        else:
            raise InputError("OpenAI's responses cannot watch videos.", hint="Send images of it.")
        if media.detail is not None:
            entry["detail"] = media.detail
        return {**entry, **self._own(media.extras)}

    def _image_source(self, media: Media) -> Item:
        if media.file_id is not None:
            return {"file_id": self._own_file(media.file_id)}
        url = media.url or f"data:{media.media_type or 'image/png'};base64,{media.data}"
        return {"image_url": url} if self._is_own or media.detail else {"image_url": url, "detail": "auto"}

    def _file_source(self, media: Media) -> Item:
        if media.file_id is not None:
            return {"file_id": self._own_file(media.file_id), **_named(media)}
        if media.url is not None:
            return {"file_url": media.url, **_named(media)}
        kind = media.media_type or (None if self._is_own else "application/pdf")
        data = f"data:{kind};base64,{media.data}" if kind else media.data
        if self._is_own:
            return {"file_data": data, **_named(media)}
        return {"filename": media.name or f"{_FILE_NAME}.{(kind or 'pdf').rpartition('/')[2]}", "file_data": data}

    def _sound(self, media: Media) -> Item:
        if not self._is_own:
            raise InputError("OpenAI's responses cannot hear sounds.", hint="Ask a model that can.")
        form = (media.media_type or "").removeprefix("audio/")
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": form}}

    def _own_file(self, file_id: str) -> str:
        if not self._is_openai:
            raise InputError(
                f"The file {file_id!r} is kept at another provider than the one asked.",
                hint="Send the file itself, or upload it to OpenAI.",
            )
        return file_id

    def _own(self, extras: Extras) -> Item:
        return extras if self._is_own and extras else {}


def written_citation(citation: Citation, *, is_own: bool) -> Item:
    """Return a citation as an annotation; one of another provider's forms is a URL's."""
    own = citation.extras or {} if is_own else {}
    if own.get("type") in (None, "url_citation"):
        annotation: Item = {
            "type": "url_citation",
            "url": citation.url or "",
            "title": citation.title or "",
            "start_index": citation.start or 0,
            "end_index": citation.end or 0,
        }
        return {**annotation, **own}
    parts = {"filename": citation.title, "start_index": citation.start, "end_index": citation.end, "url": citation.url}
    return {**own, **{name: value for name, value in parts.items() if value is not None}}


def _flatten(items: list[Item]) -> None:
    """Write what an assistant said in one plain text as a text: without an item's id that is its form."""
    for item in items:
        content = item.get("content")
        if item.get("role") == "assistant" and isinstance(content, list) and len(content) == 1:
            (said,) = content
            if said.keys() == {"type", "text"}:
                item["content"] = said["text"]


def _sendable(own: Item) -> Item:
    """Return an item's own fields without an id that we made: the provider has never seen it."""
    if not is_minted(own.get("id")):
        return own
    return {name: value for name, value in own.items() if name != "id"}


def _is_content(raw: Raw) -> bool:
    """Whether it stood inside a message's content and not beside it."""
    return raw.kind.startswith(_CONTENT) or not isinstance(raw.value, dict) or not raw.kind


def _named(media: Media) -> Item:
    return {"filename": media.name} if media.name is not None else {}
