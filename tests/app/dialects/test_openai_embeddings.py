import json

from app.dialects.openai_embeddings import OpenAiEmbeddingsReader
from app.models.chat import ReplyError
from app.models.message import Message, Text

READER = OpenAiEmbeddingsReader()


def test_every_input_is_an_element():
    body = b'{"model": "e", "input": ["a", "b"], "dimensions": 8}'
    assert READER.split_messages(body) == [b'"a"', b'"b"']
    request = READER.read_request(body)
    assert request.messages == (Message("user", (Text("a"),)), Message("user", (Text("b"),)))
    assert request.params == {"dimensions": 8}
    assert READER.canon(b'"a"') == READER.canon(b'"input":"a"')


def test_an_answer_has_usage_and_no_choices():
    body = {"model": "e", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 4, "total_tokens": 4}}
    reply = READER.read_answer(json.dumps(body).encode(), "application/json", 200)
    assert (reply.model, reply.choices, reply.error) == ("e", (), None)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (4, None)


def test_errors_are_read():
    assert READER.read_answer(b'{"detail": "no such model"}', "application/json", 400).error == ReplyError(
        None, "no such model"
    )
    assert READER.read_answer(b"<html>", "text/html", 502).error is not None
