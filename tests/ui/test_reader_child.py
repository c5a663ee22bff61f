"""The reader's loop, on streams in memory."""

import io
import pickle
import threading
from collections.abc import Iterator
from typing import Any

from app.errors import InputError
from ui.frames import FrameReader, pack
from ui.reader_child import N_THREADS, Answers, serve


class Reader:
    """Stands in for the store's."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[str] = []

    def wait(self, name: str) -> str:
        self.asked.append(name)
        assert self.gate.wait(10)
        return name

    def say(self, name: str) -> str:
        return name

    def refuse(self) -> None:
        raise InputError("No.", hint="Ask otherwise.")

    def bug(self) -> None:
        raise KeyError("spam")


class Counted(Answers):
    """Says how many answers went out."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.sent = threading.Semaphore(0)

    def send(self, number: int, answer: Any) -> None:
        super().send(number, answer)
        self.sent.release()


class Questions(io.BytesIO):
    """The pipe from the desktop. At its end it waits for `awaited` answers, then opens the gate."""

    def __init__(self, reader: Reader, out: Counted, awaited: int, frames: tuple[bytes, ...]) -> None:
        super().__init__(b"".join(frames))
        self._reader, self._out, self._awaited = reader, out, awaited

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if size and not piece:
            for _ in range(self._awaited):
                assert self._out.sent.acquire(timeout=10)
            self._reader.gate.set()
        return piece


def question(number: int, method: str, *arguments: object) -> bytes:
    return pack(number, pickle.dumps((method, arguments, {})))


def answers(reader: Reader, *frames: bytes, awaited: int) -> dict[int, Any]:
    out = io.BytesIO()
    counted = Counted(out)
    serve(reader, Questions(reader, counted, awaited, frames), counted)

    def read() -> Iterator[tuple[int, Any]]:
        for number, body in FrameReader().feed(out.getvalue()):
            yield number, pickle.loads(body)

    return dict(read())


def test_values_errors_and_bugs_are_told_apart() -> None:
    reader = Reader()
    waits = [question(number, "wait", "x") for number in range(10, 10 + N_THREADS - 1)]
    frames = [question(1, "refuse"), question(2, "bug"), question(3, "say", "hello")]
    said = answers(reader, *frames, *waits, awaited=3)
    assert said[1] == ("error", ("InputError", "No.", "Ask otherwise."))
    assert said[2][0] == "bug"
    assert said[2][1].rstrip().endswith("KeyError: 'spam'")
    assert said[3] == ("value", "hello")


def test_a_question_taken_back_is_never_asked() -> None:
    reader = Reader()
    busy = [question(number, "wait", f"gate {number}") for number in range(N_THREADS)]
    said = answers(reader, *busy, question(9, "wait", "never"), pack(9, b""), awaited=1)
    assert "never" not in reader.asked
    assert 9 not in said


def test_taking_back_what_was_answered_long_ago_does_nothing() -> None:
    reader = Reader()
    assert answers(reader, pack(77, b""), question(1, "say", "x"), awaited=1)[1] == ("value", "x")
