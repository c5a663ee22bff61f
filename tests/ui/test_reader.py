"""The reader's client against a child of our own making: slow, broken, dying, telling errors."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QProcess, QProcessEnvironment
from waiting import until

from app.errors import InputError, StoreError
from ui.kit.feedback import Feedback
from ui.reader import MAX_OPEN, ReaderBug, ReaderClient

Run = Callable[[Any], Any]
ROOT = Path(__file__).resolve().parents[2]
CHILD = '''
import os, sys, time
from pathlib import Path
sys.path.insert(0, ROOT)
from app.errors import InputError
from ui.reader_child import open_answers, serve

class Reader:
    """Stands in for the store's."""
    def __init__(self, folder): self.folder = folder
    def echo(self, *words, **named): return words, named
    def refuse(self): raise InputError("No such field.", hint="Did you mean model?")
    def bug(self): return 1 // 0
    def die(self): os._exit(3)
    def die_once(self):
        mark = self.folder / "died"
        if not mark.exists():
            mark.write_text("x"); os._exit(3)
        return "survived"
    def wait_for(self, name):
        (self.folder / (name + ".asked")).write_text("x")
        while not (self.folder / name).exists(): time.sleep(0.005)
        return name
    def large(self, size): return bytes(size)
    def noise(self): print("chatter"); return "quiet"

serve(Reader(Path(sys.argv[1])), sys.stdin.buffer, open_answers())
os._exit(0)
'''


@pytest.fixture
def reader(run: Run, tmp_path: Path) -> Iterator[ReaderClient]:
    script = tmp_path / "child.py"
    script.write_text(CHILD.replace("ROOT", repr(str(ROOT))))

    def prepare(process: QProcess) -> None:
        process.setProgram(sys.executable)
        process.setArguments([str(script), str(tmp_path)])
        process.setProcessEnvironment(QProcessEnvironment.systemEnvironment())

    client = ReaderClient(tmp_path, Feedback(), prepare)
    yield client
    client.close()


def test_a_question_is_answered(run: Run, reader: ReaderClient) -> None:
    assert run(reader.ask("echo", 1, "two", three=3)) == ((1, "two"), {"three": 3})


def test_many_questions_at_once_each_get_their_own_answer(run: Run, reader: ReaderClient) -> None:
    async def many() -> list[Any]:
        return await asyncio.gather(*(reader.ask("echo", number) for number in range(MAX_OPEN * 3)))

    assert [words for (words,), _ in run(many())] == list(range(MAX_OPEN * 3))


def test_an_expected_error_comes_back_as_itself(run: Run, reader: ReaderClient) -> None:
    with pytest.raises(InputError, match=r"No such field\. Did you mean model\?"):
        run(reader.ask("refuse"))


def test_a_bug_comes_back_as_a_bug(run: Run, reader: ReaderClient) -> None:
    with pytest.raises(ReaderBug, match="ZeroDivisionError"):
        run(reader.ask("bug"))


def test_the_child_died_once_and_the_question_is_asked_again(run: Run, reader: ReaderClient) -> None:
    assert run(reader.ask("die_once")) == "survived"


def test_a_question_that_kills_the_child_is_given_up_and_others_live(run: Run, reader: ReaderClient) -> None:
    async def both() -> Any:
        with pytest.raises(StoreError, match="stopped while answering"):
            await reader.ask("die")
        return await reader.ask("echo", 1)

    assert run(both()) == ((1,), {})


def test_a_cancelled_question_leaves_room_for_others(run: Run, reader: ReaderClient, tmp_path: Path) -> None:
    async def cancel() -> Any:
        asked = [asyncio.ensure_future(reader.ask("wait_for", "gate")) for _ in range(MAX_OPEN)]
        await until((tmp_path / "gate.asked").exists)
        for question in asked:
            question.cancel()
        await asyncio.wait(asked)
        (tmp_path / "gate").touch()
        return await reader.ask("echo")

    assert run(cancel()) == ((), {})
    assert reader._open == {}


def test_the_loop_runs_on_while_the_child_is_busy(run: Run, reader: ReaderClient, tmp_path: Path) -> None:
    async def tick() -> int:
        asked = asyncio.ensure_future(reader.ask("wait_for", "gate"))
        ticks = 0
        while ticks < 50:
            await asyncio.sleep(0.001)
            ticks += 1
        (tmp_path / "gate").touch()
        await asked
        return ticks

    assert run(tick()) == 50


def test_a_large_answer_arrives_whole(run: Run, reader: ReaderClient) -> None:
    assert len(run(reader.ask("large", 12_000_000))) == 12_000_000


def test_a_stray_print_in_the_child_breaks_nothing(run: Run, reader: ReaderClient, caplog: Any) -> None:
    assert run(reader.ask("noise")) == "quiet"


def test_a_question_to_a_closed_reader_is_taken_back(run: Run, reader: ReaderClient) -> None:
    reader.close()
    with pytest.raises(asyncio.CancelledError):
        run(reader.ask("echo"))
