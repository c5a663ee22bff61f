"""Reranking between dialects: clients speak Cohere's form, upstreams each their own."""

from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from app.dialects.body_quirks import apply_quirks
from app.dialects.failures import stated_error, without_answer
from app.dialects.knobs import Knobs
from app.dialects.losses import Losses
from app.dialects.wire import UNREADABLE, count, decode_any, decode_request, entries, fields, json_text, text_or_none
from app.dialects.writing import Written
from app.errors import InputError
from app.models.chat import ReplyError
from app.models.rerank import Document, Ranked, RerankReply, RerankRequest
from app.models.target import Target
from app.models.usage import Usage

_object: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_to_json: Final = msgspec.json.Encoder().encode
_DOCUMENTS_A_UNIT: Final = 100


class RerankDialect(Protocol):
    """A form of reranking that upstreams speak. Stateless; any thread."""

    def write_request(self, request: RerankRequest, target: Target) -> Written:
        """Return what asks an upstream."""

    def read_reply(self, body: bytes, status: int) -> RerankReply:
        """Return what an answer says; errors and nonsense become its `error`. Never raises."""


class CohereRerank:
    """Cohere's `/v2/rerank`, which takes texts only (https://docs.cohere.com/reference/rerank)."""

    def write_request(self, request: RerankRequest, target: Target) -> Written:
        """Return what asks Cohere."""
        losses = Losses()
        body = _body(request, target)
        if request.top_n is not None:
            body["top_n"] = request.top_n
        if request.max_tokens_per_doc is not None:
            body["max_tokens_per_doc"] = request.max_tokens_per_doc
        for name, value in request.params.items():
            if name == "max_chunks_per_doc":
                losses.drop(name, "Cohere's second version counts tokens: max_tokens_per_doc")
            else:
                body[name] = value
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), "/v2/rerank", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> RerankReply:
        """Return the answer. Never raises."""
        return _read(body, status, "results", "relevance_score")


class JinaRerank:
    """Jina's `/v1/rerank`, which vLLM, Together and many more have too (https://api.jina.ai/redoc)."""

    def write_request(self, request: RerankRequest, target: Target) -> Written:
        """Return what asks the upstream."""
        losses = Losses()
        body = _body(request, target)
        if request.top_n is not None:
            body["top_n"] = request.top_n
        _tell_left_out(request, losses, "The provider")
        body["return_documents"] = False
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), "/v1/rerank", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> RerankReply:
        """Return the answer. Never raises."""
        return _read(body, status, "results", "relevance_score")


class VoyageRerank:
    """Voyage's `/v1/rerank` (https://docs.voyageai.com/reference/reranker-api)."""

    def write_request(self, request: RerankRequest, target: Target) -> Written:
        """Return what asks Voyage."""
        losses = Losses()
        body = _body(request, target)
        if request.top_n is not None:
            body["top_k"] = request.top_n
        _tell_left_out(request, losses, "Voyage")
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), "/v1/rerank", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> RerankReply:
        """Return the answer. Never raises."""
        return _read(body, status, "data", "relevance_score")


