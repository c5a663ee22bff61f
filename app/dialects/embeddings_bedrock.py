"""Embeddings on AWS Bedrock: each maker's own body for `/model/{id}/invoke`.

Titan: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html; Cohere:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html.
"""

from typing import Any, Final
from urllib.parse import quote

import msgspec

from app.dialects.embeddings_cohere import cohere_fields, cohere_reply
from app.dialects.embeddings_inputs import answer_of, no_vectors, parts_of, tell_left_out, vectors_of
from app.dialects.losses import Losses
from app.dialects.wire import count
from app.dialects.writing import Written
from app.errors import InputError
from app.models.embedding import EmbeddingReply, EmbeddingRequest
from app.models.message import Media, Text
from app.models.target import Target
from app.models.usage import Usage

_to_json: Final = msgspec.json.Encoder().encode


class BedrockEmbeddings:
    """Bedrock."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks the model.

        Raises InputError for token numbers, and for several inputs where the model takes one a call (Titan).
        """
        losses = Losses()
        model = target.model or request.model or ""
        body = cohere_fields(request, losses) if "cohere." in model else _titan(request, model, losses)
        tell_left_out(request, losses, "Bedrock")
        return Written(_to_json(body), f"/model/{quote(model, safe='')}/invoke", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return the answer. Never raises."""
        answer = answer_of(body, status)
        if isinstance(answer, EmbeddingReply):
            return answer
        return cohere_reply(answer) if "embeddings" in answer else _titan_reply(answer)


def _titan(request: EmbeddingRequest, model: str, losses: Losses) -> dict[str, object]:
    if len(request.inputs) != 1:
        raise InputError(
            f"{model} embeds one input a call, not {len(request.inputs)}.",
            hint="Send one call an input (LangChain: chunk_size=1).",
        )
    body: dict[str, object] = {}
    for part in parts_of(request.inputs[0], "Titan"):
        if isinstance(part, Text):
            body["inputText"] = part.text
        else:
            body["inputImage"] = _image(part)
    is_multimodal = "embed-image" in model
    if request.dimensions is not None:
        if is_multimodal:
            body["embeddingConfig"] = {"outputEmbeddingLength": request.dimensions}
        elif "text-v1" in model or "g1-text" in model:
            losses.drop("dimensions", f"{model} has one size of vectors")
        else:
            body["dimensions"] = request.dimensions
    if request.input_type is not None:
        losses.drop("input_type", "Titan's vectors are for everything alike")
    return body


def _image(media: Media) -> str:
    if media.data is None:
        raise InputError(f"Titan embeds no image by its address: {media.url}.", hint="Send the image itself.")
    return media.data


def _titan_reply(answer: dict[str, Any]) -> EmbeddingReply:
    vectors = vectors_of([answer.get("embedding")])
    if vectors is None:
        return no_vectors(answer)
    sent = count(answer.get("inputTextTokenCount"))
    return EmbeddingReply(vectors, usage=None if sent is None else Usage(input_tokens=sent))
