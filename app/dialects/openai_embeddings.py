"""OpenAI's `/v1/embeddings`, and everyone who speaks it. Vectors are not read: the body keeps them."""

from typing import Any, Final

import msgspec

from app.dialects import canon, openai_request
from app.dialects.dialect import Stated
from app.dialects.failures import stated_error, without_answer
from app.dialects.openai_usage import usage_of
from app.dialects.prompts import Prompts
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, text_or_none
from app.errors import InputError
from app.models.chat import ChatRequest, Reply
from app.models.message import Message

_TAKEN: Final = frozenset({"model", "input"})


class _Whole(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    data: msgspec.Raw = msgspec.Raw()
    usage: Any = None
    error: Any = None


_whole: Final = msgspec.json.Decoder(_Whole)
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_inputs: Final = Prompts("input")


class OpenAiEmbeddingsReader:
    """Reads embeddings. Each input is a user's message; the answer has usage and no choices."""

    def read_request(self, body: bytes) -> ChatRequest:
        """Return what a client asked.

        Raises InputError where the body cannot be read.
        """
        request = decode_request(_request, body)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(self.read_element(raw) for raw in self.split_messages(body)),
            params=openai_request.params_of(request, _TAKEN),
        )

    def read_reply(self, body: bytes, status: int) -> Reply:
        """Return what a whole body answers. Never raises."""
        try:
            whole = decode(_whole, body)
        except UNREADABLE:
            return without_answer(body, status)
        has_vectors = bytes(whole.data).startswith(b"[") and not whole.error
        return Reply(
            id=text_or_none(whole.id),
            model=text_or_none(whole.model),
            usage=usage_of(whole.usage),
            error=None if has_vectors else _error(body, status),
        )

    def read_stream(self, body: bytes) -> Reply:
        """Return what the body answers: embeddings do not stream. Never raises."""
        return self.read_reply(body, 200)

    def read_answer(self, body: bytes, content_type: str, status: int) -> Reply:
        """Return what an answer says, whatever its content type. Never raises."""
        return self.read_reply(body, status)

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the inputs, one text with its key; empty where the body cannot be read."""
        return _inputs.split(body)

    def read_element(self, raw: bytes) -> Message:
        """Return the message of one input.

        Raises InputError where it cannot be read.
        """
        return _inputs.read(raw)

    def canon(self, raw: bytes) -> bytes:
        """Return what identifies an input; its own bytes where it cannot be read."""
        try:
            return canon.canon_message(self.read_element(raw))
        except InputError:
            return raw

    def canon_message(self, message: Message) -> bytes:
        """Return what identifies a message that was read."""
        return canon.canon_message(message)

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
        return openai_request.stated(body)


def _error(body: bytes, status: int) -> Any:
    try:
        return stated_error(decode_any(body), status)
    except UNREADABLE:
        return without_answer(body, status).error
