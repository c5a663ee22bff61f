"""What the benchmark sends: a small call, a long history, and an agent's loop that grows turn by turn. All seeded."""

import http.client
import json
import random
from collections.abc import Iterator

from upstream import MESSAGE, plain_answer

_WORDS = """
    the report lists open items and their owners while reviews block a release until tests pass in every region
    deploy service index query latency budget tokens cache session agent tool result error retry timeout route
    customer invoice order shipment address refund policy contract renewal price discount currency total summary
    function class module import return value object field schema parameter default optional list mapping string
""".split()  # noqa: SIM905 - to be read, not counted


def prose(rng: random.Random, size_bytes: int) -> str:
    """Return sentences of about so many bytes."""
    parts: list[str] = []
    length = 0
    while length < size_bytes:
        sentence = " ".join(rng.choices(_WORDS, k=rng.randint(6, 16))).capitalize() + f" ({rng.randint(1, 9999)}). "
        parts.append(sentence)
        length += len(sentence)
    return "".join(parts)


def small_call(model: str, *, is_stream: bool = False) -> bytes:
    """Return a request of about 0.5 KB."""
    rng = random.Random(1)
    messages = [{"role": "system", "content": prose(rng, 100)}, {"role": "user", "content": prose(rng, 320)}]
    body: dict[str, object] = {"model": model, "messages": messages, "max_tokens": 512}
    if is_stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body).encode()


def long_call(model: str) -> bytes:
    """Return a request of about 200 KB: a hundred turns of history."""
    rng = random.Random(2)
    turns = [{"role": ("user", "assistant")[n % 2], "content": prose(rng, 1980)} for n in range(100)]
    last = {"role": "user", "content": "And now?"}
    return json.dumps({"model": model, "messages": [*turns, last], "max_tokens": 512}).encode()


def agent_loop(model: str, agent: int, turns: int) -> Iterator[bytes]:
    """Yield the requests of one agent: 20 KB of tools, a 10 KB system prompt, two more messages a turn.

    The assistant turns are what `upstream.plain_answer` gives, so that the chain is a true one.
    """
    shared = random.Random(3)
    tools = [
        {"type": "function", "function": {"name": f"tool_{n}", "description": prose(shared, 900), "parameters": {}}}
        for n in range(20)
    ]
    rng = random.Random(100 + agent)
    messages: list[dict[str, object]] = [{"role": "system", "content": prose(shared, 10_000)}]
    for _ in range(turns):
        messages.append({"role": "user", "content": prose(rng, 3_000)})
        yield json.dumps({"model": model, "messages": messages, "tools": tools}).encode()
        messages.append(dict(MESSAGE))


def answer() -> bytes:
    """Return the body of the fake provider's plain answer."""
    return plain_answer().partition(b"\r\n\r\n")[2]


def post(port: int, key: str, body: bytes) -> None:
    """Make one call and read its answer. Raises AssertionError unless it is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200, response.status