class TeiRerank:
    """Text Embeddings Inference's `/rerank`: one model a server, all documents ranked
    (https://huggingface.github.io/text-embeddings-inference)."""

    def write_request(self, request: RerankRequest, target: Target) -> Written:
        """Return what asks the server."""
        losses = Losses()
        body: dict[str, object] = {"query": request.query, "texts": _texts(request)}
        _tell_left_out(request, losses, "The server")
        apply_quirks(body, target.quirks, losses)
        return Written(_to_json(body), "/rerank", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> RerankReply:
        """Return the answer: a list and nothing else. Never raises."""
        return _read(body, status, "", "score")


class BedrockRerank:
    """Rerankers on AWS Bedrock, Cohere's and Amazon's, by `/model/{id}/invoke`
    (https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html)."""

    def write_request(self, request: RerankRequest, target: Target) -> Written:
        """Return what asks the model."""
        losses = Losses()
        body: dict[str, object] = {"query": request.query, "documents": _texts(request)}
        if request.top_n is not None:
            body["top_n"] = request.top_n
        model = target.model or request.model or ""
        if "cohere." in model:
            body["api_version"] = 2
        _tell_left_out(request, losses, "Bedrock")
        return Written(_to_json(body), f"/model/{quote(model, safe='')}/invoke", losses=losses.all())

    def read_reply(self, body: bytes, status: int) -> RerankReply:
        """Return the answer. Never raises."""
        return _read(body, status, "results", "relevance_score")


_DIALECTS: Final[dict[str, RerankDialect]] = {
    "cohere": CohereRerank(),
    "jina": JinaRerank(),
    "openai_chat": JinaRerank(),
    "voyage": VoyageRerank(),
    "tei": TeiRerank(),
    "bedrock": BedrockRerank(),
}


def rerank_writer(dialect: str) -> RerankDialect | None:
    """Return how an upstream of `dialect` ranks; servers that chat as OpenAI does rank as Jina. None: it does not."""
    return _DIALECTS.get(dialect)


def read_cohere_request(body: bytes) -> RerankRequest:
    """Return what a client of Cohere's `/v1/rerank` or `/v2/rerank` asks.

    Raises InputError where the body cannot be read, or names no query or no documents.
    """
    knobs = Knobs(decode_request(_object, body))
    model, query = knobs.text("model"), knobs.take("query")
    documents = knobs.take("documents")
    if not isinstance(query, str):
        raise InputError("The request has no query.", hint='Send "query": a text.')
    if not isinstance(documents, list) or not documents:
        raise InputError("The request has no documents.", hint='Send "documents": a list of texts.')
    for document in documents:
        if not isinstance(document, str | dict):
            raise InputError(f"This is no document: {str(document)[:100]}.", hint="Send texts, or objects of texts.")
    returns_documents = knobs.flag("return_documents")
    return RerankRequest(
        model=model,
        query=query,
        documents=tuple(documents),
        top_n=knobs.whole("top_n"),
        returns_documents=returns_documents is True,
        rank_fields=knobs.texts("rank_fields"),
        max_tokens_per_doc=knobs.whole("max_tokens_per_doc"),
        params=knobs.left(),
    )


def write_cohere_reply(reply: RerankReply, request: RerankRequest, reply_id: str, version: int = 2) -> bytes:
    """Return Cohere's answer for a client of its `version`: the best first, no more than were wanted.

    The first version can carry the documents; they are the client's own. `search_units` are counted as Cohere does
    where the provider does not bill by them.
    """
    ranked = sorted(reply.results, key=lambda one: -one.score)
    results: list[dict[str, object]] = []
    for one in ranked[: request.top_n]:
        result: dict[str, object] = {"index": one.index, "relevance_score": one.score}
        if request.returns_documents and 0 <= one.index < len(request.documents):
            document = request.documents[one.index]
            result["document"] = {"text": document} if isinstance(document, str) else document
        results.append(result)
    units = reply.search_units
    if units is None:
        units = -(-len(request.documents) // _DOCUMENTS_A_UNIT)
    meta: dict[str, object] = {"api_version": {"version": str(version)}, "billed_units": {"search_units": units}}
    if reply.usage is not None and reply.usage.input_tokens is not None:
        meta["tokens"] = {"input_tokens": reply.usage.input_tokens}
    return _to_json({"id": reply.id or reply_id, "results": results, "meta": meta})


def _body(request: RerankRequest, target: Target) -> dict[str, object]:
    model = target.model or request.model or ""
    return {"model": model, "query": request.query, "documents": _texts(request)}


def _texts(request: RerankRequest) -> list[str]:
    return [_text(document, request.rank_fields) for document in request.documents]


def _text(document: Document, rank_fields: tuple[str, ...]) -> str:
    """Return a document as one text; named fields as lines, which is what Cohere advises for them."""
    if isinstance(document, str):
        return document
    chosen = {name: document[name] for name in rank_fields if name in document} or document
    if list(chosen) == ["text"] and isinstance(chosen["text"], str):
        return chosen["text"]
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else json_text(value)}" for name, value in chosen.items()
    )


def _tell_left_out(request: RerankRequest, losses: Losses, vendor: str) -> None:
    if request.max_tokens_per_doc is not None:
        losses.drop("max_tokens_per_doc", f"{vendor} has no such field")
    for name in request.params:
        losses.drop(name, f"{vendor} has no such field")


def _read(body: bytes, status: int, list_name: str, score_name: str) -> RerankReply:
    """Return what an answer says: `list_name` is where its results stand ("" : it is the list)."""
    try:
        answer = decode_any(body)
    except UNREADABLE:
        error = without_answer(body, status).error
        return RerankReply(error=error or ReplyError("unreadable", "The answer was cut off."))
    if not isinstance(answer, list) and (error := stated_error(answer, status)) is not None:
        return RerankReply(error=error)
    top = fields(answer)
    listed = top.get(list_name) if list_name else answer
    if status >= 400 or not isinstance(listed, list):
        return RerankReply(error=stated_error(answer, status) or ReplyError("unreadable", _shown(body)))
    results = []
    for entry in entries(listed):
        index, score = count(entry.get("index")), entry.get(score_name)
        if index is None or not isinstance(score, int | float):
            return RerankReply(error=ReplyError("unreadable", _shown(body)))
        results.append(Ranked(index, score))
    sent = count(fields(top.get("usage")).get("total_tokens"))
    return RerankReply(
        results=tuple(results),
        id=text_or_none(top.get("id")),
        model=text_or_none(top.get("model")),
        search_units=count(fields(fields(top.get("meta")).get("billed_units")).get("search_units")),
        usage=None if sent is None else Usage(input_tokens=sent),
    )


def _shown(body: bytes) -> str:
    return f"The answer has no ranking: {body[:200].decode('utf-8', 'replace')}"
