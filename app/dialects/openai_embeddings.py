"""OpenAI's `/v1/embeddings`, and everyone who speaks it. Vectors are not read: the body keeps them."""

from typing import Any, Final

import msgspec

from app.dialects.failures import stated_error, without_answer
from app.dialects.openai_usage import usage_of
from app.dialects.prompts import PromptReader, Prompts
from app.dialects.wire import UNREADABLE, decode, decode_any, text_or_none
from app.models.chat import Reply


class _Whole(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    data: msgspec.Raw = msgspec.Raw()
    usage: Any = None
    error: Any = None


_whole: Final = msgspec.json.Decoder(_Whole)


class OpenAiEmbeddingsReader(PromptReader):
    """Reads embeddings. The answer has usage and no choices."""

    prompts = Prompts("input")

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


def _error(body: bytes, status: int) -> Any:
    try:
        return stated_error(decode_any(body), status)
    except UNREADABLE:
        return without_answer(body, status).error
