"""Bodies as providers and SDKs sent them, from the recordings; JSON in several spellings."""

import base64
import gzip
import json
from collections.abc import Iterator
from functools import cache

import shared_folder

STYLES: tuple[dict[str, object], ...] = (
    {"separators": (",", ":"), "ensure_ascii": False},
    {},
    {"indent": 2},
    {"separators": (",", ":"), "sort_keys": True},
    {"indent": "\t", "ensure_ascii": False},
)


def wire_bodies(styles: int = 1) -> Iterator[tuple[str, str, bytes]]:
    """(conversation, "request" or "response", bytes) of everything recorded; the first so many spellings of JSON."""
    for conversation, side, part in _recorded():
        if "body" in part:
            for style in STYLES[:styles]:
                yield conversation, side, json.dumps(part["body"], **style).encode("utf-8", "surrogatepass")  # type: ignore[arg-type]
            continue
        yield conversation, side, _raw(part)


@cache
def _recorded() -> list[tuple[str, str, dict[str, object]]]:
    exchanges = [
        json.loads(line)
        for path in sorted(shared_folder.find("wire").glob("*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    return [(one["conversation"], side, one[side]) for one in exchanges for side in ("request", "response")]


def _raw(part: dict[str, object]) -> bytes:
    for name in ("sse", "ndjson", "text"):
        if name in part:
            return str(part[name]).encode("utf-8", "surrogatepass")
    return base64.b64decode(str(part.get("b64") or part.get("eventstream") or ""))
