"""Ollama's `/api/embed` (https://docs.ollama.com/api/embed)."""

from typing import Final

import msgspec

from app.dialects.embeddings_inputs import answer_of, no_vectors, tell_left_out, texts_of, vectors_of
from app.dialects.losses import Losses
from app.dialects.wire import count, text_or_none
from app.dialects.writing import Written
from app.models.embedding import EmbeddingReply, EmbeddingRequest
from app.models.target import Target
from app.models.usage import Usage

_PATH: Final = "/api/embed"
_to_json: Final = msgspec.json.Encoder().encode


class OllamaEmbeddings:
    """Ollama."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks Ollama.

        Raises InputError for token numbers and images.
        """
        losses = Losses()
        body: dict[str, object] = {
            "model": target.model or request.model or "",
            "input": texts_of(request, "Ollama"),
        }
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        if request.input_type is not None:
            losses.drop("input_type", "Ollama's models are told in the text what it is for")
        tell_left_out(request, losses, "Ollama")
        return Written(_to_json(body), _PATH, losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer; the older `/api/embeddings` gives one vector. Never raises."""
        answer = answer_of(body, status)
        if isinstance(answer, EmbeddingReply):
            return answer
        listed = answer.get("embeddings", [answer.get("embedding")])
        vectors = vectors_of(listed) if isinstance(listed, list) else None
        if vectors is None:
            return no_vectors(answer)
        sent = count(answer.get("prompt_eval_count"))
        usage = None if sent is None else Usage(input_tokens=sent)
        return EmbeddingReply(vectors, text_or_none(answer.get("model")), usage)
