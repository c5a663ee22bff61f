"""What the dialects of embeddings share: inputs as texts or parts, what a vector is for, vectors out of answers."""

import base64
import binascii
from typing import Any, Final, Literal, NoReturn

from app.dialects.failures import stated_error, without_answer
from app.dialects.losses import Losses
from app.dialects.media import from_data_uri
from app.dialects.wire import UNREADABLE, decode_any, fields, text_or_none
from app.errors import InputError
from app.models.chat import ReplyError
from app.models.embedding import EmbeddingInput, EmbeddingReply, EmbeddingRequest, Vector
from app.models.message import Media, Text

Task = Literal["document", "query", "classification", "clustering", "similarity"]

_TASKS: Final[dict[str, Task]] = {
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "retrieval_document": "document",
    "query": "query",
    "search_query": "query",
    "retrieval_query": "query",
    "classification": "classification",
    "clustering": "clustering",
    "semantic_similarity": "similarity",
    "similarity": "similarity",
}
_FLOAT_BYTES: Final = 4


def task_of(request: EmbeddingRequest) -> Task | None:
    """Return what the vectors are for, in one set of words; None where it is not said or not known."""
    return _TASKS.get((request.input_type or "").lower())


def texts_of(request: EmbeddingRequest, vendor: str) -> list[str]:
    """Return all inputs as texts.

    Raises InputError for one that is none.
    """
    return [_text(one, vendor) for one in request.inputs]


def parts_of(one: EmbeddingInput, vendor: str) -> tuple[Text | Media, ...]:
    """Return an input as parts.

    Raises InputError for token numbers.
    """
    return one.parts or (Text(_text(one, vendor)),)


def part_of(entry: object) -> Text | Media | None:
    """Return one part of a client's input: text or an image, as chats write them."""
    if isinstance(entry, str):
        return Text(entry)
    wire = fields(entry)
    if wire.get("type") == "text" and isinstance(wire.get("text"), str):
        return Text(wire["text"])
    for name in ("image_url", "image_base64"):
        address = wire.get(name)
        url = address if isinstance(address, str) else text_or_none(fields(address).get("url"))
        if url:
            return from_data_uri("image", url)
    return None


def tell_left_out(request: EmbeddingRequest, losses: Losses, vendor: str) -> None:
    """Note the fields that no other dialect than the client's has."""
    if request.user is not None:
        losses.drop("user", f"{vendor} has no such field")
    for name in request.params:
        losses.drop(name, f"{vendor} has no such field")


def vector_of(value: object) -> Vector | None:
    """Return a vector: numbers, or base64 of float32."""
    if isinstance(value, list):
        return value if all(isinstance(number, int | float) for number in value) else None
    if not isinstance(value, str):
        return None
    try:
        packed = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return None if len(packed) % _FLOAT_BYTES else packed


def vectors_of(values: list[Any]) -> tuple[Vector, ...] | None:
    """Return all vectors, None where one of them is none."""
    found = [vector_of(value) for value in values]
    return None if not found or any(vector is None for vector in found) else tuple(v for v in found if v is not None)


def answer_of(body: bytes, status: int) -> dict[str, Any] | EmbeddingReply:
    """Return the object of an answer, or the reply where it is an error or nonsense."""
    try:
        answer = decode_any(body)
    except UNREADABLE:
        return EmbeddingReply(error=without_answer(body, status).error or _unreadable(body))
    if (error := stated_error(answer, status)) is not None:
        return EmbeddingReply(error=error)
    return answer if isinstance(answer, dict) else EmbeddingReply(error=_unreadable(body))


def no_vectors(answer: dict[str, Any]) -> EmbeddingReply:
    """Return the reply for an answer that should have had vectors."""
    named = ", ".join(list(answer)[:8]) or "nothing"
    return EmbeddingReply(error=ReplyError("unreadable", f"The answer has no vectors, but {named}."))


def _text(one: EmbeddingInput, vendor: str) -> str:
    if one.text is not None:
        return one.text
    if one.tokens is not None:
        raise InputError(
            f"{vendor} takes texts, no token numbers of OpenAI's vocabulary.",
            hint="Send the texts (LangChain: check_embedding_ctx_length=False).",
        )
    if any(isinstance(part, Media) for part in one.parts):
        _no_images(vendor)
    return "\n".join(part.text for part in one.parts if isinstance(part, Text))


def _no_images(vendor: str) -> NoReturn:
    raise InputError(f"{vendor} embeds texts only, no images.", hint="Ask a model that embeds images.")


def _unreadable(body: bytes) -> ReplyError:
    return ReplyError("unreadable", body[:200].decode("utf-8", "replace") or "The answer is empty.")
