"""Requests that are no conversation: a text, a list of texts, or token numbers (completions, embeddings)."""

from typing import Any, ClassVar, Final

import msgspec

from app.dialects import openai_request
from app.dialects.dialect import Stated
from app.dialects.openai_chat_parts import content_parts
from app.dialects.openai_request import keyed
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_request, fields, json_text, text_or_none
from app.models.chat import ChatRequest
from app.models.message import Message, Raw, Text

_NOTHING: Final = (b"", b"null", b'""', b"[]")
_raws: Final[msgspec.json.Decoder[list[msgspec.Raw]]] = msgspec.json.Decoder(list[msgspec.Raw])
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


class Prompts:
    """The field `name` of a request, one element an input."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = json_text(name).encode() + b":"
        top: Any = msgspec.defstruct("Top", [("raw", msgspec.Raw, msgspec.field(default=msgspec.Raw(), name=name))])
        self._top: msgspec.json.Decoder[Any] = msgspec.json.Decoder(top)

    def split(self, body: bytes) -> list[bytes]:
        """Return the inputs in order; empty where the body cannot be read."""
        try:
            written = bytes(decode(self._top, body).raw)
            if written in _NOTHING:
                return []
            if not written.startswith(b"[") or written[1:].lstrip()[:1].isdigit():
                return [keyed(self.name, written)]
            return [bytes(raw) for raw in decode(_raws, written)]
        except UNREADABLE:
            return []

    def read(self, raw: bytes) -> Message:
        """Return the user's message that one input is.

        Raises InputError where it cannot be read.
        """
        value = decode_request(_any, raw.removeprefix(self._key))
        if isinstance(value, str):
            return Message("user", (Text(value),) if value else ())
        if isinstance(value, dict):
            return Message("user", tuple(content_parts(fields(value).get("content", [value]))))
        return Message("user", (Raw("tokens", value),))


class PromptReader(Reader):
    """The request half of their readers. Each input is a user's message."""

    prompts: ClassVar[Prompts]

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(self._element(raw) for raw in self.split_messages(body)),
            is_stream=request.get("stream") is True,
            params=openai_request.params_of(request, frozenset({"model", "stream", self.prompts.name})),
        )

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the inputs, one text with its key; empty where the body cannot be read."""
        return self.prompts.split(body)

    def _element(self, raw: bytes) -> Message:
        return self.prompts.read(raw)

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
        return openai_request.stated(body)
