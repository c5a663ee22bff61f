import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from app.errors import InputError, StoreError
from ui.kit.feedback import Feedback, Toast, words


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreError("The disk is full.", hint="Free some space."), "The disk is full. Free some space."),
        (TimeoutError(), "That took too long and was given up."),
        (PermissionError(13, "Permission denied", "/data/x"), "No permission for /data/x."),
        (OSError(28, "No space left on device"), "No space left on device."),
        (ConnectionRefusedError(111, "refused"), "The gateway cannot be reached."),
        (KeyError("spam"), "Something went wrong inside Gatescope (KeyError: 'spam')."),
    ],
)
def test_errors_become_words(error: Exception, said: str) -> None:
    assert words(error) == said


def test_a_failed_task_is_shown_and_named(
    qapp: QApplication, run: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    feedback, seen = Feedback(), []
    feedback.toasted.connect(seen.append)

    async def fail() -> None:
        raise InputError("No such trace.")

    async def both() -> None:
        await asyncio.wait([feedback.start(fail(), "Reading the trace")])
        await asyncio.sleep(0)

    with caplog.at_level(logging.CRITICAL, logger="app.tasks"):
        run(both())
    assert [(toast.text, toast.tone) for toast in seen] == [("Reading the trace failed: No such trace.", "error")]
    assert "InputError" in seen[0].details


def test_a_cancelled_task_says_nothing(qapp: QApplication, run: Callable[[Any], Any]) -> None:
    feedback = Feedback()

    async def both() -> None:
        task = feedback.start(asyncio.sleep(60), "Waiting")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(both())
    assert not feedback.past


def test_all_toasts_are_kept_for_the_drawer(qapp: QApplication) -> None:
    feedback = Feedback()
    feedback.tell("one")
    feedback.say(Toast("two", "good"))
    assert [toast.text for toast in feedback.past] == ["one", "two"]
    assert Toast("x", "error").is_lasting
    assert not Toast("x").is_lasting
