"""A closed-loop load generator: each connection sends its next call when the last answer is whole.

    python load.py URL KEY BODY_FILE CONNECTIONS SECONDS

Prints one JSON object: calls, errors, seconds, chunks (reads of streamed body), and latency percentiles in µs.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httptools
import uvloop


class Caller(asyncio.Protocol):
    """One connection that calls until told to stop."""

    def __init__(self, request: bytes, until: float) -> None:
        self.request, self.until = request, until
        self.done = asyncio.get_running_loop().create_future()
        self.latencies_s: list[float] = []
        self.events = self.errors = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.call()

    def call(self) -> None:
        if time.perf_counter() >= self.until:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.parser = httptools.HttpResponseParser(self)
        self.start = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.events += body.count(b"data: ")

    def on_message_complete(self) -> None:
        self.latencies_s.append(time.perf_counter() - self.start)
        self.errors += self.parser.get_status_code() != 200
        self.call()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.errors += 1
            self.done.set_result(None)


def percentile_us(ordered: list[float], share: float) -> float:
    """Return the latency below which `share` of the calls lie, in microseconds."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e6, 1) if ordered else 0.0


async def main(url: str, key: str, body: bytes, connections: int, seconds: float) -> None:
    """Call for so many seconds and print what was measured."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {key}\r\nuser-agent: bench\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    start = time.perf_counter()
    callers = [Caller(head.encode() + body, start + seconds) for _ in range(connections)]
    loop = asyncio.get_running_loop()
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, parts.hostname, parts.port)  # type: ignore[misc]
    await asyncio.gather(*(caller.done for caller in callers))
    took_s = time.perf_counter() - start
    ordered = sorted(latency for caller in callers for latency in caller.latencies_s)
    print(
        json.dumps(
            {
                "calls": len(ordered),
                "errors": sum(caller.errors for caller in callers),
                "seconds": round(took_s, 3),
                "calls_per_s": round(len(ordered) / took_s, 1),
                "chunks_per_s": round(sum(caller.events for caller in callers) / took_s, 1),
                "p50_us": percentile_us(ordered, 0.5),
                "p95_us": percentile_us(ordered, 0.95),
                "p99_us": percentile_us(ordered, 0.99),
            }
        )
    )


if __name__ == "__main__":
    _, at, with_key, file, count, duration_s = sys.argv
    uvloop.run(main(at, with_key, Path(file).read_bytes(), int(count), float(duration_s)))
