"""A model call in one form for every dialect: what was asked and what was answered."""

from typing import Literal

import msgspec

from app.models.message import CacheMark, Extras, Message
from app.models.settings import Settings, ToolChoice
from app.models.usage import Usage

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error", "pause", "other"]


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A tool the model may call. `schema` is its JSON schema, None where the provider owns the tool."""

    name: str
    description: str | None = None
    schema: object = None
    kind: str = "function"
    """`function`, `custom` (free text in), or the wire type of a tool that the provider owns."""
    strict: bool | None = None
    cache: CacheMark | None = None
    extras: Extras = None


class ChatRequest(msgspec.Struct, frozen=True, gc=False):
    """What a client asks of a model. System prompts are the first messages, whatever field the wire had them in."""

    model: str | None
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    is_stream: bool = False
    settings: Settings = Settings()
    params: dict[str, object] = {}
    """Every field that none of the above has a word for, under its wire name."""
    dialect: str = ""
    """It was read from; `params` and all `extras` are in its words."""


class Logprob(msgspec.Struct, frozen=True, gc=False):
    """How likely a token was, and what else might have stood there."""

    token: str
    logprob: float
    utf8: tuple[int, ...] | None = None
    """The token's bytes, where they were stated."""
    top: tuple["Logprob", ...] = ()


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One answer of possibly several. `native_finish_reason` is the provider's own word."""

    index: int
    message: Message
    finish_reason: FinishReason | None = None
    native_finish_reason: str | None = None
    stop_sequence: str | None = None
    """The stop text that was met, where the dialect says which."""
    logprobs: tuple[Logprob, ...] | None = None
    extras: Extras = None


class ReplyError(msgspec.Struct, frozen=True, gc=False):
    """A provider's error in its own words."""

    type: str | None
    message: str
    code: str | None = None
    param: str | None = None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the provider answered, from a whole body or folded from a stream."""

    id: str | None = None
    model: str | None = None
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    error: ReplyError | None = None
    """An error in the body or in the stream, also under status 200."""
    is_complete: bool = True
    """False where a stream ended before the provider said it was done."""
    skipped_events: int = 0
    """Malformed stream events that were passed over."""
    created_s: int | None = None
    """UTC, where the answer says when it was made."""
    extras: Extras = None
    """In the words of the dialect it was read from."""
    dialect: str = ""
    """It was read from: all `extras` in it are in its words. "": not known, as another's."""
