"""Who is going to answer, as far as a translation must know: the dialect, what the model can, what the server wants."""

from typing import Literal

import msgspec


class Quirks(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Where a provider differs from the dialect it speaks. Data of `resources/providers.toml` or the user's config."""

    drop: tuple[str, ...] = ()
    """Request fields it refuses, by their wire names in its dialect."""
    rename: dict[str, str] = {}
    """Request fields it has under another name."""
    cap: dict[str, float] = {}
    """Most that a number may be."""
    floor: dict[str, float] = {}
    """Least that a number may be."""
    roles: dict[str, str] = {}
    """Roles it has under another name: {"developer": "system"}."""
    takes_parts: bool = True
    """False: a message's content must be one text."""
    takes_schema: bool = True
    """False: no response_format of a JSON schema; it is emulated."""
    takes_json_mode: bool = True
    takes_tool_choice: bool = True
    """False: only auto."""
    takes_stream_usage: bool = True
    """Whether `stream_options.include_usage` may be sent."""
    has_think_tags: bool = False
    """Its models write their thoughts into the text, between <think> and </think>."""
    reasoning_field: str = ""
    """Under which a thought goes back in an assistant message: `reasoning_content`, `reasoning`; "": not at all."""
    tool_id_pattern: str = ""
    """A regular expression that tool call ids must match in full (Mistral: nine letters or digits)."""


class Traits(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What is known of a model. Data of `resources/models.toml`; everything is optional."""

    max_output_tokens: int | None = None
    context_tokens: int | None = None
    takes_sampling: bool = True
    """False: temperature, top_p, top_k and penalties are refused."""
    thinking: Literal["unknown", "none", "budget", "adaptive", "effort", "level"] = "unknown"
    """How it is told to think: a budget of tokens, adaptively with an effort (Claude), by effort (OpenAI), by level."""
    efforts: tuple[str, ...] = ()
    """The efforts or levels it knows, least first; empty: not known."""
    takes_schema: bool | None = None
    """Native structured output. None: not known, taken as the dialect's usual."""
    takes_system_inside: bool = False
    """System messages may stand in the middle of a conversation."""
    uses_completion_tokens: bool = False
    """OpenAI's `max_completion_tokens` instead of `max_tokens`."""
    takes: tuple[str, ...] = ()
    """Modalities it reads beyond text: image, audio, video, file; empty: not known."""
    needs_signatures: bool = False
    """Calls in the history must carry their thought signatures (Gemini 3)."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """A provider's model."""

    model: str
    provider: str = ""
    dialect: str = ""
    quirks: Quirks = Quirks()
    traits: Traits = Traits()
