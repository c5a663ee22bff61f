"""How a model is asked to answer, in one form for every dialect. None means: not said, the provider's default."""

from typing import Literal

import msgspec

from app.models.message import Extras


class ToolChoice(msgspec.Struct, frozen=True, gc=False):
    """Whether the model may, must or must not call tools, and which."""

    mode: Literal["auto", "none", "required"]
    names: tuple[str, ...] = ()
    """Only these; empty: any."""
    extras: Extras = None


class OutputFormat(msgspec.Struct, frozen=True, gc=False):
    """What the answer's text must be: any text, any JSON, or JSON of a schema."""

    kind: Literal["text", "json", "schema"]
    schema: object = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None
    extras: Extras = None


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """How hard the model is asked to think."""

    is_on: bool = True
    """False: asked not to."""
    effort: str | None = None
    """minimal, low, medium, high, xhigh, max."""
    budget_tokens: int | None = None
    """None with `is_on`: as much as the model finds right."""
    shows: bool | None = None
    """Whether the thoughts (or their summary) are wanted in the answer."""
    extras: Extras = None


class Settings(msgspec.Struct, frozen=True, gc=False):
    """The knobs of one request."""

    max_tokens: int | None = None
    temperature: float | None = None
    """0 to 2, as OpenAI counts; a dialect that ends at 1 says so in its writer."""
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    n: int | None = None
    """How many answers."""
    logprobs: bool | None = None
    top_logprobs: int | None = None
    parallel_tool_calls: bool | None = None
    thinking: Thinking | None = None
    output: OutputFormat | None = None
    verbosity: str | None = None
    modalities: tuple[str, ...] = ()
    """text, audio, image: what the answer may be made of."""
    audio: Extras = None
    """`voice` and `format` of a spoken answer."""
    user: str | None = None
    metadata: dict[str, object] | None = None
    service_tier: str | None = None
    """auto, default, flex, priority, batch …: OpenAI's words."""
    prompt_cache_key: str | None = None
    store: bool | None = None
    includes_usage: bool | None = None
    """Streams: usage is wanted in a last chunk (OpenAI chat's `stream_options`)."""
    extras: Extras = None
    """What tells two spellings of one knob apart, in the request's own dialect; nothing is lost without it."""
