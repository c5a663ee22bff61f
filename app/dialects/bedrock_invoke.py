"""Claude as Bedrock's InvokeModel has it: Anthropic's own messages, with little frames around.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.dialects.eventstream import EventStreamReader, Message
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, fields, text_or_none

VERSION: Final = "bedrock-2023-05-31"
_ERRORS: Final = {
    "throttlingException": "rate_limit_error",
    "validationException": "invalid_request_error",
    "modelTimeoutException": "timeout_error",
    "serviceUnavailableException": "overloaded_error",
}
"""Bedrock's words for a failure in Anthropic's; all others are `api_error`."""


class _Chunk(msgspec.Struct, gc=False):
    bytes: str


class _Event(msgspec.Struct, gc=False):
    type: Any = None


_chunk: Final = msgspec.json.Decoder(_Chunk)
_event: Final = msgspec.json.Decoder(_Event)
_fields: Final[msgspec.json.Decoder[dict[str, msgspec.Raw]]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_to_json: Final = msgspec.json.Encoder().encode


def hosted_body(body: bytes, version: str, *, drop: Iterable[str], betas: Iterable[str] = ()) -> bytes:
    """Return a messages request as another cloud wants it: without the fields that its path says, with the version.

    Everything else keeps its bytes. `betas` are what the `anthropic-beta` header named, for a cloud that reads none.

    Raises InputError where the body is no JSON object.
    """
    request = decode_request(_fields, body)
    for name in drop:
        request.pop(name, None)
    request.setdefault("anthropic_version", msgspec.Raw(_to_json(version)))
    named = list(betas)
    if named:
        request.setdefault("anthropic_beta", msgspec.Raw(_to_json(named)))
    return _to_json(request)


class ClaudeFrames:
    """Takes Claude's events out of Bedrock's frames: what comes out is the stream that Anthropic itself would send."""

    def __init__(self) -> None:
        self._frames = EventStreamReader()

    def feed(self, data: bytes) -> bytes:
        """Return the events that these bytes complete."""
        return b"".join(map(_sse, self._frames.feed(data)))

    def close(self) -> bytes:
        """Return an error event where a frame was cut."""
        return b"".join(map(_sse, self._frames.close()))


def _sse(message: Message) -> bytes:
    if message.problem:
        return _error("api_error", message.problem)
    if message.kind in ("exception", "error"):
        try:
            value = fields(decode_any(message.payload)) if message.payload else {}
        except UNREADABLE:
            value = {}
        told = text_or_none(value.get("message")) or text_or_none(message.headers.get(":error-message"))
        return _error(_ERRORS.get(message.event, "api_error"), told or message.event or "Bedrock failed.")
    try:
        said = base64.b64decode(decode(_chunk, message.payload).bytes, validate=True)
        kind = decode(_event, said).type
    except (*UNREADABLE, binascii.Error, ValueError):
        return b"data: " + message.payload.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n\n"
    name = kind if isinstance(kind, str) and kind.isidentifier() else "message"
    return b"event: %b\ndata: %b\n\n" % (name.encode(), b" ".join(said.splitlines()))


def _error(kind: str, message: str) -> bytes:
    value = {"type": "error", "error": {"type": kind, "message": message}}
    return b"event: error\ndata: " + _to_json(value) + b"\n\n"
