"""Recorded traffic as bytes, one record at a time."""

import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any

from shared_folder import find

DIALECTS = {
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
    "openai.completions": "openai_completions",
    "openai.embeddings": "openai_embeddings",
    "anthropic.messages": "anthropic",
    "google.generate": "gemini",
}


@dataclass(frozen=True)
class Recording:
    """One call."""

    id: str
    conversation: str
    request: bytes
    response: bytes
    content_type: str
    status: int
    wire: dict[str, Any]
    """The record itself."""

    def events(self) -> list[Any]:
        """The answer's JSON values, cut apart without any of the code under test."""
        got = self.wire["response"]
        if "body" in got:
            return got["body"] if isinstance(got["body"], list) else [got["body"]]
        if "sse" not in got:
            return []
        if got["sse"].lstrip().startswith("{"):
            return [json.loads(got["sse"])]
        lines = [line[5:].strip() for line in got["sse"].splitlines() if line.startswith("data:")]
        return [json.loads(line) for line in lines if line != "[DONE]"]


def records(api: str) -> list[Recording]:
    """All records of one API; skips the test where there are none."""
    with gzip.open(find("wire") / f"{api}.jsonl.gz", "rt") as lines:
        return [_recording(json.loads(line)) for line in lines]


def _recording(wire: dict[str, Any]) -> Recording:
    got = wire["response"]
    return Recording(
        wire["id"],
        wire["conversation"],
        _bytes(wire["request"]),
        _bytes(got),
        got["headers"].get("content-type", ""),
        got["status"],
        wire,
    )


def _bytes(side: dict[str, Any]) -> bytes:
    if "body" in side:
        return json.dumps(side["body"], ensure_ascii=False).encode()
    if "b64" in side or "eventstream" in side:
        return base64.b64decode(side["b64"] if "b64" in side else side["eventstream"])
    return str(side.get("sse", side.get("ndjson", side.get("text", "")))).encode()
