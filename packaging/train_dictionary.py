"""Trains the zstd dictionary of the store: `python packaging/train_dictionary.py RECORDINGS`.

RECORDINGS is a folder of recorded provider traffic (`*.jsonl.gz`, see its README). The samples are what the store
compresses: short bodies whole, the pieces and templates of longer ones, streams, and the attributes of calls. A new
dictionary is a new file with the next number: files written with an old one keep that one.
"""

import argparse
import base64
import gzip
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.models.call import Attempt, CallRecord, CallWrite, Digest, Placement  # noqa: E402
from app.models.span import Kind, Link, LinkMethod, Status  # noqa: E402
from app.models.usage import Usage  # noqa: E402
from app.redact import redact_headers  # noqa: E402
from app.store.attributes import encode_attributes  # noqa: E402
from app.store.split import split  # noqa: E402

SIZE_BYTES = 112_640
MAX_SAMPLE_BYTES = 2_048
RESPONSE_KEYS = frozenset({"tools", "instructions"})

HOSTS = {
    "openai": ("https://api.openai.com/v1/chat/completions", "openai_chat", "/v1/chat/completions"),
    "openai.responses": ("https://api.openai.com/v1/responses", "openai_responses", "/v1/responses"),
    "anthropic": ("https://api.anthropic.com/v1/messages", "anthropic", "/v1/messages"),
    "google": (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
        "gemini",
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ),
}
STAINLESS = """x-stainless-lang: python
x-stainless-package-version: {version}
x-stainless-os: Linux
x-stainless-arch: x64
x-stainless-runtime: CPython
x-stainless-runtime-version: 3.11.7
x-stainless-async: false
x-stainless-retry-count: 0
x-stainless-read-timeout: 600"""
HTTPX = """Host: 127.0.0.1:4141
Accept-Encoding: gzip, deflate
Connection: keep-alive
"""
SDK_HEADERS = (
    HTTPX
    + """authorization: Bearer k
accept: application/json
content-type: application/json
user-agent: OpenAI/Python {version}
"""
    + STAINLESS
    + "\nContent-Length: {length}",
    HTTPX
    + """x-stainless-timeout: 600
x-stainless-retry-count: 0
x-stainless-read-timeout: 600
Accept: application/json
Content-Type: application/json
User-Agent: Anthropic/Python {version}
X-Stainless-Lang: python
X-Stainless-Package-Version: {version}
X-Stainless-OS: Linux
X-Stainless-Arch: x64
X-Stainless-Runtime: CPython
X-Stainless-Runtime-Version: 3.11.7
x-api-key: ***
X-Stainless-Async: false
anthropic-version: 2023-06-01
anthropic-beta: prompt-caching-2024-07-31
Content-Length: {length}""",
    HTTPX
    + """accept: */*
x-goog-api-key: ***
user-agent: google-genai-sdk/{version} gl-python/3.11.7
x-goog-api-client: google-genai-sdk/{version} gl-python/3.11.7
content-type: application/json
content-length: {length}""",
    """host: localhost:4141
connection: keep-alive
authorization: Bearer k
accept: application/json
content-type: application/json
user-agent: AsyncOpenAI/JS {version}
x-stainless-lang: js
x-stainless-os: MacOS
x-stainless-arch: arm64
x-stainless-runtime: node
x-stainless-runtime-version: v22.1.0
accept-language: *
sec-fetch-mode: cors
accept-encoding: br, gzip, deflate
content-length: {length}""",
    """Host: 127.0.0.1:4141
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer k
Content-Type: application/json
Content-Length: {length}""",
)
ANSWER_HEADERS = (
    """Date: {date}
Content-Type: application/json
Transfer-Encoding: chunked
Connection: keep-alive
access-control-expose-headers: X-Request-ID
openai-organization: ***
openai-processing-ms: {length}
openai-project: ***
openai-version: 2020-10-01
x-envoy-upstream-service-time: {length}
x-ratelimit-limit-requests: 10000
x-ratelimit-limit-tokens: 30000000
x-ratelimit-remaining-requests: 9999
x-ratelimit-remaining-tokens: 29999{length}
x-ratelimit-reset-requests: 6ms
x-ratelimit-reset-tokens: 0s
x-request-id: req_{ident}
x-openai-proxy-wasm: v0.1
cf-cache-status: DYNAMIC
Strict-Transport-Security: max-age=31536000; includeSubDomains; preload
X-Content-Type-Options: nosniff
Server: cloudflare
CF-RAY: {ray}-FRA
Content-Encoding: gzip
alt-svc: h3=":443"; ma=86400""",
    """Date: {date}
Content-Type: text/event-stream; charset=utf-8
Transfer-Encoding: chunked
Connection: keep-alive
Cache-Control: no-cache
anthropic-ratelimit-requests-limit: 4000
anthropic-ratelimit-requests-remaining: 3999
anthropic-ratelimit-requests-reset: {iso}
anthropic-ratelimit-input-tokens-limit: 2000000
anthropic-ratelimit-input-tokens-remaining: 2000000
anthropic-ratelimit-input-tokens-reset: {iso}
anthropic-ratelimit-output-tokens-limit: 400000
anthropic-ratelimit-output-tokens-remaining: 400000
anthropic-ratelimit-output-tokens-reset: {iso}
anthropic-ratelimit-tokens-limit: 2400000
anthropic-ratelimit-tokens-remaining: 2400000
anthropic-ratelimit-tokens-reset: {iso}
request-id: req_{ident}
strict-transport-security: max-age=31536000; includeSubDomains; preload
anthropic-organization-id: ***
x-envoy-upstream-service-time: {length}
Server: cloudflare
X-Robots-Tag: none
cf-cache-status: DYNAMIC
CF-RAY: {ray}-FRA""",
    """Content-Type: application/json; charset=UTF-8
Vary: Origin
Vary: X-Origin
Vary: Referer
Content-Encoding: gzip
Date: {date}
Server: scaffolding on HTTPServer2
X-XSS-Protection: 0
X-Frame-Options: SAMEORIGIN
X-Content-Type-Options: nosniff
Server-Timing: gfet4t7; dur={length}
Alt-Svc: h3=":443"; ma=2592000,h3-29=":443"; ma=2592000
Transfer-Encoding: chunked""",
    """content-type: application/json
content-length: {length}
date: {date}""",
)
OUR_HEADERS = """
x-gatescope-request-id: {ident}
x-gatescope-provider: {provider}
x-gatescope-model: {model}
x-gatescope-attempts: 1
x-gatescope-cost-usd: 0.000{length}"""
EVIDENCE = (
    "No earlier call fits it.",
    "Its first {length} messages are that call and its answer.",
    "previous_response_id names it.",
    "Its history was rewritten, but it answers that call's tools by id.",
    "Its history was rewritten; its last exchange stands.",
    "It is the last call of the same conversation.",
)
DATES = tuple(
    f"{day}, {10 + at} Nov 2026 {10 + at}:{20 + at}:{30 + at} GMT"
    for at, day in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
)
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-5-mini", "o4-mini", "claude-sonnet-4-5", "claude-haiku-4-5", "gemini-2.5-flash")


