import base64
import json
import struct

import pytest
from dialect_recordings import records
from openai.types import CreateEmbeddingResponse
from same_json import differences

from app.dialects.embeddings import embedding_writer, read_openai_request, write_openai_reply
from app.errors import InputError
from app.models.embedding import EmbeddingInput, EmbeddingReply
from app.models.loss import Loss
from app.models.message import Media, Text
from app.models.target import Quirks, Target
from app.models.usage import Usage

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def asked(dialect, quirks=None, **fields):
    """What a client's request becomes: its body and all of it."""
    request = read_openai_request(json.dumps({"model": "m", "input": ["a", "b"], **fields}).encode())
    written = embedding_writer(dialect).write_request(request, Target("e", dialect=dialect, quirks=quirks or Quirks()))
    return json.loads(written.body), written


def read(dialect, body, status=200):
    """What an upstream's answer says."""
    return embedding_writer(dialect).read_reply(json.dumps(body).encode(), status)


def recorded(api, ends=""):
    """Recordings of one path."""
    return [record for record in records(api) if record.wire["request"]["path"].endswith(ends)]


def test_texts_tokens_and_images_are_read():
    request = read_openai_request(json.dumps({"input": ["a", [1, 2], IMAGE, {"content": ["b", IMAGE]}]}).encode())
    image = Media("image", "image/png", data="AAAA")
    assert request.inputs == (
        EmbeddingInput("a"),
        EmbeddingInput(tokens=(1, 2)),
        EmbeddingInput(parts=(image,)),
        EmbeddingInput(parts=(Text("b"), image)),
    )


@pytest.mark.parametrize("body", [b"{}", b'{"input": []}', b'{"input": [5.5]}', b"[", b'{"input": [{"a": 1}]}'])
def test_a_request_for_nothing_is_refused(body):
    with pytest.raises(InputError):
        read_openai_request(body)


def test_gemini_has_an_entry_for_every_input():
    body, written = asked("gemini", dimensions=8, input_type="query", user="u")
    entry = {"model": "models/e", "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 8}
    assert body == {"requests": [{**entry, "content": {"parts": [{"text": text}]}} for text in "ab"]}
    assert written.path == "/v1beta/models/e:batchEmbedContents"
    assert written.losses == (Loss("user", "Gemini has no such field"),)


def test_vertex_has_an_instance_for_every_input():
    body, written = asked("vertex", dimensions=8, input_type="RETRIEVAL_DOCUMENT")
    assert body["instances"] == [{"content": text, "task_type": "RETRIEVAL_DOCUMENT"} for text in "ab"]
    assert body["parameters"] == {"outputDimensionality": 8}
    assert written.path == "/v1/publishers/google/models/e:predict"


def test_cohere_is_told_what_the_vectors_are_for():
    body, written = asked("cohere")
    assert body == {"model": "e", "input_type": "search_document", "embedding_types": ["float"], "texts": ["a", "b"]}
    assert [(loss.field, loss.kind) for loss in written.losses] == [("input_type", "changed")]
    body, written = asked("cohere", input_type="query", dimensions=4)
    assert (body["input_type"], body["output_dimension"], written.losses) == ("search_query", 4, ())


def test_cohere_takes_images_beside_texts():
    body, _ = asked("cohere", input=["a", IMAGE], input_type="image")
    assert body["inputs"] == [{"content": [{"type": "text", "text": "a"}]}, {"content": [IMAGE]}]


def test_ollama_and_mistral_have_their_own_names():
    body, written = asked("ollama", dimensions=4)
    assert (body, written.path) == ({"model": "e", "input": ["a", "b"], "dimensions": 4}, "/api/embed")
    body, written = asked("mistral", dimensions=4, input="a")
    assert (body, written.path) == ({"model": "e", "input": "a", "output_dimension": 4}, "/v1/embeddings")


def test_voyage_is_openai_with_a_field_renamed():
    body, _ = asked("openai_embeddings", Quirks(rename={"dimensions": "output_dimension"}), dimensions=4)
    assert body == {"model": "e", "input": ["a", "b"], "output_dimension": 4}


def test_bedrock_has_each_makers_body():
    request = read_openai_request(b'{"input": "a", "dimensions": 256}')
    writer = embedding_writer("bedrock")
    titan = writer.write_request(request, Target("amazon.titan-embed-text-v2:0"))
    assert json.loads(titan.body) == {"inputText": "a", "dimensions": 256}
    assert titan.path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    cohere = writer.write_request(request, Target("cohere.embed-english-v3"))
    assert json.loads(cohere.body)["texts"] == ["a"]
    assert read("bedrock", {"embedding": [0.5], "inputTextTokenCount": 3}).usage == Usage(input_tokens=3)
    assert read("bedrock", {"embeddings": [[0.5]], "id": "1"}).vectors == ([0.5],)


def test_titan_embeds_one_input_a_call():
    request = read_openai_request(b'{"input": ["a", "b"]}')
    with pytest.raises(InputError, match="one input a call, not 2"):
        embedding_writer("bedrock").write_request(request, Target("amazon.titan-embed-text-v2:0"))


@pytest.mark.parametrize("dialect", ["gemini", "vertex", "cohere", "ollama", "mistral"])
def test_token_numbers_go_to_nobody_but_openai(dialect):
    with pytest.raises(InputError, match="no token numbers"):
        asked(dialect, input=[1, 2])


@pytest.mark.parametrize("dialect", ["vertex", "ollama", "mistral"])
def test_who_sees_nothing_refuses_images(dialect):
    with pytest.raises(InputError, match="no images"):
        asked(dialect, input=[IMAGE])


def test_a_vector_is_the_same_in_both_encodings():
    packed = struct.pack("<3f", 0.5, -1.0, 2.25)
    for vector in ([0.5, -1.0, 2.25], packed):
        reply = EmbeddingReply((vector,), usage=Usage(input_tokens=3))
        plain = json.loads(write_openai_reply(reply, "asked", None))
        assert plain["data"] == [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0, 2.25]}]
        assert (plain["model"], plain["usage"]) == ("asked", {"prompt_tokens": 3, "total_tokens": 3})
        coded = json.loads(write_openai_reply(reply, "asked", "base64"))
        assert base64.b64decode(coded["data"][0]["embedding"]) == packed


