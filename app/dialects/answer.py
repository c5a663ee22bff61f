"""Which of a dialect's two readings an answer needs. Content types lie: the first byte decides where it can."""

from typing import Final, Literal

_STREAM_STARTS: Final = (b"data:", b"event:", b":", b"id:", b"retry:")

Shape = Literal["whole", "stream"]


def shape_of(body: bytes, content_type: str) -> Shape:
    """Return how an answer is written; what is neither is left to the reading of whole bodies."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(_STREAM_STARTS):
        return "stream"
    if "event-stream" in content_type and not start.startswith((b"{", b"[", b"<")):
        return "stream"
    return "whole"