def main() -> None:
    """Train on every recording and write the dictionary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "resources/zstd/payload-1.zdict")
    parser.add_argument("--share", type=float, default=1.0, help="of the conversations; the rest can then judge it")
    given = parser.parse_args()
    chance = random.Random(1)
    samples = [*recorded(given.recordings, given.share), *streams(chance), *attributes(chance)]
    chance.shuffle(samples)
    trained = zstandard.train_dictionary(SIZE_BYTES, samples, k=1024, d=8, level=3)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_bytes(trained.as_bytes())
    print(f"{len(samples)} samples, {sum(map(len, samples))} bytes -> {given.out} {len(trained.as_bytes())}")


def recorded(folder: Path, share: float) -> Iterator[bytes]:
    """What the store would compress of each recorded exchange."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            exchange = json.loads(line)
            if random.Random(exchange["conversation"]).random() >= share:
                continue
            for side, keys in (("request", None), ("response", RESPONSE_KEYS)):
                yield from pieces(body_of(exchange[side]), keys)


def body_of(part: dict[str, object]) -> bytes:
    """The bytes of a recorded request or answer, as an SDK writes JSON."""
    if "body" in part:
        return json.dumps(part["body"], separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    for name in ("sse", "ndjson", "text"):
        if name in part:
            return str(part[name]).encode("utf-8", "surrogatepass")
    return base64.b64decode(str(part.get("b64") or part.get("eventstream") or ""))


def pieces(body: bytes, keys: frozenset[str] | None) -> Iterator[bytes]:
    """The blobs that `body` is stored as."""
    cut = split(body, keys)
    blobs = [body] if cut is None else [cut.template, *(body[start:end] for start, end in cut.bounds)]
    yield from (blob[:MAX_SAMPLE_BYTES] for blob in blobs if len(blob) >= 16)


def streams(chance: random.Random) -> Iterator[bytes]:
    """Streamed answers as the big providers send them."""
    words = ("the", "a", "tool", "result", "is", "of", "to", "and", "for", "model", "user", "file", "it", "this", "we")
    for _ in range(150):
        ident = f"{chance.getrandbits(96):024x}"
        text = [chance.choice(words) + " " for _ in range(20)]
        model = chance.choice(MODELS)
        yield b"".join(chat_chunk(ident, model, {"content": word}) for word in text)
        yield b"".join(
            event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word}}) for word in text
        )
        yield b"".join(
            event("response.output_text.delta", {"item_id": f"msg_{ident}", "output_index": 0, "content_index": 0,
                                                 "delta": word, "logprobs": [], "sequence_number": number})
            for number, word in enumerate(text)
        )  # fmt: skip


