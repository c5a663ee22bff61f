"""The copied text, run for real, sends what was recorded."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

import pytest

from app.export import Flavour, SentRequest, as_curl, as_text, flavours_of

CHAT = {
    "model": "demo/gpt",
    "messages": [
        {"role": "system", "content": 'Be kind.\nDon\'t say "no"; cost is $5 `now` \\ done'},
        {"role": "user", "content": "Zürich 東京 📦 " + "word " * 40},
    ],
    "temperature": 0.2,
    "stream": False,
    "parallel_tool_calls": True,
    "seed": None,
    "x_unknown_field": {"a": [1, 2, {"deep": False}]},
}
CLAUDE = {"model": "demo/claude", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}], "top_k": 4}
ANSWER = {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": "end_turn"}
REPLIES = {
    "/v1/chat/completions": {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []},
    "/v1/messages": ANSWER | {"stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}},
}


@dataclass
class Catcher:
    """A local server that keeps what it was sent."""

    origin: str = ""
    caught: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    kept = Catcher()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.caught.append((self.command, self.path, headers, body))
            reply = json.dumps(REPLIES.get(self.path.partition("?")[0], {})).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *parts: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kept.origin = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


def sent(origin: str, **fields: object) -> SentRequest:
    values: dict[str, object] = {
        "method": "POST",
        "origin": origin,
        "path": "/v1/chat/completions",
        "dialect": "openai_chat",
        "headers": (
            ("Authorization", "Bearer gs-ab12…9f2a"),
            ("content-type", "application/json"),
            ("openai-organization", "org-7"),
            ("user-agent", "OpenAI/Python"),
            ("x-stainless-os", "Linux"),
        ),
        "body": json.dumps(CHAT, ensure_ascii=False).encode(),
    }
    return SentRequest(**(values | fields))  # type: ignore[arg-type]


def claude(origin: str) -> SentRequest:
    headers = (("x-api-key", "sk-ant-…9f2a"), ("anthropic-version", "2023-06-01"), ("anthropic-beta", "tools-1"),
               ("content-type", "application/json"))  # fmt: skip
    body = json.dumps(CLAUDE).encode()
    return sent(origin, path="/v1/messages", dialect="anthropic", headers=headers, body=body)


def run(text: str, tmp_path: Path, *, is_shell: bool = False) -> None:
    script = tmp_path / "copied"
    script.write_text(text, encoding="utf-8")
    names = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GATESCOPE_API_KEY")
    environment = {"PATH": "/usr/bin:/bin"} | {name: f"{name}-value" for name in names}
    program = ["sh"] if is_shell else [sys.executable]
    done = subprocess.run([*program, script], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(which("curl") is None, reason="no curl here")
@pytest.mark.parametrize(
    "body",
    [json.dumps(CHAT).encode(), b"\xff\x00raw", b"@file 'quoted' $HOME", json.dumps({"long": "ü'" * 90_000}).encode()],
    ids=["json", "binary", "odd", "long"],
)
def test_copied_curl_sends_the_same_bytes(body: bytes, catcher: Catcher, tmp_path: Path) -> None:
    run(as_curl(sent(catcher.origin, body=body)), tmp_path, is_shell=True)
    method, path, headers, got = catcher.caught[0]
    assert (method, path, got) == ("POST", "/v1/chat/completions", body)
    assert headers["authorization"] == "Bearer GATESCOPE_API_KEY-value"
    assert (headers["content-type"], headers["openai-organization"]) == ("application/json", "org-7")


@pytest.mark.skipif(which("curl") is None, reason="no curl here")
def test_copied_curl_reads_a_key_in_the_query_from_the_environment(catcher: Catcher, tmp_path: Path) -> None:
    path = "/v1beta/models/gemini-2.5-flash:generateContent?key=AIza…1234&alt=sse"
    text = as_curl(sent(catcher.origin, path=path, dialect="gemini", headers=(), body=b"{}"))
    run(text, tmp_path, is_shell=True)
    assert catcher.caught[0][1] == path.replace("AIza…1234", "GEMINI_API_KEY-value")
    assert "AIza" not in text


@pytest.mark.parametrize("flavour", ["openai", "httpx"])
def test_copied_python_sends_the_same_chat(flavour: Flavour, catcher: Catcher, tmp_path: Path) -> None:
    run(as_text(sent(catcher.origin), flavour), tmp_path)
    _, path, headers, got = catcher.caught[0]
    assert (path, json.loads(got)) == ("/v1/chat/completions", CHAT)
    assert headers["authorization"] == "Bearer GATESCOPE_API_KEY-value"
    assert headers["openai-organization"] == "org-7"


@pytest.mark.parametrize("flavour", ["anthropic", "httpx"])
def test_copied_python_sends_the_same_message(flavour: Flavour, catcher: Catcher, tmp_path: Path) -> None:
    run(as_text(claude(catcher.origin), flavour), tmp_path)
    _, path, headers, got = catcher.caught[0]
    assert (path, json.loads(got)) == ("/v1/messages", CLAUDE)
    assert (headers.get("x-api-key") or headers["authorization"]).endswith("ANTHROPIC_API_KEY-value")
    assert headers["anthropic-beta"] == "tools-1"


def test_only_flavours_that_say_the_same_are_offered() -> None:
    assert flavours_of(sent("http://h")) == ["curl", "openai", "httpx"]
    assert flavours_of(claude("http://h")) == ["curl", "anthropic", "httpx"]
    assert flavours_of(sent("http://h", path="/files/x", dialect="", body=b"\xff")) == ["curl", "httpx"]


@pytest.mark.parametrize("flavour", ["curl", "openai", "httpx"])
def test_no_secret_is_ever_copied(flavour: Flavour) -> None:
    headers = (("authorization", "Bearer sk-very-secret"), ("cookie", "session=very-secret"))
    assert "very-secret" not in as_text(sent("http://h", headers=headers), flavour)
