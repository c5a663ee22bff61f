"""Texts and images turned into vectors, in one form for every dialect."""

from typing import Literal

import msgspec

from app.models.chat import ReplyError
from app.models.message import Extras, Media, Text
from app.models.usage import Usage

Vector = list[float] | bytes
"""Numbers, or float32 little-endian as some providers send them."""


class EmbeddingInput(msgspec.Struct, frozen=True, gc=False):
    """One thing to embed. Exactly one field is set."""

    text: str | None = None
    tokens: tuple[int, ...] | None = None
    """Numbers of OpenAI's own vocabulary."""
    parts: tuple[Text | Media, ...] = ()
    """Texts and images that make one vector together."""


class EmbeddingRequest(msgspec.Struct, frozen=True, gc=False):
    """What a client wants embedded."""

    model: str | None
    inputs: tuple[EmbeddingInput, ...]
    is_single: bool = False
    """The one input did not come in a list."""
    dimensions: int | None = None
    encoding: Literal["float", "base64"] | None = None
    """How the vectors are wanted; None: not said, as numbers."""
    input_type: str | None = None
    """What the vectors are for, in the client's word: `query`, `search_document`, `RETRIEVAL_QUERY` …"""
    user: str | None = None
    params: dict[str, object] = {}
    """Every other field, under its wire name."""
    dialect: str = ""
    """It was read from; `params` are in its words."""


class EmbeddingReply(msgspec.Struct, frozen=True, gc=False):
    """What a provider made of it: one vector an input, in order."""

    vectors: tuple[Vector, ...] = ()
    model: str | None = None
    usage: Usage | None = None
    error: ReplyError | None = None
    id: str | None = None
    extras: Extras = None
