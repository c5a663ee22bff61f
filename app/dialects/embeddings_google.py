"""Embeddings of Google: Gemini's `:batchEmbedContents` (https://ai.google.dev/api/embeddings) and Vertex's `:predict`
(https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api)."""

from typing import Final

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
from app.dialects.wire import count, entries, fields
from app.dialects.writing import Written
from app.errors import InputError
from app.models.embedding import EmbeddingReply, EmbeddingRequest
from app.models.message import Media, Text
from app.models.target import Target
from app.models.usage import Usage

_TASKS: Final[dict[Task, str]] = {
    "document": "RETRIEVAL_DOCUMENT",
    "query": "RETRIEVAL_QUERY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "similarity": "SEMANTIC_SIMILARITY",
}
_OWN: Final = frozenset(
    {*_TASKS.values(), "CODE_RETRIEVAL_QUERY", "QUESTION_ANSWERING", "FACT_VERIFICATION"},
)
_to_json: Final = msgspec.json.Encoder().encode


class GeminiEmbeddings:
    """The Gemini API."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks Gemini: one entry an input.

        Raises InputError for token numbers and for images that are not sent along.
        """
        losses = Losses()
        model = target.model or request.model or ""
        shared: dict[str, object] = {}
        if (task := _task(request, losses)) is not None:
            shared["taskType"] = task
        if request.dimensions is not None:
            shared["outputDimensionality"] = request.dimensions
        tell_left_out(request, losses, "Gemini")
        asked = []
        for one in request.inputs:
            content = {"parts": [_part(part) for part in parts_of(one, "Gemini")]}
            asked.append({"model": f"models/{model}", "content": content, **shared})
        return Written(_to_json({"requests": asked}), f"/v1beta/models/{model}:batchEmbedContents", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer. Never raises."""
        answer = answer_of(body, status)
        if isinstance(answer, EmbeddingReply):
            return answer
        listed = entries(answer.get("embeddings")) or [fields(answer.get("embedding"))]
        vectors = vectors_of([entry.get("values") for entry in listed])
        if vectors is None:
            return no_vectors(answer)
        sent = count(fields(answer.get("usageMetadata")).get("promptTokenCount"))
        return EmbeddingReply(vectors, usage=None if sent is None else Usage(input_tokens=sent))


class VertexEmbeddings:
    """Vertex AI."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks Vertex: one instance an input.

        Raises InputError for token numbers and images.
        """
        losses = Losses()
        model = target.model or request.model or ""
        task = _task(request, losses)
        tasked = {} if task is None else {"task_type": task}
        body: dict[str, object] = {"instances": [{"content": text, **tasked} for text in texts_of(request, "Vertex")]}
        if request.dimensions is not None:
            body["parameters"] = {"outputDimensionality": request.dimensions}
        tell_left_out(request, losses, "Vertex")
        return Written(_to_json(body), f"/v1/publishers/google/models/{model}:predict", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer. Never raises."""
        answer = answer_of(body, status)
        if isinstance(answer, EmbeddingReply):
            return answer
        made = [fields(entry.get("embeddings")) for entry in entries(answer.get("predictions"))]
        vectors = vectors_of([entry.get("values") for entry in made])
        if vectors is None:
            return no_vectors(answer)
        counts = [count(fields(entry.get("statistics")).get("token_count")) for entry in made]
        sent = None if any(one is None for one in counts) else sum(one or 0 for one in counts)
        return EmbeddingReply(vectors, usage=None if sent is None else Usage(input_tokens=sent))


def _task(request: EmbeddingRequest, losses: Losses) -> str | None:
    if request.input_type is None or request.input_type in _OWN:
        return request.input_type
    task = task_of(request)
    if task is None:
        losses.drop("input_type", f"Google has no {request.input_type}")
        return None
    return _TASKS[task]


def _part(part: Text | Media) -> dict[str, object]:
    if isinstance(part, Text):
        return {"text": part.text}
    if part.data is None:
        raise InputError(f"Gemini embeds no image by its address: {part.url}.", hint="Send the image itself.")
    return {"inlineData": {"mimeType": part.media_type or "image/png", "data": part.data}}
