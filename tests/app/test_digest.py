import json
from typing import Any

import pytest
from agents import Anthropic, Clock, OpenAiChat
from factories import call_record, chat_reply, chat_request

from app.digest import Digester
from app.models.call import CallRecord, Digest
from app.models.span import Failure, Kind, Status
from app.pricing.book import Book

DIGESTER = Digester(Book(()))


def digest(**fields: Any) -> Digest:
    return DIGESTER.digest(call_record(**fields))


def stream(*events: dict[str, Any], is_done: bool = True) -> dict[str, Any]:
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + (["data: [DONE]\n\n"] if is_done else [])
    return {"response": "".join(lines).encode(), "content_type": "text/event-stream"}


def delta(text: str) -> dict[str, Any]:
    return {"id": "c1", "model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0, "delta": {"content": text}}]}


def test_an_ordinary_call_is_told_in_full() -> None:
    made = digest(
        request=chat_request(("system", "Be kind."), ("user", "What\n is it?")), response=chat_reply("It is.")
    )

    assert (made.kind, made.name, made.status) == (Kind.LLM, "chat gpt-4o-mini", Status.OK)
    assert made.model == "gpt-4o-mini-2024-07-18"
    assert made.finish_reason == "stop"
    assert (made.input_preview, made.output_preview) == ("What is it?", "It is.")
    # 10 x 0.15 / M + 3 x 0.60 / M dollars
    assert made.cost_nusd == 3_300
    assert made.cost_parts == {"input": 1_500, "output": 1_800}
    assert made.failure is None


def test_a_running_call_is_told_from_its_request() -> None:
    made = digest(end_ns=None, status=None, response=b"", request=chat_request(("user", "Hello")))

    assert (made.status, made.name, made.input_preview) == (Status.RUNNING, "chat gpt-4o-mini", "Hello")
    assert (made.model, made.usage, made.cost_nusd, made.answer, made.failure) == (
        "gpt-4o-mini",
        None,
        None,
        None,
        None,
    )


def test_the_newest_tool_result_is_shown() -> None:
    agent = Anthropic(Clock())
    agent.ask("Look it up")
    first = agent.call("", ("search", {"q": "a b"}))
    agent.results("found  it")
    second = agent.call("Done.")

    assert DIGESTER.digest(first).output_preview == '→ search({"q":"a b"})'
    assert DIGESTER.digest(second).input_preview == "found it"


def test_previews_are_cut_to_one_line_of_120_characters() -> None:
    made = digest(request=chat_request(("user", "word \n" * 10_000)))

    assert len(made.input_preview) == 120
    assert "\n" not in made.input_preview and made.input_preview.endswith("…")


def test_a_picture_without_words_is_shown_as_one() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    request = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": [part]}]}).encode()

    assert digest(request=request).input_preview == "[image]"


def test_an_error_of_the_provider_is_its_words() -> None:
    body = b'{"error": {"message": "You exceeded your quota.", "type": "insufficient_quota", "code": "x"}}'
    made = digest(status=429, response=body)

    assert made.status is Status.ERROR
    assert made.failure == Failure("provider", "You exceeded your quota.", 429)
    assert (made.usage, made.cost_nusd, made.output_preview) == (None, None, "")


def test_an_error_under_status_200_is_an_error() -> None:
    made = digest(response=b'{"error": {"message": "overloaded"}}')

    assert (made.status, made.failure) == (Status.ERROR, Failure("provider", "overloaded", 200))


def test_an_error_in_mid_stream_is_an_error() -> None:
    made = digest(**stream(delta("He"), {"error": {"message": "server had a hiccup"}}, is_done=False))

    assert made.status is Status.ERROR
    assert made.failure == Failure("provider", "server had a hiccup", 200)
    assert made.output_preview == "He"


def test_an_html_page_is_no_answer() -> None:
    made = digest(response=b"<html><title>502 Bad Gateway</title></html>", content_type="text/html")

    assert made.status is Status.ERROR
    assert made.failure is not None and made.failure.kind == "invalid" and "502 Bad Gateway" in made.failure.message


def test_a_stream_that_was_cut_is_an_error_and_its_tokens_an_estimate() -> None:
    made = digest(**stream(delta("This answer was "), delta("cut in the middle"), is_done=False))

    assert made.status is Status.ERROR
    assert made.failure is not None and made.failure.kind == "cut"
    assert made.usage is not None and made.usage.is_estimated
    # 33 characters
    assert (made.usage.input_tokens, made.usage.output_tokens) == (None, 9)
    assert made.cost_nusd is None


def test_a_client_that_hangs_up_on_the_streams_last_event_was_served() -> None:
    left = {"failure": Failure("aborted", "The client left.", None), "chunks": (0, 60)}
    whole = digest(**stream(delta("All of it")), **left)
    part = digest(**stream(delta("Some of it"), is_done=False), **left)

    assert (whole.status, whole.failure) == (Status.OK, None)
    assert (part.status, part.failure) == (Status.ABORTED, left["failure"])


def test_a_call_the_client_left_is_aborted_and_counts_what_was_seen() -> None:
    failure = Failure("aborted", "The client left.", None)
    start = {
        "type": "message_start",
        "message": {
            "id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "content": [],
            "usage": {"input_tokens": 100, "output_tokens": 1},
        },
    }  # fmt: skip
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a" * 400}}
    events = b"".join(f"event: {it['type']}\ndata: {json.dumps(it)}\n\n".encode() for it in (start, block, text))
    request = b'{"model": "claude-sonnet-5", "messages": [{"role": "user", "content": "Hi"}]}'
    made = digest(
        dialect="anthropic", provider="anthropic", model="claude-sonnet-5", request=request, response=events,
        content_type="text/event-stream", failure=failure,
    )  # fmt: skip

    assert (made.status, made.failure) == (Status.ABORTED, failure)
    assert made.usage is not None and made.usage.is_estimated
    assert (made.usage.input_tokens, made.usage.output_tokens) == (100, 100)
    # 100 x 2 / M + 100 x 10 / M dollars
    assert made.cost_nusd == 1_200_000


def test_a_stream_without_usage_has_none() -> None:
    last = {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    made = digest(**stream(delta("Hello"), last))

    assert (made.status, made.usage, made.cost_nusd) == (Status.OK, None, None)


def test_what_the_gateway_knows_comes_before_what_the_bytes_say() -> None:
    refused = Failure("refused", "No such key.", 401)
    made = digest(status=401, response=b'{"error": {"message": "else"}}', failure=refused)

    assert (made.status, made.failure) == (Status.ERROR, refused)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"method": "GET", "path": "/v1/models?limit=2", "dialect": "", "operation": "models"}, "GET /v1/models"),
        ({"path": "/v1/files", "dialect": "", "operation": "files"}, "POST /v1/files"),
        ({"path": "/v1/messages/count_tokens", "operation": "count_tokens"}, "POST /v1/messages/count_tokens"),
    ],
)
def test_a_path_we_only_pass_through_is_http(fields: dict[str, Any], name: str) -> None:
    made = digest(**fields)

    assert (made.kind, made.name, made.status) == (Kind.HTTP, name, Status.OK)
    assert (made.usage, made.cost_nusd) == (None, None)


