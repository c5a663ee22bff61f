"""A provider for tests, on loopback: OpenAI, Anthropic and Gemini answers, or any bytes a test asks for.

    async with FakeUpstream() as upstream:
        upstream.answers.append(Answer(status=429, body=b"{}"))
        ...
        assert upstream.seen[0].path == "/v1/chat/completions"

Without a script it answers by path: text, or a tool call where the request has tools and no tool result yet; as a
stream where asked. `Answer` says everything else: status, framing, pieces, where to cut, what to wait for.
"""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, Self

TEXT = "The capital of France is Paris. 🗼"


@dataclass
class Answer:
    """One answer, byte for byte."""

    status: int = 200
    body: bytes = b""
    pieces: list[bytes] | None = None
    """The body in pieces, each its own write (and its own chunk); None: `body` in one."""
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("content-type", "application/json")])
    framing: Literal["length", "chunked", "close"] = "length"
    cut_after: int | None = None
    """Break the connection after so many pieces (0: after the head; -1: instead of an answer)."""
    hold_head: asyncio.Event | None = None
    """Wait for it before the head."""
    hold: asyncio.Event | None = None
    """Wait for it after the first piece."""
    raw: bytes | None = None
    """The whole answer as it goes over the wire; nothing else counts then."""
    closes: bool = False
    """Close the connection after it, without a word in the head."""


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the other side has left before the answer ended."""

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class FakeUpstream:
    """The server. `seen` grows; `answers` are given in order, then the default ones."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: deque[Answer] = deque()
        self.connections = 0
        self.arrived = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._on_connection, "127.0.0.1", 0, limit=64 * 1024 * 1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def answer_to(self, seen: Seen) -> Answer:
        """Return what is said where no answer waits."""
        return default_answer(seen)

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._serve(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        ahead = b""
        while True:
            seen = await _read_request(reader, number, ahead)
            self.seen.append(seen)
            self.arrived.set()
            answer = self.answers.popleft() if self.answers else self.answer_to(seen)
            watch = asyncio.create_task(_watch(reader, seen))
            try:
                goes_on = await _give(writer, answer, seen)
            finally:
                watch.cancel()
                [found] = await asyncio.gather(watch, return_exceptions=True)
            if not goes_on or seen.gone.is_set():
                return
            ahead = found if isinstance(found, bytes) else b""


async def _read_request(reader: asyncio.StreamReader, number: int, ahead: bytes) -> Seen:
    head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    sizes = [int(value) for name, value in headers if name.lower() == "content-length"]
    body = await reader.readexactly(sizes[0]) if sizes else b""
    return Seen(method, path, headers, body, number)


async def _watch(reader: asyncio.StreamReader, seen: Seen) -> bytes:
    """Note when the other side hangs up while it is being answered; return what it sent ahead, if anything."""
    try:
        ahead = await reader.read(1)
    except ConnectionError:
        ahead = b""
    if not ahead:
        seen.gone.set()
    return ahead


async def _give(writer: asyncio.StreamWriter, answer: Answer, seen: Seen) -> bool:
    if answer.hold_head is not None:
        await _held(answer.hold_head, seen)
    if answer.cut_after == -1:
        return False
    if answer.raw is not None:
        writer.write(answer.raw)
        await writer.drain()
        return not answer.closes
    pieces = answer.pieces if answer.pieces is not None else [answer.body]
    lines = [f"HTTP/1.1 {answer.status} Whatever", *(f"{name}: {value}" for name, value in answer.headers)]
    if answer.framing == "chunked":
        lines.append("transfer-encoding: chunked")
    elif answer.framing == "length" and answer.status != 204:
        lines.append(f"content-length: {sum(map(len, pieces))}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    for index, piece in enumerate(pieces):
        if answer.cut_after == index:
            await writer.drain()
            return False
        if piece and seen.method != "HEAD":
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.framing == "chunked" else piece)
            await writer.drain()
        await asyncio.sleep(0)
        if index == 0 and answer.hold is not None:
            await _held(answer.hold, seen)
    if answer.cut_after is not None and answer.cut_after >= len(pieces):
        return False
    if answer.framing == "chunked":
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    if answer.framing == "close":
        writer.close()
        await writer.wait_closed()
        return False
    return not answer.closes


async def _held(event: asyncio.Event, seen: Seen) -> None:
    waits = [asyncio.create_task(event.wait()), asyncio.create_task(seen.gone.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if seen.gone.is_set():
        raise ConnectionResetError


def stream(*events: bytes, framing: Literal["chunked", "close"] = "chunked", **fields: Any) -> Answer:
    """A streamed answer, one piece an event."""
    headers = [("content-type", "text/event-stream; charset=utf-8")]
    return Answer(pieces=list(events), headers=headers, framing=framing, **fields)


def default_answer(seen: Seen) -> Answer:
    """What a provider of that path says when nothing is scripted."""
    path = seen.path.partition("?")[0]
    asked = json.loads(seen.body) if seen.body.startswith(b"{") else {}
    if path.endswith("/chat/completions"):
        return _openai_chat(asked)
    if path.endswith("/messages"):
        return _anthropic(asked)
    if "GenerateContent" in path or ":generateContent" in path:
        return _gemini(path)
    if path.endswith("/responses"):
        return _responses(asked)
    if path.endswith("/embeddings"):
        row = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
        usage = {"prompt_tokens": 2, "total_tokens": 2}
        return _json({"object": "list", "data": [row], "model": asked.get("model"), "usage": usage})
    return _json({"path": seen.path, "method": seen.method})


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode())


def _event(value: object, name: str | None = None) -> bytes:
    line = f"event: {name}\n" if name else ""
    return f"{line}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _wants_tool(asked: dict[str, Any]) -> bool:
    messages = asked.get("messages") or [{}]
    last = messages[-1]
    has_result = last.get("role") == "tool" or "tool_result" in json.dumps(last.get("content"))
    return bool(asked.get("tools")) and not has_result


def _openai_chat(asked: dict[str, Any]) -> Answer:
    shared = {"id": "chatcmpl-fake", "created": 1780000000, "model": asked.get("model")}
    usage = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    message: dict[str, Any] = {"role": "assistant", "content": TEXT}
    reason = "stop"
    if _wants_tool(asked):
        name = asked["tools"][0]["function"]["name"]
        call = {"id": "call_fake1", "type": "function", "function": {"name": name, "arguments": '{"city":"Paris"}'}}
        message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    if not asked.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return _json({**shared, "object": "chat.completion", "choices": [choice], "usage": usage})
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if reason == "tool_calls":
        call = {"index": 0, **message["tool_calls"][0]}
        deltas += [{"tool_calls": [call]}]
    else:
        deltas += [{"content": word + " "} for word in TEXT.split(" ")]
    events = [
        _event({**shared, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]})
        for delta in deltas
    ]
    end = {"index": 0, "delta": {}, "finish_reason": reason}
    events.append(_event({**shared, "object": "chat.completion.chunk", "choices": [end]}))
    events.append(_event({**shared, "object": "chat.completion.chunk", "choices": [], "usage": usage}))
    return stream(*events, b"data: [DONE]\n\n")


def _anthropic(asked: dict[str, Any]) -> Answer:
    block: dict[str, Any] = {"type": "text", "text": TEXT}
    reason = "end_turn"
    if _wants_tool(asked):
        block = {"type": "tool_use", "id": "toolu_fake1", "name": asked["tools"][0]["name"], "input": {"city": "Paris"}}
        reason = "tool_use"
    shared = {"id": "msg_fake", "type": "message", "role": "assistant", "model": asked.get("model")}
    usage = {"input_tokens": 12, "output_tokens": 7}
    if not asked.get("stream"):
        return _json({**shared, "content": [block], "stop_reason": reason, "stop_sequence": None, "usage": usage})
    start = {
        **shared,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    if reason == "tool_use":
        opened = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": '{"city":"Paris"}'}
    else:
        opened, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": TEXT}
    events = [
        ("message_start", {"message": start}),
        ("content_block_start", {"index": 0, "content_block": opened}),
        ("ping", {}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 7}}),
        ("message_stop", {}),
    ]
    return stream(*(_event({"type": name, **fields}, name) for name, fields in events))


def _gemini(path: str) -> Answer:
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 7, "totalTokenCount": 19}
    candidate = {"content": {"role": "model", "parts": [{"text": TEXT}]}, "finishReason": "STOP", "index": 0}
    whole = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-fake", "responseId": "r1"}
    if ":stream" not in path:
        return _json(whole)
    return stream(f"data: {json.dumps(whole)}\r\n\r\n".encode())


def _responses(asked: dict[str, Any]) -> Answer:
    text = {"type": "output_text", "text": TEXT, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    usage = {"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}
    shared = {"id": "resp_fake", "object": "response", "created_at": 1780000000, "model": asked.get("model")}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    whole = {**shared, **rest, "status": "completed", "output": [item], "usage": usage}
    if not asked.get("stream"):
        return _json(whole)
    begun = {**shared, **rest, "status": "in_progress", "output": []}
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": TEXT, "logprobs": []}
    events = [
        ("response.created", {"response": begun}),
        ("response.output_text.delta", delta),
        ("response.completed", {"response": whole}),
    ]
    return stream(*(_event({"type": name, "sequence_number": n, **f}, name) for n, (name, f) in enumerate(events)))
