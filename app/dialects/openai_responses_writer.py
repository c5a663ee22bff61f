"""OpenAI's responses as we speak them: to a provider, and to a client."""

from app.dialects.body_quirks import apply_quirks
from app.dialects.losses import Losses
from app.dialects.openai_responses_deltas import ResponseDeltas
from app.dialects.openai_responses_events import ResponseEvents
from app.dialects.openai_responses_input import input_of
from app.dialects.openai_responses_output import written_reply
from app.dialects.openai_responses_settings import written_settings
from app.dialects.openai_responses_tools import tool_names, written_choice, written_tools
from app.dialects.wire import json_text
from app.dialects.writing import Asked, DeltaReader, DeltaWriter, Restore, Written
from app.models.chat import ChatRequest, Reply
from app.models.target import Target


class OpenAiResponsesWriter:
    """Writes responses. Stateless; any thread."""

    content_type = "text/event-stream; charset=utf-8"

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks an upstream. What another request says and this API cannot is told as a loss.

        Raises InputError for sounds, videos, several answers at once, and files kept at another provider.
        """
        losses = Losses()
        is_own = request.dialect == "openai_responses"
        bent = None if is_own else tool_names(request)
        names = str if bent is None else bent.sent
        body: dict[str, object] = {"model": target.model, **input_of(request, names, losses)}
        if request.tools:
            body["tools"] = written_tools(request, names, losses, is_own=is_own)
        if request.tool_choice is not None and (is_own or body.get("tools")):
            body["tool_choice"] = written_choice(request.tool_choice, request, names, is_own=is_own)
        body |= written_settings(request, target, losses)
        if request.is_stream:
            body["stream"] = True
        apply_quirks(body, target.quirks, losses)
        restore = Restore(names={} if bent is None else bent.changed())
        return Written(json_text(body).encode(), "/v1/responses", losses=losses.all(), restore=restore)

    def read_deltas(self) -> DeltaReader:
        """Return a reader for one stream."""
        return ResponseDeltas()

    def write_reply(self, reply: Reply, asked: Asked) -> bytes:
        """Return a whole answer. `reply` has no error."""
        return json_text(written_reply(reply, asked)).encode()

    def write_deltas(self, asked: Asked) -> DeltaWriter:
        """Return a writer for one stream."""
        return ResponseEvents(asked)
