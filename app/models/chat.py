"""A model call in one form for every dialect: what was asked and what was answered."""

from dataclasses import dataclass, field
from typing import Literal

from app.models.message import Message
from app.models.usage import Usage

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error", "pause", "other"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the model may call. `schema` is its JSON schema, None where the provider owns the tool."""

    name: str
    description: str | None = None
    schema: object = None
    kind: str = "function"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client asks of a model. System prompts are the first messages, whatever field the wire had them in."""

    model: str | None
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: object = None
    is_stream: bool = False
    params: dict[str, object] = field(default_factory=dict)
    """Every other field of the request under its wire name: temperature, max_tokens, response_format, metadata …"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of possibly several. `native_finish_reason` is the provider's own word."""

    index: int
    message: Message
    finish_reason: FinishReason | None = None
    native_finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider answered, from a whole body or folded from a stream."""

    id: str | None = None
    model: str | None = None
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    error: "ReplyError | None" = None
    """An error in the body or in the stream, also under status 200."""
    is_complete: bool = True
    """False where a stream ended before the provider said it was done."""
    skipped_events: int = 0
    """Malformed stream events that were passed over."""


@dataclass(frozen=True, slots=True)
class ReplyError:
    """A provider's error in its own words."""

    type: str | None
    message: str
    code: str | None = None
