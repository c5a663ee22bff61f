"""Which call goes where."""

from typing import Any

import pytest
from fake_upstream import Answer, FakeUpstream
from live_gateway import KEY, live_gateway, run

AUTH = {"authorization": f"Bearer {KEY}"}
OWN = {"authorization": "Bearer own-key"}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FAKE_KEY", "TEST_OPENAI_KEY", "TEST_ANTHROPIC_KEY", "TEST_GOOGLE_KEY"):
        monkeypatch.setenv(name, "secret-of-provider")


def send(method: str, path: str, headers: dict[str, str], **fields: Any) -> tuple[Any, Any, Any]:
    """Send one request; return the answer, what the provider saw, and the record."""

    async def go() -> tuple[Any, Any, Any]:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            answer = await gateway.http.request(method, path, headers=headers, **fields)
            return answer, upstream.seen[0] if upstream.seen else None, await gateway.record()

    return run(go())


@pytest.mark.parametrize(
    ("path", "body", "seen_path", "operation", "dialect"),
    [
        ("/v1/chat/completions", {"model": "fast"}, "/v1/chat/completions", "chat", "openai_chat"),
        ("/v1/completions", {"model": "fast"}, "/v1/completions", "completion", "openai_completions"),
        ("/v1/embeddings", {"model": "gpt-e"}, "/v1/embeddings", "embeddings", "openai_embeddings"),
        ("/v1/responses", {"model": "gpt-4o"}, "/v1/responses", "chat", "openai_responses"),
        ("/v1/moderations", {"model": "gpt-m", "input": "x"}, "/v1/moderations", "moderation", ""),
        ("/v1/images/generations", {"model": "openai/dall-e-3"}, "/v1/images/generations", "images", ""),
        ("/v1/audio/speech", {"model": "openai/tts-1"}, "/v1/audio/speech", "audio", ""),
        ("/v1/messages?beta=true", {"model": "wise"}, "/v1/messages?beta=true", "chat", "anthropic"),
        ("/v1/messages/count_tokens", {"model": "wise"}, "/v1/messages/count_tokens", "count_tokens", "anthropic"),
        (
            "/v1beta/models/google/gemini-2.5-pro:streamGenerateContent?alt=sse",
            {"contents": []},
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            "chat",
            "gemini",
        ),
        (
            "/v1beta/models/gemini-2.5-pro:countTokens",
            {},
            "/v1beta/models/gemini-2.5-pro:countTokens",
            "count_tokens",
            "gemini",
        ),
        ("/fake/v1/chat/completions", {"model": "as/is"}, "/v1/chat/completions", "chat", "openai_chat"),
        ("/fake/chat/completions", {"model": "as-is"}, "/v1/chat/completions", "chat", "openai_chat"),
        ("/anthropic/v1/messages", {"model": "claude-x"}, "/v1/messages", "chat", "anthropic"),
        ("/fake/v1/something/new", {"a": 1}, "/v1/something/new", "other", ""),
    ],
)
def test_a_path_leads_to_its_provider(path: str, body: Any, seen_path: str, operation: str, dialect: str) -> None:
    answer, seen, record = send("POST", path, AUTH, json=body)
    assert answer.status_code == 200
    assert seen.path == seen_path
    assert (record.operation, record.dialect) == (operation, dialect)
    assert record.path == path


def test_a_gemini_model_is_exchanged_in_the_path_and_the_body_left_alone() -> None:
    _, seen, record = send("POST", "/v1beta/models/google/gemini-9:generateContent", AUTH, content=b'{ "model":"x" }')
    assert seen.body == b'{ "model":"x" }'
    assert (record.requested_model, record.model, record.upstream_edit) == ("google/gemini-9", "gemini-9", None)


