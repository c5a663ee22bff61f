import json

import cohere
import pytest
from dialect_recordings import records
from same_json import differences

from app.dialects.rerank import read_cohere_request, rerank_writer, write_cohere_reply
from app.errors import InputError
from app.models.loss import Loss
from app.models.rerank import Ranked, RerankReply
from app.models.target import Target
from app.models.usage import Usage


def request(**fields):
    """What a client asks."""
    return read_cohere_request(json.dumps({"model": "m", "query": "q", "documents": ["a", "b"], **fields}).encode())


def asked(dialect, model="r", **fields):
    """What it becomes: the body and all of it."""
    written = rerank_writer(dialect).write_request(request(**fields), Target(model))
    return json.loads(written.body), written


def test_each_provider_is_asked_in_its_own_words():
    base = {"model": "r", "query": "q", "documents": ["a", "b"]}
    assert asked("cohere", top_n=1)[0] == {**base, "top_n": 1}
    assert asked("jina", top_n=1)[0] == {**base, "top_n": 1, "return_documents": False}
    assert asked("voyage", top_n=1)[0] == {**base, "top_k": 1}
    assert asked("tei", top_n=1)[0] == {"query": "q", "texts": ["a", "b"]}
    body, written = asked("bedrock", "cohere.rerank-v3-5:0", top_n=1)
    assert body == {"query": "q", "documents": ["a", "b"], "top_n": 1, "api_version": 2}
    assert written.path == "/model/cohere.rerank-v3-5%3A0/invoke"


def test_what_a_provider_has_no_field_for_is_told():
    _, written = asked("voyage", max_tokens_per_doc=5, priority=1)
    assert {loss.field for loss in written.losses} == {"max_tokens_per_doc", "priority"}
    _, written = asked("cohere", max_chunks_per_doc=5)
    assert written.losses == (Loss("max_chunks_per_doc", "Cohere's second version counts tokens: max_tokens_per_doc"),)


def test_documents_of_fields_are_texts_of_lines():
    documents = [{"text": "a"}, {"title": "t", "year": 5}]
    assert asked("cohere", documents=documents)[0]["documents"] == ["a", "title: t\nyear: 5"]
    assert asked("cohere", documents=documents, rank_fields=["title"])[0]["documents"][1] == "title: t"


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("cohere", {"results": [{"index": 1, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}),
        ("jina", {"results": [{"index": 1, "relevance_score": 0.9}], "usage": {"total_tokens": 7}}),
        ("voyage", {"data": [{"index": 1, "relevance_score": 0.9}], "usage": {"total_tokens": 7}}),
        ("tei", [{"index": 1, "score": 0.9}]),
        ("bedrock", {"results": [{"index": 1, "relevance_score": 0.9}]}),
    ],
)
def test_each_providers_answer_is_read(dialect, answer):
    reply = rerank_writer(dialect).read_reply(json.dumps(answer).encode(), 200)
    assert (reply.error, reply.results) == (None, (Ranked(1, 0.9),))
    assert reply.usage == (Usage(input_tokens=7) if dialect in ("jina", "voyage") else None)


def test_the_client_gets_the_best_first_and_no_more_than_it_wants():
    reply = RerankReply((Ranked(0, 0.1), Ranked(1, 0.9), Ranked(2, 0.5)))
    wanted = request(documents=["a", "b", {"text": "c"}], top_n=2, return_documents=True)
    written = json.loads(write_cohere_reply(reply, wanted, "id1", version=1))
    assert written["results"] == [
        {"index": 1, "relevance_score": 0.9, "document": {"text": "b"}},
        {"index": 2, "relevance_score": 0.5, "document": {"text": "c"}},
    ]
    assert (written["id"], written["meta"]["api_version"]) == ("id1", {"version": "1"})


@pytest.mark.parametrize("dialect", ["cohere", "jina", "voyage", "tei", "bedrock"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"{}", b'"a"', b'{"results": 5, "data": 5}', b'{"results": [{"index": "a"}]}']
)
def test_an_answer_without_a_ranking_is_an_error(dialect, body):
    reply = rerank_writer(dialect).read_reply(body, 200)
    assert reply.error is not None and not reply.results


def test_a_providers_error_is_read():
    reply = rerank_writer("tei").read_reply(b'{"error": "too long", "error_type": "Validation"}', 413)
    assert reply.error.message == "too long"


@pytest.mark.parametrize("body", [b"[", b"{}", b'{"query": "q"}', b'{"query": "q", "documents": [5]}'])
def test_a_request_for_nothing_is_refused(body):
    with pytest.raises(InputError):
        read_cohere_request(body)


def test_every_recorded_ranking_survives_the_way_through():
    for record in records("cohere.rerank"):
        sent = record.wire["request"]
        wanted = read_cohere_request(record.request)
        written = rerank_writer("cohere").write_request(wanted, Target(wanted.model))
        ignoring = ("max_chunks_per_doc", "return_documents", "rank_fields")
        assert differences(sent["body"], json.loads(written.body), ignoring=ignoring) == [], record.id
        reply = rerank_writer("cohere").read_reply(record.response, record.status)
        version = 1 if sent["path"].startswith("/v1") else 2
        answer = write_cohere_reply(reply, wanted, "x", version)
        got = record.wire["response"]["body"]
        assert differences(got, json.loads(answer), ignoring=("meta.api_version",)) == [], record.id
        assert cohere.V2RerankResponse.model_validate_json(answer).results[0].index == got["results"][0]["index"]
