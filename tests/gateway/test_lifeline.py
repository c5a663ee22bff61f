import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.lifeline import Lifeline, is_held


def test_a_pipe_that_somebody_holds_is_a_lifeline() -> None:
    reading, writing = os.pipe()
    assert is_held(reading)
    os.write(writing, b"chatter")
    assert is_held(reading)
    os.close(writing)
    os.close(reading)


def test_a_pipe_that_was_closed_before_we_began_is_none() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    assert not is_held(reading)
    os.close(reading)


def test_a_file_the_null_device_and_nothing_are_none(tmp_path: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    file = os.open(tmp_path / "file", os.O_RDONLY | os.O_CREAT)
    assert not is_held(null)
    assert not is_held(file)
    os.close(null)
    os.close(file)
    assert not is_held(file)


def test_a_signal_ends_the_wait_with_its_name() -> None:
    async def go() -> str:
        lifeline = Lifeline()
        lifeline.hold()
        os.kill(os.getpid(), signal.SIGTERM)
        return await lifeline.wait()

    assert asyncio.run(go()) == "signal SIGTERM"


def test_the_first_reason_stays() -> None:
    async def go() -> str:
        lifeline = Lifeline()
        lifeline.cut("asked to")
        lifeline.cut("stdin was closed")
        return await lifeline.wait()

    assert asyncio.run(go()) == "asked to"


def test_a_parent_that_owned_us_and_is_gone_already_is_a_reason_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait() -> str:
        lifeline = Lifeline()
        lifeline.hold()
        return await asyncio.wait_for(lifeline.wait(), 5)

    monkeypatch.setenv("GATESCOPE_OWNED", "1")
    monkeypatch.setattr("gateway.lifeline.is_held", lambda _: False)
    assert asyncio.run(wait()) == "stdin was closed"
