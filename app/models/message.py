"""One message of a conversation, the same for every dialect.

A message is a role and a list of parts, in the order the wire had them. What we do not know is kept as `Raw`.
"""

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought. `signature` is the provider's proof, kept verbatim; redacted thinking has only that."""

    text: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model's words of refusal."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for. `arguments` is JSON text as the wire had it (an object there is written out)."""

    id: str | None
    name: str
    arguments: str
    is_server_side: bool = False
    """The provider runs it itself (web search, code execution)."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered. `id` is the call's id; `name` is known only where the dialect states it."""

    id: str | None
    name: str | None
    parts: tuple["Part", ...]
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound, a video or a file. Exactly one of url, data, file_id is set; `data` is base64 as sent."""

    modality: Literal["image", "audio", "video", "file"]
    media_type: str | None = None
    url: str | None = None
    data: str | None = None
    file_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A part we have no word for: its wire type and its JSON value."""

    kind: str
    value: object


Part = Text | Reasoning | Refusal | ToolCall | ToolResult | Media | Raw


@dataclass(frozen=True, slots=True)
class Message:
    """A role and its parts. A tool result is a message of role `tool` with one `ToolResult` part a result."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None

    def text(self) -> str:
        """Return its text parts, joined by newlines: no reasoning, no tool traffic."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text | Refusal))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls it asks for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    def tool_results(self) -> tuple[ToolResult, ...]:
        """Return the results it carries, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolResult))
