"""Speaks Gemini's generateContent: asks Google's API and Vertex, and answers their clients.

https://ai.google.dev/api/generate-content
"""

import re
from typing import Final
from urllib.parse import quote

import msgspec

from app.dialects.body_quirks import apply_quirks
from app.dialects.gemini_answer import AnswerDeltas, write_answer
from app.dialects.gemini_config import Config
from app.dialects.gemini_contents import Contents
from app.dialects.gemini_deltas import GenerateDeltas
from app.dialects.gemini_parts import OWN
from app.dialects.gemini_settings import CONFIG
from app.dialects.gemini_wire import Block
from app.dialects.losses import Losses
from app.dialects.tool_names import ToolNames
from app.dialects.wire import json_text
from app.dialects.writing import Asked, DeltaReader, DeltaWriter, Restore, Written
from app.models.chat import ChatRequest, Reply
from app.models.settings import OutputFormat
from app.models.target import Target

_NAMES: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
_LONGEST_NAME: Final = 64
_PLACES: Final = ("models/", "tunedModels/", "publishers/", "projects/")
_to_json: Final = msgspec.json.Encoder().encode


class GeminiWriter:
    """Writes requests and answers. Stateless; any thread."""

    content_type = "text/event-stream"
    """Of streams that were asked for with `alt=sse`; without, they are `application/json`."""

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks Gemini.

        Raises InputError for files that another provider keeps, media in a system prompt, and what the model does not
        take.
        """
        return _Writing(request, target).written()

    def read_deltas(self) -> DeltaReader:
        """Return a reader for one stream, events or an array."""
        return GenerateDeltas()

    def write_reply(self, reply: Reply, asked: Asked) -> bytes:
        """Return a whole answer. `reply` has no error."""
        return write_answer(reply, asked)

    def write_deltas(self, asked: Asked) -> DeltaWriter:
        """Return a writer for a stream of events (`alt=sse`)."""
        return AnswerDeltas(asked)

    def write_deltas_array(self, asked: Asked) -> DeltaWriter:
        """Return a writer for a stream as one JSON array, which is what a request without `alt=sse` gets."""
        return AnswerDeltas(asked, is_array=True)


class _Writing:
    """One request on its way."""

    def __init__(self, request: ChatRequest, target: Target) -> None:
        self._request, self._target = request, target
        self._is_own = request.dialect == OWN
        self._losses = Losses()
        self._names = ToolNames(() if self._is_own else _names_in(request), _NAMES, _LONGEST_NAME)
        self._contents = Contents(request, target, self._names, self._losses)
        self._config = Config(request, target, self._names, self._losses)

    def written(self) -> Written:
        """Return the request."""
        request, config = self._request, self._config
        body = self._body()
        custom = frozenset(tool.name for tool in request.tools if tool.kind == "custom")
        restore = Restore(names=self._names.changed(), output=config.checked, custom_tools=custom)
        verb = "streamGenerateContent?alt=sse" if request.is_stream else "generateContent"
        return Written(_to_json(body), self._path(verb), (), self._losses.all(), restore)

    def _body(self) -> Block:
        request, config, contents = self._request, self._config, self._contents
        contents.write()
        generation = config.generation()
        system = contents.system
        if config.in_words is not None:
            system = [*system, {"text": _in_words(config.in_words)}]
        body: Block = {"contents": contents.contents}
        if system:
            body["systemInstruction"] = {"parts": system}
        tools = config.tools()
        if tools:
            body["tools"] = tools
        if (choice := config.tool_config(tools)) is not None:
            body["toolConfig"] = choice
        if generation or CONFIG in request.params:
            apply_quirks(generation, self._target.quirks, self._losses)
            body[CONFIG] = generation
        if (tier := config.tier()) is not None:
            body["serviceTier"] = tier
        if self._is_own:
            if request.settings.metadata is not None:
                body["labels"] = request.settings.metadata
            body |= {name: value for name, value in request.params.items() if name != CONFIG}
        apply_quirks(body, self._target.quirks, self._losses)
        return body

    def _path(self, verb: str) -> str:
        model = self._target.model
        place = quote(model, safe="/@") if model.startswith(_PLACES) else f"models/{quote(model, safe='@')}"
        return f"/v1beta/{place}:{verb}"


def _names_in(request: ChatRequest) -> list[str]:
    names = [tool.name for tool in request.tools if tool.kind in ("function", "custom")]
    names += request.tool_choice.names if request.tool_choice else ()
    return names + [call.name for message in request.messages for call in message.tool_calls()]


def _in_words(output: OutputFormat) -> str:
    if output.kind == "json":
        return "Answer with a JSON object and nothing else."
    return f"Answer with JSON that matches this schema and nothing else: {json_text(output.schema)}"
