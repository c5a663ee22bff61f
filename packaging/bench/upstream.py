"""A fake provider as fast as Python makes one: canned OpenAI answers, plain and streamed.

python upstream.py PORT [CHUNKS]
"""

import asyncio
import json
import sys

import httptools
import uvloop

_USAGE = {"prompt_tokens": 120, "completion_tokens": 200, "total_tokens": 320}
MESSAGE = {"role": "assistant", "content": "A request is authenticated, priced and recorded. " * 18}


def plain_answer() -> bytes:
    """Return a whole HTTP answer with a 1 KB completion."""
    body = json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1780000000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
            "usage": _USAGE,
        }
    ).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def stream_pieces(chunks: int) -> list[bytes]:
    """Return the HTTP pieces of a streamed answer: the head, one piece a delta, the end."""

    def piece(value: object) -> bytes:
        text = b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"
        return b"%x\r\n%b\r\n" % (len(text), text)

    def event(delta: dict[str, str], reason: str | None = None) -> dict[str, object]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "model": "gpt-4o-mini", "choices": [choice]}

    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    deltas = [piece(event({"content": f"word{n} "})) for n in range(chunks)]
    usage = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "choices": [], "usage": _USAGE}
    return [head, *deltas, piece(event({}, "stop")), piece(usage), piece(b"[DONE]"), b"0\r\n\r\n"]


class Provider(asyncio.Protocol):
    """One connection: answers each request in order."""

    answer = b""
    pieces: list[bytes] = []  # noqa: RUF012 - set once by main, before the first connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.begin()

    def begin(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.end = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.end = (self.end + body[-200:])[-200:]

    def on_message_complete(self) -> None:
        if b'"stream": true' in self.end:  # our own bodies say it last
            for piece in self.pieces:
                self.transport.write(piece)
        else:
            self.transport.write(self.answer)
        self.begin()


async def main(port: int, chunks: int) -> None:
    """Serve until killed; prints `ready` first."""
    Provider.answer, Provider.pieces = plain_answer(), stream_pieces(chunks)
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200))
