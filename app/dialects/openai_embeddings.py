"""OpenAI's `/v1/embeddings`, and everyone who speaks it. Vectors are not read: the body keeps them."""

from typing import Any, Final

import msgspec

from app.dialects import openai_request
from app.dialects.dialect import Stated
from app.dialects.failures import stated_error, without_answer
from app.dialects.openai_usage import usage_of
from app.dialects.prompts import Prompts
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, text_or_none
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


class OpenAiEmbeddingsReader(Reader):
    """Reads embeddings. Each input is a user's message; the answer has usage and no choices."""

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(self._element(raw) for raw in self.split_messages(body)),
            params=openai_request.params_of(request, _TAKEN),
        )

    def _reply(self, body: bytes, status: int) -> Reply:
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

    def _stream(self, body: bytes) -> Reply:
        return self._reply(body, 200)

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the inputs, one text with its key; empty where the body cannot be read."""
        return _inputs.split(body)

    def _element(self, raw: bytes) -> Message:
        return _inputs.read(raw)

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
        return openai_request.stated(body)


def _error(body: bytes, status: int) -> Any:
    try:
        return stated_error(decode_any(body), status)
    except UNREADABLE:
        return without_answer(body, status).error