def test_a_failed_pass_through_tells_what_came_back() -> None:
    made = digest(dialect="", operation="other", status=404, response=b"no such\npage")

    assert made.failure == Failure("provider", "no such page", 404)


def test_an_embedding_is_named_and_priced() -> None:
    answer = {
        "object": "list", "model": "text-embedding-3-small", "data": [{"index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
    }  # fmt: skip
    made = digest(
        dialect="openai_embeddings", operation="embeddings", path="/v1/embeddings", model="text-embedding-3-small",
        request=b'{"model": "text-embedding-3-small", "input": "Hello"}', response=json.dumps(answer).encode(),
    )  # fmt: skip

    assert (made.kind, made.name) == (Kind.EMBEDDING, "embeddings text-embedding-3-small")
    assert made.cost_nusd == 20_000


@pytest.mark.parametrize(
    "request_", [b"", b"{", b"[]", b'{"messages": 3}', b"\xff\xfe", b'{"model":1,"messages":[1,{}]}']
)
@pytest.mark.parametrize("response", [b"", b"{", b"null", b"\x00", b'{"choices": [{}]}', b"data: {"])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "openai_responses", "gemini", ""])
def test_nonsense_on_either_side_never_raises(request_: bytes, response: bytes, dialect: str) -> None:
    assert digest(dialect=dialect, request=request_, response=response).name


def test_the_elements_are_handed_on() -> None:
    record: CallRecord = OpenAiChat(Clock()).call("x")

    assert [json.loads(raw)["role"] for raw in DIGESTER.digest(record).elements] == ["system"]
