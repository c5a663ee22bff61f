"""Starting asyncio tasks: the loop keeps only weak references, and a failure nobody awaits is silent. Not here."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_running: Final[set[asyncio.Task[Any]]] = set()
_log = logging.getLogger(__name__)


def spawn(coro: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start `coro` as a task of the running loop, keep a reference until it ends, and log it if it fails."""
    task = asyncio.create_task(coro, name=name)
    _running.add(task)
    task.add_done_callback(_on_done)
    return task


def _on_done(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("The task %s failed: %s", task.get_name(), error, exc_info=error)
