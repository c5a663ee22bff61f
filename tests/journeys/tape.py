"""An upstream that plays recorded answers byte for byte and remembers what it was sent.

A request names its recording in the header `x-wire-id`; `x-wire-split` is the seed of the places where a streamed
answer is cut into pieces (absent: one piece).
"""

import base64
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Recording:
    """One recorded exchange. The recordings hold parsed JSON, so `style` says how it is written down again."""

    id: str
    api: str
    method: str
    path: str
    request: bytes
    request_type: str
    is_json: bool
    model: str | None
    status: int
    response: bytes
    response_type: str
    is_stream: bool


STYLES: tuple[dict[str, Any], ...] = (
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (", ", ": "), "ensure_ascii": True},
    {"indent": 2, "ensure_ascii": False},
)


def recordings(folder: Path, *apis: str) -> Iterator[Recording]:
    """Yield the recordings of these APIs, in the three styles by turns."""
    for api in apis:
        with gzip.open(folder / f"{api}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                yield _recording(json.loads(line), STYLES[number % len(STYLES)])


def _recording(record: dict[str, Any], style: dict[str, Any]) -> Recording:
    asked, told = record["request"], record["response"]
    query = "&".join(f"{name}={value}" for name, value in asked.get("query", {}).items() if name != "key")
    body = asked.get("body")
    return Recording(
        id=record["id"],
        api=record["api"],
        method=asked["method"],
        path=asked["path"] + (f"?{query}" if query else ""),
        request=_bytes(asked, style),
        request_type=asked.get("headers", {}).get("content-type", "application/json"),
        is_json=isinstance(body, dict),
        model=body.get("model") if isinstance(body, dict) else None,
        status=told["status"],
        response=_bytes(told, style),
        response_type=told.get("headers", {}).get("content-type", "application/json"),
        is_stream="sse" in told,
    )


def _bytes(side: dict[str, Any], style: dict[str, Any]) -> bytes:
    if "body" in side:
        return json.dumps(side["body"], **style).encode("utf-8", "surrogatepass")
    for name in ("sse", "ndjson", "text"):
        if name in side:
            return str(side[name]).encode("utf-8", "surrogatepass")
    for name in ("eventstream", "b64"):
        if name in side:
            return base64.b64decode(side[name])
    return b""


class Tape:
    """The upstream's handler. `received` has the bodies that came for each recording, in order."""

    def __init__(self, played: list[Recording]) -> None:
        self.played = {recording.id: recording for recording in played}
        self.received: dict[str, list[bytes]] = defaultdict(list)
        self.keys: set[str] = set()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        recording = self.played[request.headers["x-wire-id"]]
        self.received[recording.id].append(await request.read())
        for name in ("authorization", "x-api-key", "x-goog-api-key"):
            if name in request.headers:
                self.keys.add(request.headers[name].removeprefix("Bearer "))
        headers = {"content-type": recording.response_type}
        seed = request.headers.get("x-wire-split")
        if seed is None or not recording.is_stream:
            return web.Response(body=recording.response, status=recording.status, headers=headers)
        response = web.StreamResponse(status=recording.status, headers=headers)
        await response.prepare(request)
        for piece in split(recording.response, int(seed)):
            await response.write(piece)
        await response.write_eof()
        return response


def split(body: bytes, seed: int) -> Iterator[bytes]:
    """Yield the body in pieces cut anywhere: inside characters, lines and events."""
    rng = random.Random(seed)
    at = 0
    while at < len(body):
        size = rng.randint(1, max(2, len(body) // 12))
        yield body[at : at + size]
        at += size
