"""The desktop's reader process: questions in on stdin, answers out on stdout, so that no query stalls a frame.

`python -m ui.reader_child DIR`. Ends when stdin does. No Qt here.
"""

import os
import pickle
import sys
import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final

from app.errors import AppError
from app.store.reader import Reader
from ui.frames import HEAD, pack

N_THREADS: Final = 3


class Answers:
    """The way out: one frame at a time, from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, number: int, answer: "Future[object]") -> None:
        """Send what a question came to: a value, an error we expect, or the traceback of a bug."""
        if answer.cancelled():
            return
        error = answer.exception()
        if error is None:
            said: tuple[str, object] = ("value", answer.result())
        elif isinstance(error, AppError):
            said = ("error", (type(error).__name__, error.message, error.hint))
        else:
            said = ("bug", "".join(traceback.format_exception(error)))
        frame = pack(number, pickle.dumps(said, protocol=5))
        with self._lock:
            self._stream.write(frame)
            self._stream.flush()


def serve(reader: object, questions: BinaryIO, answers: Answers) -> None:
    """Answer until `questions` ends. A question with an empty body takes an earlier one back."""
    waiting: dict[int, Future[object]] = {}
    with ThreadPoolExecutor(N_THREADS, thread_name_prefix="reader") as pool:
        while len(head := questions.read(HEAD.size)) == HEAD.size:
            length, number = HEAD.unpack(head)
            body = questions.read(length)
            if not body:
                if (taken_back := waiting.pop(number, None)) is not None:
                    taken_back.cancel()
                continue
            answer = pool.submit(_ask, reader, body)
            waiting[number] = answer
            answer.add_done_callback(lambda done, number=number: _settle(waiting, answers, number, done))
        pool.shutdown(wait=False, cancel_futures=True)


def open_answers() -> Answers:
    """Take stdout for the frames; what anything prints from now on goes to stderr and cannot break them."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return Answers(out)


def _settle(waiting: dict[int, "Future[object]"], answers: Answers, number: int, done: "Future[object]") -> None:
    waiting.pop(number, None)
    answers.send(number, done)


def _ask(reader: object, body: bytes) -> object:
    method, arguments, named = pickle.loads(body)
    ask: Any = getattr(reader, method)
    return ask(*arguments, **named)


def main() -> None:
    """Run until the desktop closes the pipe."""

    serve(Reader(Path(sys.argv[1])), sys.stdin.buffer, open_answers())
    os._exit(0)  # a query that still runs is nobody's any more


if __name__ == "__main__":
    main()
