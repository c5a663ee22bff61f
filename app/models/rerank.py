"""Documents put in the order of how well they answer a query, in one form for every dialect."""

import msgspec

from app.models.chat import ReplyError
from app.models.usage import Usage

Document = str | dict[str, object]
"""A text, or named fields."""


class RerankRequest(msgspec.Struct, frozen=True, gc=False):
    """What a client wants ranked."""

    model: str | None
    query: str
    documents: tuple[Document, ...]
    top_n: int | None = None
    """How many of the best are wanted; None: all."""
    returns_documents: bool = False
    """Each result carries its document."""
    rank_fields: tuple[str, ...] = ()
    """Which fields of a document count; empty: all."""
    max_tokens_per_doc: int | None = None
    params: dict[str, object] = {}
    """Every other field, under its wire name."""


class Ranked(msgspec.Struct, frozen=True, gc=False):
    """One document's place."""

    index: int
    """Into the documents as they were asked."""
    score: float


class RerankReply(msgspec.Struct, frozen=True, gc=False):
    """What a provider answered, the best first."""

    results: tuple[Ranked, ...] = ()
    id: str | None = None
    model: str | None = None
    search_units: int | None = None
    """What Cohere bills: a query with up to 100 documents."""
    usage: Usage | None = None
    error: ReplyError | None = None
