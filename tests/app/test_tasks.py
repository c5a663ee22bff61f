import asyncio
import logging

import pytest

from app.tasks import spawn


def test_a_task_that_fails_is_logged_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("no such thing")

    async def run() -> None:
        task = spawn(fail(), "the poller")
        await asyncio.wait([task])

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert "The task the poller failed: no such thing" in caplog.text


def test_a_task_gives_its_result() -> None:
    async def answer() -> int:
        return 42

    async def run() -> int:
        return await spawn(answer(), "answer")

    assert asyncio.run(run()) == 42
