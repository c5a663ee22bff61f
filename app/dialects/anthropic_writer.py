"""Anthropic's `/v1/messages`, written: requests for upstreams, answers for clients."""

from typing import Final

import msgspec

from app.dialects.anthropic_deltas import AnthropicDeltas
from app.dialects.anthropic_events import MessageEvents
from app.dialects.anthropic_reply import write_reply
from app.dialects.anthropic_request import RequestWriting
from app.dialects.writing import Asked, DeltaReader, DeltaWriter, Written
from app.models.chat import ChatRequest, Reply
from app.models.target import Target

VERSION: Final = ("anthropic-version", "2023-06-01")
_to_json: Final = msgspec.json.Encoder().encode


class AnthropicWriter:
    """Writes requests and answers. Stateless; any thread."""

    content_type = "text/event-stream"

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks Anthropic.

        Raises InputError for media that Claude cannot take, files kept elsewhere, and more than one answer.
        """
        return written(RequestWriting(request, target), "/v1/messages")

    def read_deltas(self) -> DeltaReader:
        """Return a reader for one stream."""
        return AnthropicDeltas()

    def write_reply(self, reply: Reply, asked: Asked) -> bytes:
        """Return a whole answer. `reply` has no error."""
        return write_reply(reply, asked)

    def write_deltas(self, asked: Asked) -> DeltaWriter:
        """Return a writer for one stream."""
        return MessageEvents(asked)


def written(writing: RequestWriting, path: str) -> Written:
    """Return a request with the headers that it needs."""
    betas = writing.betas()
    headers = (VERSION, ("anthropic-beta", ",".join(betas))) if betas else (VERSION,)
    return Written(_to_json(writing.body), path, headers, writing.losses(), writing.restore())
