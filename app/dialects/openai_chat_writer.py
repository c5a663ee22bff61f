"""OpenAI's chat completions as we speak them: to a provider, and to a client."""

from typing import Any, Final

import msgspec

from app.dialects.body_quirks import apply_quirks
from app.dialects.losses import Losses
from app.dialects.openai_chat_deltas import ChatDeltas
from app.dialects.openai_chat_events import ChatEvents
from app.dialects.openai_chat_messages import (
    fitted_ids,
    own_message,
    schema_instruction,
    with_instruction,
    written_messages,
)
from app.dialects.openai_chat_reply import own_reply, written_reply
from app.dialects.openai_chat_settings import DIALECT, own_settings, response_format, written_settings
from app.dialects.openai_chat_tools import own_tools, tool_names, written_tools
from app.dialects.writing import Asked, DeltaReader, DeltaWriter, Restore, Written
from app.models.chat import ChatRequest, Reply
from app.models.settings import OutputFormat
from app.models.target import Target

_PATH: Final = "/v1/chat/completions"
_to_json: Final = msgspec.json.Encoder().encode


class OpenAiChatWriter:
    """Writes chat completions. Stateless; any thread."""

    content_type = "text/event-stream; charset=utf-8"
    dialect = DIALECT
    """Whose requests it writes as they stood."""

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks an upstream. What another request says and a chat cannot is told as a loss.

        Raises InputError for media that a chat cannot hold, and files kept at another provider.
        """
        if request.dialect == self.dialect:
            return self._own(request, target)
        losses, names = Losses(), tool_names(request)
        body: dict[str, Any] = {"model": target.model}
        messages = written_messages(request, target, names, losses)
        takes_choice = target.quirks.takes_tool_choice
        tools, custom = written_tools(request, names, losses, takes_choice=takes_choice)
        knobs = written_settings(request, target, losses)
        if not tools:
            knobs.pop("parallel_tool_calls", None)
        wanted = request.settings.output
        checked = _emulated(wanted, target, losses)
        if checked is not None:
            messages = with_instruction(messages, schema_instruction(checked.schema))
            wanted = OutputFormat("json") if target.quirks.takes_json_mode else None
        if target.quirks.tool_id_pattern:
            messages = fitted_ids(messages, target.quirks.tool_id_pattern)
        body |= {"messages": messages, **tools, **knobs}
        if (form := response_format(wanted, is_own=False)) is not None:
            body["response_format"] = form
        if request.is_stream:
            body["stream"] = True
        self.bend(body, losses)
        apply_quirks(body, target.quirks, losses)
        restore = Restore(names.changed(), None, checked, custom, splits_think_tags=target.quirks.has_think_tags)
        return Written(_to_json(body), _PATH, losses=losses.all(), restore=restore)

    def bend(self, body: dict[str, Any], losses: Losses) -> None:
        """Change a body into what a variant of the dialect wants; nothing for OpenAI's own."""

    def read_deltas(self) -> DeltaReader:
        """Return a reader for one stream."""
        return ChatDeltas()

    def write_reply(self, reply: Reply, asked: Asked) -> bytes:
        """Return a whole answer. `reply` has no error."""
        return _to_json(own_reply(reply) if reply.dialect == self.dialect else written_reply(reply, asked))

    def write_deltas(self, asked: Asked) -> DeltaWriter:
        """Return a writer for one stream."""
        return ChatEvents(asked)

    def _own(self, request: ChatRequest, target: Target) -> Written:
        """Return a request of this dialect as it stood, but for the model and what the provider wants otherwise."""
        losses = Losses()
        messages = [entry for message in request.messages for entry in own_message(message)]
        body: dict[str, Any] = {"model": target.model, "messages": messages}
        body |= own_tools(request) | own_settings(request)
        if request.is_stream:
            body["stream"] = True
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), _PATH, losses=losses.all())


def _emulated(wanted: OutputFormat | None, target: Target, losses: Losses) -> OutputFormat | None:
    """Return the output that only an instruction asks for and only we check, None where the provider has it."""
    if wanted is None or wanted.kind == "text":
        return None
    quirks = target.quirks
    if wanted.kind == "schema" and quirks.takes_schema and target.traits.takes_schema is not False:
        return None
    if wanted.kind == "json" and quirks.takes_json_mode:
        return None
    who = target.provider or "the provider"
    losses.emulate("response_format", f"{who} has no such output: it is asked for in words and checked")
    return wanted