def test_a_model_in_a_form_is_read_and_exchanged() -> None:
    form = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nopenai/whisper-1\r\n--b\r\n'
    form += b'content-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00\xff\r\n--b--\r\n'
    headers = {**AUTH, "content-type": "multipart/form-data; boundary=b"}
    _, seen, record = send("POST", "/v1/audio/transcriptions", headers, content=form)
    assert seen.body == form.replace(b"openai/whisper-1", b"whisper-1")
    assert seen.header("content-type") == "multipart/form-data; boundary=b"
    assert (record.operation, record.model) == ("audio", "whisper-1")


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/files/f1", "files"),
        ("DELETE", "/v1/files/f1", "files"),
        ("GET", "/v1/batches", "other"),
        ("GET", "/v1/responses/resp_1?stream=true", "response_get"),
        ("DELETE", "/v1/responses/resp_1", "response_delete"),
        ("POST", "/v1/responses/resp_1/cancel", "response_cancel"),
        ("GET", "/v1/models", "models"),
    ],
)
def test_a_call_without_a_model_goes_home_with_the_clients_own_key(method: str, path: str, operation: str) -> None:
    _, seen, record = send(method, path, OWN)
    assert (seen.method, seen.path, seen.header("authorization")) == (method, path, "Bearer own-key")
    assert (record.provider, record.operation) == ("openai", operation)


def test_a_stored_response_is_asked_of_the_provider_that_made_it() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            made = await gateway.http.post("/v1/responses", json={"model": "fast"}, headers=AUTH)
            assert made.json()["id"] == "resp_fake"
            got = await gateway.http.get("/v1/responses/resp_fake", headers=AUTH)
            assert got.headers["x-gatescope-provider"] == "fake"

    run(go())


@pytest.mark.parametrize(
    ("path", "headers", "names"),
    [
        ("/v1/models", {}, ["fast", "wise", "fake/tiny-1"]),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, ["fast", "wise", "fake/tiny-1"]),
        ("/v1beta/models", {}, ["models/fast", "models/wise", "models/fake/tiny-1"]),
    ],
)
def test_models_are_listed_in_the_clients_dialect(path: str, headers: Any, names: list[str]) -> None:
    answer, seen, record = send("GET", path, {**AUTH, **headers})
    assert seen is None
    listed = answer.json().get("data", answer.json().get("models"))
    found = [item.get("id") or item["name"] for item in listed]
    assert [name for name in found if name.removeprefix("models/") in ("fast", "wise", "fake/tiny-1")] == names
    assert record.operation == "models"


def test_one_model_is_described_and_an_unknown_one_is_a_404() -> None:
    answer, _, _ = send("GET", "/v1/models/fast", AUTH)
    assert answer.json()["id"] == "fast"
    answer, _, _ = send("GET", "/v1/models/fasd", AUTH)
    assert answer.status_code == 404
    assert "fast" in answer.json()["error"]["message"]


def test_headers_of_the_connection_and_of_ours_stay_here() -> None:
    sent = {
        **AUTH,
        "x-hop": "1",
        "connection": "keep-alive, x-hop",
        "x-gatescope-test": "1",
        "cookie": "a=b",
        "anthropic-beta": "tools-1",
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    }
    _, seen, _ = send("POST", "/v1/messages", sent, json={"model": "wise"})
    names = {name.lower() for name, _ in seen.headers}
    assert not names & {"x-hop", "x-gatescope-test", "cookie", "connection", "authorization"}
    assert {"anthropic-beta", "traceparent", "x-api-key"} <= names


def test_a_large_upload_is_sent_whole() -> None:
    async def go() -> None:
        async with FakeUpstream() as upstream, live_gateway(upstream.url) as gateway:
            body = bytes(range(256)) * 40_000
            upstream.answers.append(Answer(body=b'{"id":"file_1"}'))
            answer = await gateway.http.post("/v1/files", content=body, headers={**OWN, "content-type": "x/y"})
            assert answer.json() == {"id": "file_1"}
            assert upstream.seen[0].body == body
            assert (await gateway.record()).request == body

    run(go())


@pytest.mark.parametrize(
    ("version", "place"), [(None, "x-api-key"), ("2023-06-01", "x-api-key"), ("2026-10-21", "authorization")]
)
def test_anthropic_has_its_key_where_its_version_wants_it(version: str | None, place: str) -> None:
    headers = AUTH if version is None else {**AUTH, "anthropic-version": version}
    _, seen, _ = send("POST", "/v1/messages", headers, json={"model": "wise"})
    assert [name for name, value in seen.headers if "secret-of-provider" in value] == [place]
