"""What goes wrong, as a person meets it: the SDK raises its own error with a helpful message, the window says why."""

import asyncio
import http.client
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from fake_upstream import Answer, stream
from journeys.desktop_trip import Trip, travel
from journeys.upstream_thread import fake_upstream
from PySide6.QtWidgets import QApplication

from ui.traces.columns import Column

HELLO: Any = [{"role": "user", "content": "Hello"}]
HTML = Answer(502, b"<html><title>Bad gateway</title></html>", headers=[("content-type", "text/html")])
LIMITED = Answer(
    429,
    b'{"error":{"message":"You are too fast.","type":"rate_limit_error","code":"rate_limit"}}',
    headers=[("content-type", "application/json"), ("retry-after", "3")],
)
CUT_CHAT = stream(b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n', b"x", cut_after=1)
CUT_MESSAGE = stream(
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"1","type":"message","role":"assistant",'
    b'"content":[],"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
    b"x",
    cut_after=1,
)


class Clients:
    """Both SDKs on one gateway."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.oc = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self.an = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)

    def close(self) -> None:
        """Hang up."""
        self.oc.close()
        self.an.close()

    def chat(self, model: str = "fast") -> None:
        """OpenAI, whole."""
        self.oc.chat.completions.create(model=model, messages=HELLO)

    def chat_stream(self, model: str = "fast") -> None:
        """OpenAI, streamed."""
        list(self.oc.chat.completions.create(model=model, messages=HELLO, stream=True))

    def message(self, model: str = "wise") -> None:
        """Anthropic, whole."""
        self.an.messages.create(model=model, max_tokens=9, messages=HELLO)

    def message_stream(self, model: str = "wise") -> None:
        """Anthropic, streamed."""
        with self.an.messages.stream(model=model, max_tokens=9, messages=HELLO) as events:
            events.get_final_message()


Call = Callable[[Clients], None]
CASES: list[tuple[str, Call, Answer | None, type[Exception], str, str]] = [
    # what, call, the upstream's answer, the SDK's error, what its message says, what the window says
    ("unknown model", lambda to: to.chat("fasst"), None, openai.NotFoundError, "fast", "Refused: .*fast"),
    ("unknown model", lambda to: to.message("wisse"), None, anthropic.NotFoundError, "wise", "Refused: .*wise"),
    ("down", lambda to: to.chat("gone"), None, openai.APIStatusError, "down", "Upstream: .*down"),
    ("down", lambda to: to.message_stream("lost"), None, anthropic.APIStatusError, "down", "Upstream: .*down"),
    ("html", lambda to: to.chat(), HTML, openai.APIStatusError, "502|Bad gateway", "Invalid: Bad gateway"),
    ("html", lambda to: to.message(), HTML, anthropic.APIStatusError, "502|Bad gateway", "Invalid: Bad gateway"),
    ("limit", lambda to: to.chat_stream(), LIMITED, openai.RateLimitError, "too fast", "Provider: You are too fast"),
    ("cut", lambda to: to.chat_stream(), CUT_CHAT, openai.APIError, "cut", "Cut: .*cut"),
    ("cut", lambda to: to.message_stream(), CUT_MESSAGE, anthropic.APIError, "cut", "Cut: .*cut"),
]


def config(port: int, dead: int) -> str:
    def provider(dialect: str, at: int, path: str = "") -> str:
        return f'{{dialect: {dialect}, base_url: "http://127.0.0.1:{at}{path}", api_key: env:TRIP_KEY}}'

    return f"""\
providers:
  oc: {provider("openai_chat", port, "/v1")}
  an: {provider("anthropic", port)}
  down: {provider("openai_chat", dead, "/v1")}
  downa: {provider("anthropic", dead)}
models:
  fast: {{targets: [{{provider: oc, model: gpt-4o-mini}}]}}
  wise: {{targets: [{{provider: an, model: claude-sonnet-5}}]}}
  gone: {{targets: [{{provider: down, model: gpt-4o-mini}}]}}
  lost: {{targets: [{{provider: downa, model: claude-sonnet-5}}]}}
"""


def test_what_fails_says_why_in_the_sdk_and_in_the_window(qapp: QApplication, tmp_path: Path) -> None:
    async def journey(trip: Trip) -> None:
        clients = Clients(trip.url, await trip.new_key())
        for number, (what, call, answer, error, said, shown) in enumerate(CASES, 1):
            if answer is not None:
                upstream.answers.append(answer)
            with pytest.raises(error, match=said) as raised:
                await asyncio.to_thread(call, clients)
            assert str(raised.value), what
            row = (await trip.rows(number))[0]
            assert trip.cells(row)[Column.STATUS] == "error", what
            await trip.open(row.id)
            assert trip.tree()[-1].endswith("!"), what
            assert re.match(shown, trip.why()), (what, trip.why())
        clients.close()

    with fake_upstream() as upstream, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        travel(qapp, tmp_path, journey, config=config(upstream.port, dead.getsockname()[1]))


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Send exactly this; return the status and the error."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())["error"]
        assert answer.headers["x-gatescope-request-id"]
        return answer.status, told
    finally:
        connection.close()


def test_a_hand_made_request_that_is_wrong_is_told_what_is_wrong(qapp: QApplication, tmp_path: Path) -> None:
    async def journey(trip: Trip) -> None:
        key = {"authorization": f"Bearer {await trip.new_key()}", "content-type": "application/json"}
        good = json.dumps({"model": "fast", "messages": HELLO}).encode()
        cases: list[tuple[bytes, dict[str, str], int, str]] = [
            (b'{"model": "fast", ', key, 400, "JSON"),
            (good, key | {"content-type": "text/plain"}, 415, "application/json"),
            (good, {"content-type": "application/json"}, 401, "key"),
            (good, key | {"authorization": "Bearer gs-" + "0" * 40}, 401, "key"),
            (good, key | {"origin": "https://elsewhere.example"}, 403, "origin"),
            (good, key | {"host": "elsewhere.example"}, 403, "host"),
        ]
        for body, headers, status, said in cases:
            got, told = await asyncio.to_thread(post, trip.url, body, headers)
            assert (got, said.lower() in told["message"].lower()) == (status, True), told
        assert upstream.seen == []
        model = trip.traces.list.model
        shown = {row.id for row in await trip.desk.reader.ask("trace_rows", list(model.ids()))}
        for row_id in shown:
            await trip.open(row_id)
            assert trip.why().startswith(("Refused: ", "Invalid: "))

    with fake_upstream() as upstream:
        travel(qapp, tmp_path, journey, config=config(upstream.port, 1))
