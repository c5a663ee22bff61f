"""`GET /gatescope/live`: changes and status as server-sent events."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web

from gateway.live import Live, Status

STATUS_S: Final = 1.0
KEEP_ALIVE_S: Final = 15.0
_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}


async def stream_live(
    request: web.BaseRequest, live: Live, status: Callable[[], Status], end: asyncio.Event
) -> web.StreamResponse:
    """Send events until the client leaves or `end` is set.

    The status goes first, then at most once a second where it is another. A slow client holds up only itself.
    """
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    with live.listening() as listener, contextlib.suppress(ConnectionError):
        said: Status | None = None
        said_s = heard_s = -STATUS_S
        while not end.is_set() and request.transport is not None:
            now_s = time.monotonic()
            if now_s - said_s >= STATUS_S:
                said_s, current = now_s, status()
                if current != said:
                    said, heard_s = current, now_s
                    await response.write(event("status", current))
            change = await listener.change(STATUS_S - (now_s - said_s))
            if end.is_set():
                break
            if change is not None:
                heard_s = now_s
                await response.write(event("change", change))
            elif now_s - heard_s > KEEP_ALIVE_S:
                heard_s = now_s
                await response.write(b": still here\n\n")
        await response.write_eof()
    return response


def event(name: str, value: msgspec.Struct) -> bytes:
    """Return one server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"