def test_vectors_stand_in_the_order_of_their_index():
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    assert read("openai_embeddings", {"data": data}).vectors == ([1.0], [2.0])


@pytest.mark.parametrize("dialect", ["openai_embeddings", "gemini", "vertex", "cohere", "ollama", "bedrock"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"embeddings": 5, "data": [1], "predictions": [{}]}'])
def test_an_answer_without_vectors_is_an_error(dialect, body):
    reply = embedding_writer(dialect).read_reply(body, 200)
    assert reply.error is not None and not reply.vectors


def test_every_recorded_request_stays_what_it_was():
    for record in [*records("openai.embeddings"), *records("mistral.embeddings")]:
        request = read_openai_request(record.request)
        written = embedding_writer("openai_embeddings").write_request(request, Target(request.model))
        assert differences(json.loads(record.request), json.loads(written.body)) == [], record.id


@pytest.mark.parametrize(
    ("api", "ends", "dialect"),
    [
        ("openai.embeddings", "", "openai_embeddings"),
        ("mistral.embeddings", "", "mistral"),
        ("google.embed", ":batchEmbedContents", "gemini"),
        ("google.embed", ":predict", "vertex"),
        ("cohere.embed", "", "cohere"),
    ],
)
def test_every_recorded_answer_reaches_an_openai_client(api, ends, dialect):
    for record in recorded(api, ends):
        reply = embedding_writer(dialect).read_reply(record.response, record.status)
        assert bool(reply.error) == (record.status >= 400), record.id
        if reply.error or "perplexity" in record.id:  # Perplexity's are bytes of int8
            continue
        assert reply.vectors, record.id
        answer = CreateEmbeddingResponse.model_validate_json(write_openai_reply(reply, "m", "float"))
        assert len(answer.data) == _n_inputs(record.wire["request"]["body"]), record.id


def test_recorded_vectors_of_openai_stay_what_they_were():
    for record in records("openai.embeddings"):
        if record.status >= 400 or "perplexity" in record.id:
            continue
        reply = embedding_writer("openai_embeddings").read_reply(record.response, 200)
        for vector, entry in zip(reply.vectors, record.wire["response"]["body"]["data"], strict=True):
            form = "base64" if isinstance(entry["embedding"], str) else "float"
            again = json.loads(write_openai_reply(EmbeddingReply((vector,)), "m", form))["data"][0]["embedding"]
            assert again == entry["embedding"], record.id


@pytest.mark.parametrize(
    ("api", "ends", "dialect"),
    [("google.embed", ":batchEmbedContents", "gemini"), ("google.embed", ":predict", "vertex")],
)
def test_what_google_is_asked_equals_what_its_own_sdk_asked(api, ends, dialect):
    for record in recorded(api, ends):
        sent = record.wire["request"]["body"]
        entries = sent.get("requests") or sent["instances"]
        texts = [one.get("content") if "instances" in sent else one["content"]["parts"][0]["text"] for one in entries]
        size = entries[0].get("outputDimensionality") or (sent.get("parameters") or {}).get("outputDimensionality")
        fields = {
            "input": texts,
            "dimensions": size,
            "input_type": entries[0].get("taskType") or entries[0].get("task_type"),
        }
        request = read_openai_request(json.dumps(fields).encode())
        model = record.wire["request"]["path"].rpartition("/")[2].partition(":")[0]
        written = embedding_writer(dialect).write_request(request, Target(model))
        assert differences(sent, json.loads(written.body), ignoring=("parameters.autoTruncate",)) == [], record.id


def test_what_cohere_is_asked_equals_what_its_own_sdk_asked():
    for record in records("cohere.embed"):
        sent = record.wire["request"]["body"]
        fields = {"input": sent["texts"], "dimensions": sent.get("output_dimension"), "input_type": sent["input_type"]}
        request = read_openai_request(json.dumps(fields).encode())
        written = embedding_writer("cohere").write_request(request, Target(sent["model"]))
        assert differences(sent, json.loads(written.body), ignoring=("truncate",)) == [], record.id


def _n_inputs(body):
    listed = body.get("input", body.get("requests", body.get("instances", body.get("texts"))))
    single = isinstance(listed, str) or (listed and isinstance(listed[0], int))
    return 1 if single else len(listed)
