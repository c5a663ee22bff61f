"""One message of a conversation, the same for every dialect.

A message is a role and a list of parts, in the order the wire had them. What we do not know is kept as `Raw`; a field
that a part's dialect has and the shared form has no word for stands in its `extras`.
"""

from typing import Final, Literal

import msgspec

Role = Literal["system", "developer", "user", "assistant", "tool"]

Extras = dict[str, object] | None
"""Fields under their wire names. They mean something only in the dialect they were read from."""


_REMINDER: Final = "<system-reminder>"


def is_reminder(text: str) -> bool:
    """Whether a text is a client's own note to the model, as coding agents put one beside their user's words."""
    return text.lstrip().startswith(_REMINDER)


class CacheMark(msgspec.Struct, frozen=True, gc=False):
    """The prompt up to and with this part may be kept by the provider, for so long."""

    ttl: str | None = None
    """`5m`, `1h`; None: as long as the provider likes."""


class Citation(msgspec.Struct, frozen=True, gc=False):
    """Where a text comes from."""

    url: str | None = None
    title: str | None = None
    quote: str | None = None
    """The words cited."""
    start: int | None = None
    """Characters into the text it belongs to, where the dialect counts them."""
    end: int | None = None
    extras: Extras = None


class Text(msgspec.Struct, frozen=True, gc=False):
    """Plain text. `signature` is a proof that Gemini hangs on texts."""

    text: str
    citations: tuple[Citation, ...] = ()
    cache: CacheMark | None = None
    signature: str | None = None
    extras: Extras = None


class Reasoning(msgspec.Struct, frozen=True, gc=False):
    """What the model thought. `signature` is the provider's proof, kept verbatim; redacted thinking has only that."""

    text: str
    signature: str | None = None
    is_redacted: bool = False
    origin: str | None = None
    """The dialect whose provider gave the proof: it is sent to no other. None: as the conversation's own dialect."""
    extras: Extras = None


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """The model's words of refusal."""

    text: str
    extras: Extras = None


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A call the model asks for. `arguments` is JSON text as the wire had it (an object there is written out)."""

    id: str | None
    name: str
    arguments: str
    is_server_side: bool = False
    """The provider runs it itself (web search, code execution)."""
    is_custom: bool = False
    """A custom tool's: `arguments` is free text, no JSON."""
    signature: str | None = None
    """Gemini's proof of the thought before it; `origin` as in `Reasoning`."""
    origin: str | None = None
    cache: CacheMark | None = None
    extras: Extras = None


class ToolResult(msgspec.Struct, frozen=True, gc=False):
    """What a tool answered. `id` is the call's id; `name` is known only where the dialect states it."""

    id: str | None
    name: str | None
    parts: tuple["Part", ...]
    is_error: bool = False
    is_server_side: bool = False
    """The provider ran it."""
    cache: CacheMark | None = None
    extras: Extras = None


class Media(msgspec.Struct, frozen=True, gc=False):
    """An image, a sound, a video or a file. Exactly one of url, data, file_id is set; `data` is base64 as sent."""

    modality: Literal["image", "audio", "video", "file"]
    media_type: str | None = None
    url: str | None = None
    data: str | None = None
    file_id: str | None = None
    name: str | None = None
    detail: str | None = None
    """How closely an image is looked at: auto, low, high."""
    transcript: str | None = None
    """The words of a sound that the model spoke."""
    cache: CacheMark | None = None
    extras: Extras = None


class Raw(msgspec.Struct, frozen=True, gc=False):
    """A part we have no word for: its wire type and its JSON value."""

    kind: str
    value: object


Part = Text | Reasoning | Refusal | ToolCall | ToolResult | Media | Raw


class Message(msgspec.Struct, frozen=True, gc=False):
    """A role and its parts. A tool result is a message of role `tool` with one `ToolResult` part a result."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    extras: Extras = None

    def text(self) -> str:
        """Return its text parts, joined by newlines: no reasoning, no tool traffic."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text | Refusal))

    def words(self) -> str:
        """Return its text without what a client put beside the user's words; all of it where there is nothing else."""
        texts = [part.text for part in self.parts if isinstance(part, Text) and not is_reminder(part.text)]
        return "\n".join(texts) if any(text.strip() for text in texts) else self.text()

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls it asks for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    def tool_results(self) -> tuple[ToolResult, ...]:
        """Return the results it carries, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolResult))
