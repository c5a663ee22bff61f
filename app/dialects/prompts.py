"""Inputs that are no conversation: a text, a list of texts, or token numbers (completions, embeddings)."""

from typing import Any, Final

import msgspec

from app.dialects.openai_chat_parts import content_parts
from app.dialects.openai_request import keyed
from app.dialects.wire import UNREADABLE, decode, decode_request, fields, json_text
from app.models.message import Message, Raw, Text

_NOTHING: Final = (b"", b"null", b'""', b"[]")
_raws: Final[msgspec.json.Decoder[list[msgspec.Raw]]] = msgspec.json.Decoder(list[msgspec.Raw])
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


class Prompts:
    """The field `name` of a request, one element an input."""

    def __init__(self, name: str) -> None:
        self._name = name
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
                return [keyed(self._name, written)]
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
