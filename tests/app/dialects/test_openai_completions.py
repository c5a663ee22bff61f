import json

import pytest

from app.dialects.openai_completions import OpenAiCompletionsReader
from app.models.chat import ReplyError
from app.models.message import Message, Raw, Text

READER = OpenAiCompletionsReader()


@pytest.mark.parametrize(
    ("prompt", "messages"),
    [
        ("Once", (Message("user", (Text("Once"),)),)),
        (["a", "b"], (Message("user", (Text("a"),)), Message("user", (Text("b"),)))),
        ([1, 2], (Message("user", (Raw("tokens", [1, 2]),)),)),
        ([[1], [2]], (Message("user", (Raw("tokens", [1]),)), Message("user", (Raw("tokens", [2]),)))),
        (None, ()),
        ([], ()),
    ],
)
def test_prompts_come_in_every_form(prompt, messages):
    body = json.dumps({"model": "m", "prompt": prompt, "max_tokens": 5, "stream": True}).encode()
    request = READER.read_request(body)
    assert (request.messages, request.params, request.is_stream) == (messages, {"max_tokens": 5}, True)
    assert len(READER.split_messages(body)) == len(messages)


def test_a_stream_folds_into_the_same_answer_as_a_whole_one():
    chunk = {"id": "c", "model": "m"}
    chunks = [
        {**chunk, "choices": [{"index": 0, "text": "upon", "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "text": " a time", "finish_reason": "length"}]},
        {**chunk, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 3}},
    ]
    stream = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)
    whole = {
        **chunk,
        "choices": [{"index": 0, "text": "upon a time", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 3},
    }
    streamed = READER.read_answer(stream + b"data: [DONE]\n\n", "text/event-stream", 200)
    assert streamed == READER.read_answer(json.dumps(whole).encode(), "application/json", 200)
    assert streamed.choices[0].finish_reason == "length"
    assert READER.read_stream(stream[:60]).is_complete is False


def test_errors_are_read():
    assert READER.read_reply(b'{"error": {"message": "m"}}', 400).error == ReplyError(None, "m")
    assert READER.read_stream(b'data: {"error": {"message": "m"}}\n\n').error == ReplyError(None, "m")
