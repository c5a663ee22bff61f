"""OpenAI's `/v1/embeddings` as upstreams speak it: OpenAI, Mistral, Voyage, vLLM and everyone else
(https://platform.openai.com/docs/api-reference/embeddings)."""

from typing import Final

import msgspec

from app.dialects.body_quirks import apply_quirks
from app.dialects.embeddings_inputs import answer_of, no_vectors, tell_left_out, texts_of, vectors_of
from app.dialects.losses import Losses
from app.dialects.openai_usage import usage_of
from app.dialects.wire import entries, text_or_none
from app.dialects.writing import Written
from app.models.embedding import EmbeddingInput, EmbeddingReply, EmbeddingRequest
from app.models.message import Text
from app.models.target import Target

NAME: Final = "openai_embeddings"
_PATH: Final = "/v1/embeddings"
_to_json: Final = msgspec.json.Encoder().encode


class OpenAiEmbeddings:
    """Everyone who copied OpenAI."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks the upstream."""
        losses = Losses()
        written = [_input(one) for one in request.inputs]
        body: dict[str, object] = {
            "model": target.model or request.model or "",
            "input": written[0] if request.is_single and len(written) == 1 else written,
        }
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        if request.encoding is not None:
            body["encoding_format"] = request.encoding
        if request.input_type is not None:
            body["input_type"] = request.input_type
        if request.user is not None:
            body["user"] = request.user
        if request.dialect == NAME:
            body |= request.params
        else:
            tell_left_out(request, losses, "The provider")
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), _PATH, losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer; vectors in the order of their `index`. Never raises."""
        return read_openai_answer(body, status)


class MistralEmbeddings:
    """Mistral has other names for two fields (https://docs.mistral.ai/api/endpoint/embeddings)."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks Mistral.

        Raises InputError for token numbers and images.
        """
        losses = Losses()
        texts = texts_of(request, "Mistral")
        body: dict[str, object] = {
            "model": target.model or request.model or "",
            "input": texts[0] if request.is_single and len(texts) == 1 else texts,
        }
        if request.dimensions is not None:
            body["output_dimension"] = request.dimensions
        if request.encoding is not None:
            body["encoding_format"] = request.encoding
        if request.input_type is not None:
            losses.drop("input_type", "Mistral's vectors are for everything alike")
        tell_left_out(request, losses, "Mistral")
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), _PATH, losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer, which is as OpenAI's. Never raises."""
        return read_openai_answer(body, status)


def read_openai_answer(body: bytes, status: int) -> EmbeddingReply:
    """Return what an answer in OpenAI's form says."""
    answer = answer_of(body, status)
    if isinstance(answer, EmbeddingReply):
        return answer
    listed = entries(answer.get("data"))
    if all(isinstance(entry.get("index"), int) for entry in listed):
        listed.sort(key=lambda entry: entry["index"])
    vectors = vectors_of([entry.get("embedding") for entry in listed])
    if vectors is None:
        return no_vectors(answer)
    usage = answer.get("usage")
    if isinstance(usage, dict) and "prompt_tokens" not in usage and "total_tokens" in usage:
        usage = {**usage, "prompt_tokens": usage["total_tokens"]}
    model, reply_id = text_or_none(answer.get("model")), text_or_none(answer.get("id"))
    return EmbeddingReply(vectors, model, usage_of(usage), id=reply_id)


def _input(one: EmbeddingInput) -> object:
    if one.text is not None:
        return one.text
    if one.tokens is not None:
        return list(one.tokens)
    content: list[object] = []
    for part in one.parts:
        if isinstance(part, Text):
            content.append({"type": "text", "text": part.text})
        else:
            address = part.url or f"data:{part.media_type or 'image/png'};base64,{part.data}"
            content.append({"type": "image_url", "image_url": {"url": address}})
    return {"content": content}