def chat_chunk(ident: str, model: str, delta: dict[str, str]) -> bytes:
    """One piece of an OpenAI chat stream."""
    chunk = {
        "id": f"chatcmpl-{ident}",
        "object": "chat.completion.chunk",
        "created": 1763900000,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_560af6e559",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
        "usage": None,
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def event(name: str, data: dict[str, object]) -> bytes:
    """One named event."""
    return f"event: {name}\ndata: {json.dumps({'type': name, **data}, separators=(',', ':'))}\n\n".encode()


def attributes(chance: random.Random) -> Iterator[bytes]:
    """The attributes of calls, in every mixture of what they may hold."""
    for number in range(800):
        provider = chance.choice(list(HOSTS))
        url, dialect, path = HOSTS[provider]
        model, start_ns = chance.choice(MODELS), 1_780_000_000_000_000_000 + chance.getrandbits(50)
        words = {
            "provider": provider.split(".")[0],
            "model": model,
            "version": f"{chance.randrange(4)}.{chance.randrange(60)}.0",
            "length": chance.randrange(3000),
            "ident": f"{chance.getrandbits(128):032x}",
            "ray": f"{chance.getrandbits(64):016x}",
            "date": chance.choice(DATES),
            "iso": f"2026-11-{chance.randrange(10, 30)}T{chance.randrange(10, 24)}:{chance.randrange(10, 60)}:00Z",
        }
        ours = chance.choice((OUR_HEADERS, ""))
        attempt = Attempt(words["provider"], model, url, start_ns, start_ns + chance.getrandbits(30), 200)
        usage = Usage(chance.getrandbits(10), chance.getrandbits(9), *([0] * chance.randrange(5)))
        evidence = chance.choice(EVIDENCE).format(**words)
        record = CallRecord(
            number, "", start_ns, start_ns, "POST", path, dialect, "chat", 200, b"", b"",
            headers(chance.choice(SDK_HEADERS), words), headers(chance.choice(ANSWER_HEADERS) + ours, words),
            chance.choice(("application/json", "text/event-stream")), model, model, provider, 1, "", (attempt,),
        )  # fmt: skip
        digest = Digest(
            Kind.LLM, f"chat {model}", Status.OK, model, f"chatcmpl-{chance.getrandbits(96):024x}", None,
            chance.choice(("stop", "tool_calls", "length")), usage, None,
            {"input": chance.getrandbits(20), "output": chance.getrandbits(20), "cache_read": 0}, None, "", "",
        )  # fmt: skip
        links = (Link(chance.choice(list(LinkMethod)), 1.0, evidence),)
        yield encode_attributes(CallWrite(record, digest, Placement(b"", None, None, number, links, 3, 0, "")))


def headers(text: str, words: dict[str, object]) -> tuple[tuple[str, str], ...]:
    """Header lines as pairs."""
    lines = text.format(**words).splitlines()
    return redact_headers((name, value) for name, _, value in (line.partition(": ") for line in lines))


if __name__ == "__main__":
    main()
