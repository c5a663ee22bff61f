"""The first snippets, run for real against a local server."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

import pytest

from ui.home.snippets import snippets

KEY = "gs-test-key"
CHAT = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello there"}}],
}  # fmt: skip
MESSAGE = {
    "id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "stop_sequence": None,
    "content": [{"type": "text", "text": "hello there"}], "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str, dict[str, object]]]]]:
    caught: list[tuple[str, str, dict[str, object]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            caught.append((self.path, self.headers.get("authorization") or self.headers.get("x-api-key") or "", body))
            reply = json.dumps(MESSAGE if self.path.endswith("/messages") else CHAT).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *parts: object) -> None:
            """Quiet."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", caught
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("name", "path"),
    [("openai-python", "/v1/chat/completions"), ("anthropic-python", "/v1/messages"), ("curl", "/v1/chat/completions")],
)
def test_a_snippet_runs_unchanged(name: str, path: str, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    if name == "curl" and which("curl") is None:
        pytest.skip("no curl here")
    origin, caught = server
    text = next(snippet.text for snippet in snippets(origin, KEY) if snippet.id == name)
    script = tmp_path / "snippet"
    script.write_text(text, encoding="utf-8")
    program = ["sh"] if name == "curl" else [sys.executable]
    done = subprocess.run(
        [*program, script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert "hello there" in done.stdout, done.stderr
    ((got_path, key, body),) = caught
    assert (got_path, body["model"]) == (path, "demo/chat")
    assert key.endswith(KEY)


def test_every_snippet_holds_the_real_address_and_key() -> None:
    for snippet in snippets("http://127.0.0.1:4199", KEY):
        assert "http://127.0.0.1:4199" in snippet.text and KEY in snippet.text


def test_openai_goes_with_v1_and_anthropic_without() -> None:
    found = {snippet.id: snippet.text for snippet in snippets("http://h:1", KEY)}
    assert 'ANTHROPIC_BASE_URL="http://h:1"' in found["env"] and 'OPENAI_BASE_URL="http://h:1/v1"' in found["env"]
    assert 'base_url="http://h:1"' in found["anthropic-python"]
