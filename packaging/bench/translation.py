"""What a crossing between dialects costs: CPU a translated chunk, and CPU a translated 200 KB history.

In one process, by its own CPU time, beside decoding and encoding the same JSON: the least that any translator does.
"""

import json
import time
from collections.abc import Callable
from itertools import permutations

from msgspec import structs

from app.dialects.registry import reader_of
from app.dialects.restore import Restorer
from app.dialects.turns import identified
from app.dialects.writers import client_writer, upstream_writer
from app.dialects.writing import Asked, Restore
from app.models.chat import ChatRequest
from app.models.delta import Begin, Delta, End, Finish, TextDelta, UsageDelta
from app.models.target import Target
from app.models.usage import Usage

DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
N_CHUNKS = 2000
N_HISTORIES = 10
ASKED = Asked(ChatRequest(None, ()), "model", "0123456789abcdef", 1_780_000_000)


def rows() -> list[tuple[str, float, float, float, float]]:
    """Return for each pair: its name, µs a chunk, µs of plain JSON a chunk, ms a history, ms of plain JSON."""
    streams = {dialect: _stream(dialect) for dialect in DIALECTS}
    return [
        (
            f"{client} ← {upstream}",
            _chunk_us(client, upstream, streams[upstream]),
            _json_us(streams[upstream]),
            _history_ms(client, upstream),
            _json_ms(client),
        )
        for client, upstream in permutations(DIALECTS, 2)
    ]


def table() -> str:
    """Return the rows as a table."""
    lines = [
        "| client ← provider | a chunk, µs CPU | JSON alone | 200 KB history, ms CPU | JSON alone |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | {us:.1f} | {json_us:.1f} | {ms:.2f} | {json_ms:.2f} |" for name, us, json_us, ms, json_ms in rows()
    ]
    return "\n".join([*lines, "", "aims: ≤ 40 µs a chunk, ≤ 1.5 ms a history above a pass-through"])


def _stream(dialect: str) -> list[bytes]:
    """Return a provider's stream, event by event, as its network would give it."""
    writer = client_writer(dialect)
    assert writer is not None
    events = writer.write_deltas(ASKED)
    end: list[Delta] = [Finish("stop"), UsageDelta(Usage(input_tokens=10, output_tokens=N_CHUNKS)), End()]
    pieces = [events.write([Begin("1", "model")])]
    pieces += [events.write([TextDelta("some ", is_new=number == 0)]) for number in range(N_CHUNKS)]
    return [*pieces, events.write(end) + events.close(is_complete=True)]


def _chunk_us(client: str, upstream: str, pieces: list[bytes]) -> float:
    there, back = upstream_writer(upstream), client_writer(client)
    assert there is not None and back is not None

    def run() -> None:
        reader, restorer, writer = there.read_deltas(), Restorer(Restore(), "0"), back.write_deltas(ASKED)
        for piece in pieces:
            writer.write(restorer.deltas(reader.feed(piece)))
        writer.write(restorer.deltas(reader.close()) + restorer.close())
        writer.close(is_complete=True)

    return _least_s(run) / N_CHUNKS * 1e6


def _json_us(pieces: list[bytes]) -> float:
    values = [piece.partition(b"data: ")[2].split(b"\n")[0].rstrip() for piece in pieces[1:-1]]

    def run() -> None:
        for value in values:
            json.dumps(json.loads(value))

    return _least_s(run) / N_CHUNKS * 1e6


def _history_ms(client: str, upstream: str) -> float:
    body, reader, writer = _history(client), reader_of(client), upstream_writer(upstream)
    assert reader is not None and writer is not None
    target = Target("model", "provider", upstream)

    def run() -> None:
        for _ in range(N_HISTORIES):
            asked = reader.read_request(body)
            messages = tuple(identified(asked.messages))
            writer.write_request(structs.replace(asked, model="model", messages=messages), target)

    return _least_s(run) / N_HISTORIES * 1e3


def _json_ms(client: str) -> float:
    body = _history(client)

    def run() -> None:
        for _ in range(N_HISTORIES):
            json.dumps(json.loads(body))

    return _least_s(run) / N_HISTORIES * 1e3


def _history(dialect: str) -> bytes:
    """Return 200 KB of talk: a hundred turns."""
    turns = [
        ("assistant" if number % 2 else "user", f"{number} " + "all work and no play " * 95) for number in range(101)
    ]
    if dialect == "gemini":
        contents = [
            {"role": "model" if role == "assistant" else role, "parts": [{"text": said}]} for role, said in turns
        ]
        return json.dumps({"contents": contents}).encode()
    messages = [{"role": role, "content": said} for role, said in turns]
    if dialect == "openai_responses":
        return json.dumps({"model": "m", "input": messages}).encode()
    return json.dumps({"model": "m", "max_tokens": 100, "messages": messages}).encode()


def _least_s(run: Callable[[], None]) -> float:
    """Return the CPU seconds of the quickest of five runs."""
    found: list[float] = []
    for _ in range(5):
        began_s = time.process_time()
        run()
        found.append(time.process_time() - began_s)
    return min(found)


if __name__ == "__main__":
    print(table())
