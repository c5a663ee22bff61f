"""Cohere's `/v2/embed` (https://docs.cohere.com/reference/embed)."""

from typing import Any, Final

import msgspec

from app.dialects.embeddings_inputs import (
    Task,
    answer_of,
    no_vectors,
    parts_of,
    task_of,
    tell_left_out,
    texts_of,
    vectors_of,
)
from app.dialects.losses import Losses
from app.dialects.wire import count, fields, text_or_none
from app.dialects.writing import Written
from app.models.embedding import EmbeddingReply, EmbeddingRequest
from app.models.message import Media, Text
from app.models.target import Target
from app.models.usage import Usage

_PATH: Final = "/v2/embed"
_TYPES: Final[dict[Task, str]] = {
    "document": "search_document",
    "query": "search_query",
    "classification": "classification",
    "clustering": "clustering",
    "similarity": "clustering",
}
_to_json: Final = msgspec.json.Encoder().encode


class CohereEmbeddings:
    """Cohere."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks Cohere.

        Raises InputError for token numbers.
        """
        losses = Losses()
        body: dict[str, object] = {"model": target.model or request.model or "", **cohere_fields(request, losses)}
        tell_left_out(request, losses, "Cohere")
        return Written(_to_json(body), _PATH, losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer. Never raises."""
        answer = answer_of(body, status)
        return answer if isinstance(answer, EmbeddingReply) else cohere_reply(answer)


def cohere_fields(request: EmbeddingRequest, losses: Losses) -> dict[str, object]:
    """Return the fields of a body but for the model.

    Cohere must know what the vectors are for. Where the client did not say, they are for documents that are searched.
    """
    body: dict[str, object] = {"input_type": _input_type(request, losses), "embedding_types": ["float"]}
    if any(one.parts for one in request.inputs):
        body["inputs"] = [{"content": [_part(p) for p in parts_of(one, "Cohere")]} for one in request.inputs]
    else:
        body["texts"] = texts_of(request, "Cohere")
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    return body


def cohere_reply(answer: dict[str, Any]) -> EmbeddingReply:
    """Return what an answer says: vectors by their type, or (older models) as a plain list."""
    made = answer.get("embeddings")
    listed = fields(made).get("float") if isinstance(made, dict) else made
    vectors = vectors_of(listed) if isinstance(listed, list) else None
    if vectors is None:
        return no_vectors(answer)
    billed = fields(fields(answer.get("meta")).get("billed_units"))
    sent, seen = count(billed.get("input_tokens")), count(billed.get("image_tokens"))
    usage = None
    if sent is not None or seen is not None:
        usage = Usage(input_tokens=(sent or 0) + (seen or 0), input_image_tokens=seen)
    return EmbeddingReply(vectors, usage=usage, id=text_or_none(answer.get("id")))


def _input_type(request: EmbeddingRequest, losses: Losses) -> str:
    if request.input_type == "image":
        return request.input_type
    task = task_of(request)
    if task is not None:
        return _TYPES[task]
    if request.input_type is not None:
        losses.change("input_type", f"Cohere has no {request.input_type}: the vectors are for documents")
    else:
        losses.change("input_type", "Cohere must know what the vectors are for: they are for documents")
    return "search_document"


def _part(part: Text | Media) -> dict[str, object]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    address = part.url or f"data:{part.media_type or 'image/png'};base64,{part.data}"
    return {"type": "image_url", "image_url": {"url": address}}
