"""Embeddings between dialects: clients speak OpenAI's form, upstreams each their own."""

import base64
import sys
from array import array
from typing import Any, Final, Literal, Protocol

import msgspec

from app.dialects.embeddings_bedrock import BedrockEmbeddings
from app.dialects.embeddings_cohere import CohereEmbeddings
from app.dialects.embeddings_google import GeminiEmbeddings, VertexEmbeddings
from app.dialects.embeddings_inputs import part_of
from app.dialects.embeddings_ollama import OllamaEmbeddings
from app.dialects.embeddings_openai import NAME, MistralEmbeddings, OpenAiEmbeddings
from app.dialects.knobs import Knobs
from app.dialects.wire import decode_request, text_or_none
from app.dialects.writing import Written
from app.errors import InputError
from app.models.embedding import EmbeddingInput, EmbeddingReply, EmbeddingRequest, Vector
from app.models.target import Target

Encoding = Literal["float", "base64"]

_ENCODINGS: Final[dict[str, Encoding]] = {"float": "float", "base64": "base64"}
_object: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_to_json: Final = msgspec.json.Encoder().encode


class EmbeddingDialect(Protocol):
    """A form of embeddings that upstreams speak. Stateless; any thread."""

    def write_request(self, request: EmbeddingRequest, target: Target) -> Written:
        """Return what asks an upstream.

        Raises InputError for what it cannot embed.
        """

    def read_reply(self, body: bytes, status: int) -> EmbeddingReply:
        """Return what an answer says; errors and nonsense become its `error`. Never raises."""


_DIALECTS: Final[dict[str, EmbeddingDialect]] = {
    "openai_embeddings": OpenAiEmbeddings(),
    "openai_chat": OpenAiEmbeddings(),
    "openai_responses": OpenAiEmbeddings(),
    "mistral": MistralEmbeddings(),
    "gemini": GeminiEmbeddings(),
    "vertex": VertexEmbeddings(),
    "cohere": CohereEmbeddings(),
    "ollama": OllamaEmbeddings(),
    "bedrock": BedrockEmbeddings(),
}


def embedding_writer(dialect: str) -> EmbeddingDialect | None:
    """Return how an upstream of `dialect` embeds; a provider's dialect for chats names it too. None: it does not."""
    return _DIALECTS.get(dialect)


def read_openai_request(body: bytes) -> EmbeddingRequest:
    """Return what a client of OpenAI's `/v1/embeddings` asks.

    Raises InputError where the body cannot be read or asks for nothing.
    """
    knobs = Knobs(decode_request(_object, body))
    model, user = knobs.take("model"), knobs.text("user")
    written = knobs.take("input")
    inputs, is_single = _inputs(written)
    stated = knobs.text("encoding_format")
    encoding = _ENCODINGS.get(stated or "")
    if encoding is None:
        knobs.put("encoding_format", stated)
    return EmbeddingRequest(
        model=text_or_none(model),
        inputs=inputs,
        is_single=is_single,
        dimensions=knobs.whole("dimensions"),
        encoding=encoding,
        input_type=knobs.text("input_type"),
        user=user,
        params=knobs.left(),
        dialect=NAME,
    )


def write_openai_reply(reply: EmbeddingReply, asked_model: str, encoding: Encoding | None) -> bytes:
    """Return OpenAI's answer. Its counts are whole numbers always: 0 stands where the provider told none."""
    form = base64_of if encoding == "base64" else numbers_of
    data = [
        {"object": "embedding", "index": index, "embedding": form(vector)} for index, vector in enumerate(reply.vectors)
    ]
    sent = (reply.usage.input_tokens if reply.usage else None) or 0
    usage = {"prompt_tokens": sent, "total_tokens": sent}
    return _to_json({"object": "list", "data": data, "model": asked_model, "usage": usage})


def numbers_of(vector: Vector) -> list[float]:
    """Return a vector as numbers."""
    if isinstance(vector, list):
        return vector
    values = array("f", vector)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def base64_of(vector: Vector) -> str:
    """Return a vector as base64 of float32, little-endian, as OpenAI's SDK reads it."""
    if isinstance(vector, list):
        values = array("f", vector)
        if sys.byteorder == "big":
            values.byteswap()
        vector = values.tobytes()
    return base64.b64encode(vector).decode()


def _inputs(written: object) -> tuple[tuple[EmbeddingInput, ...], bool]:
    """Return the inputs: a text, token numbers, parts, or a list of any of them."""
    if isinstance(written, str) or _are_tokens(written):
        return (_input(written),), True
    if not isinstance(written, list) or not written:
        raise InputError("The request has no input to embed.", hint='Send "input": a text or a list of texts.')
    return tuple(_input(one) for one in written), False


def _input(one: object) -> EmbeddingInput:
    if isinstance(one, str):
        return EmbeddingInput(one)
    if isinstance(one, list) and _are_tokens(one):
        return EmbeddingInput(tokens=tuple(one))
    content = one.get("content", [one]) if isinstance(one, dict) else None
    parts = [part_of(entry) for entry in content] if isinstance(content, list) else []
    if not parts or any(part is None for part in parts):
        raise InputError(f"This is nothing to embed: {str(one)[:100]}.", hint="Send texts, token numbers or images.")
    return EmbeddingInput(parts=tuple(part for part in parts if part is not None))


def _are_tokens(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(number) is int for number in value)
