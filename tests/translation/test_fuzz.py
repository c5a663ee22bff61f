"""Streams damaged on their way: nothing raises, nothing hangs, and what was cut is never told as whole.

Every upstream dialect's stream is broken in many ways, read, and written for every client dialect.
"""

import importlib
import random
import time
from collections.abc import Callable, Iterator

import pytest
from translation.pairs import CLIENTS, UPSTREAMS
from voices.script import Call, Script

from app.dialects.fold import fold
from app.dialects.registry import reader_of
from app.dialects.restore import Restorer
from app.dialects.writers import client_writer, upstream_writer
from app.dialects.writing import Asked, Restore
from app.models.chat import ChatRequest, Reply
from app.models.delta import Delta, End, Failed

Bend = Callable[[bytes, random.Random], bytes]

SCRIPT = Script(
    "It was a dark and stormy night; «the rain» fell in torrents. 🌧",
    thought="Begin with the weather, as one does.",
    proof="c2lnbmF0dXJl",
    calls=(Call("call_a", "get_weather", {"city": "Åbo"}), Call("call_b", "get_weather", {"city": "Oslo"})),
)
HUGE = 300_000
DEEP = 20_000
ROUNDS = 40
MOST_S = 5.0
"""For one damaged stream through one reader and four writers; an honest one takes milliseconds."""


def body_of(upstream: str) -> bytes:
    answer = importlib.import_module(f"voices.{upstream}").stream(SCRIPT, "model-1")
    return answer.body or b"".join(answer.pieces or [])


def truncated(body: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body))]


def without_a_slice(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body))
    return body[:start] + body[start + dice.randrange(1, 200) :]


def doubled(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body))
    end = start + dice.randrange(1, 400)
    return body[:end] + body[start:end] + body[end:]


def reordered(body: bytes, dice: random.Random) -> bytes:
    events = body.split(b"\n\n") if b"\n\n" in body else body.split(b"\n")
    gap = b"\n\n" if b"\n\n" in body else b"\n"
    dice.shuffle(events)
    return gap.join(events)


def flipped(body: bytes, dice: random.Random) -> bytes:
    bent = bytearray(body)
    for _ in range(dice.randrange(1, 12)):
        bent[dice.randrange(len(bent))] = dice.randrange(256)
    return bytes(bent)


def no_text(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body))
    return body[:start] + b"\xff\xfe\x00\xed\xa0\x80\xc3" + body[start:]


def huge(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body))
    return body[:start] + b"x" * HUGE + body[start:]


def deep(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body))
    nested = b'data: {"choices": ' + b"[" * DEEP + b"\n\n"
    return body[:start] + dice.choice([nested, b'{"a":' * DEEP, b"[" * DEEP]) + body[start:]


def of_other_types(body: bytes, dice: random.Random) -> bytes:
    """Values where others are expected, in JSON that is still JSON."""
    for _ in range(3):
        for old in dice.sample([b'"index":0', b'"content"', b'"type"', b'"delta"', b'"text"', b'"usage"', b"{}"], 3):
            body = body.replace(
                old, dice.choice([b'"index":"x"', b'"content":null,"_"', b'"type":[1],"_"', b"[[]]"]), 1
            )
    return body


BENDS: tuple[Bend, ...] = (
    truncated, without_a_slice, doubled, reordered, flipped, no_text, huge, deep, of_other_types,
)  # fmt: skip


def split(body: bytes, dice: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        size = dice.choice([1, 7, 64, 1000, len(body)])
        yield body[at : at + size]
        at += size


def read(upstream: str, body: bytes, dice: random.Random) -> list[Delta]:
    writer = upstream_writer(upstream)
    assert writer is not None
    reader, restorer = writer.read_deltas(), Restorer(Restore(), "0" * 16)
    deltas: list[Delta] = []
    for piece in split(body, dice):
        deltas += restorer.deltas(reader.feed(piece))
    return deltas + restorer.deltas(reader.close()) + restorer.close()


def written(client: str, deltas: list[Delta]) -> tuple[bytes, bool]:
    """Return what a client gets, as the gateway ends it, and whether it is told as whole."""
    writer = client_writer(client)
    assert writer is not None
    asked = Asked(ChatRequest("m", (), is_stream=True, dialect=client), "m", "0" * 16, 1)
    out = writer.write_deltas(asked)
    has_failed = any(isinstance(delta, Failed) for delta in deltas)
    is_whole = not has_failed and any(isinstance(delta, End) for delta in deltas)
    body = b"".join(out.write([delta]) for delta in deltas)
    return body + out.close(is_complete=is_whole), is_whole


def heard(client: str, body: bytes) -> Reply:
    reader = reader_of(client)
    assert reader is not None
    return reader.read_answer(body, "text/event-stream", 200)


def said(reply: Reply) -> list[object]:
    """What matters of an answer: its text and its calls."""
    return [
        (choice.message.text(), [call.arguments for call in choice.message.tool_calls()]) for choice in reply.choices
    ]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("bend", BENDS, ids=lambda bend: bend.__name__)
def test_no_damage_raises_or_hangs(upstream: str, bend: Bend) -> None:
    body = body_of(upstream)
    for seed in range(ROUNDS):
        dice = random.Random(seed)
        bent = bend(body, dice)
        if len(bent) > HUGE:
            dice.choice = lambda sizes: sizes[-1]  # type: ignore[method-assign]
        began_s = time.process_time()
        deltas = read(upstream, bent, dice)
        for client in CLIENTS:
            answer, is_whole = written(client, deltas)
            reply = heard(client, answer)
            if not is_whole:
                assert reply.error is not None or not reply.is_complete, (seed, client, answer[-300:])
        assert time.process_time() - began_s < MOST_S, (seed, len(bent))


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_cut_stream_is_never_told_as_whole(upstream: str) -> None:
    body = body_of(upstream)
    dice = random.Random(7)
    whole = said(fold(read(upstream, body, dice)))
    assert written("openai_chat", read(upstream, body, dice))[1], "the whole stream is not told as whole"
    for at in range(0, len(body), max(1, len(body) // 150)):
        deltas = read(upstream, body[:at], dice)
        is_whole = written("openai_chat", deltas)[1]
        assert not is_whole or said(fold(deltas)) == whole, (at, body[at - 80 : at])
        for client in CLIENTS:
            answer, _ = written(client, deltas)
            reply = heard(client, answer)
            assert is_whole or reply.error is not None or not reply.is_complete, (at, client, answer[-300:])
