"""When the gateway must leave: a signal, a request to stop, or the end of the process that holds its stdin.

The rule for stdin. If stdin is a pipe or a socket that somebody holds open when we start, its end is our end: that is
how a parent owns us, and how we leave when it dies. A terminal, a file, `/dev/null`, no stdin, or a pipe that was
already closed before we began say nothing: then only signals count. But a parent that says it owns us, with
`GATESCOPE_OWNED` in the environment, may have died before we looked: then a closed pipe is its end.
"""

import asyncio
import logging
import os
import select
import signal
import stat
import sys
import threading
from types import FrameType
from typing import Final

_STDIN: Final = 0
_OWNED: Final = "GATESCOPE_OWNED"
_SIGNALS: Final = ("SIGTERM", "SIGINT", "SIGHUP")
_log = logging.getLogger(__name__)


class Lifeline:
    """Waits for the reason to leave. Made and awaited on the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._calls = 0
        self.reason = ""
        """Why we leave; empty while we stay."""

    def hold(self) -> None:
        """Begin to listen to signals and, where it is a lifeline, to stdin."""
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                self._loop.add_signal_handler(number, self.cut, f"signal {name}")
            except (NotImplementedError, RuntimeError, ValueError):
                signal.signal(number, self._on_signal)
        if is_held(_STDIN):
            threading.Thread(target=self._watch, name="stdin watch", daemon=True).start()
        elif os.environ.get(_OWNED):
            self.cut("stdin was closed")

    def cut(self, reason: str) -> None:
        """Leave, for `reason`. A second time: at once. Event loop only."""
        self._calls += 1
        if self._calls > 1 and reason.startswith("signal"):
            _log.warning("Told to leave again (%s): leaving at once", reason)
            os._exit(1)
        if not self.reason:
            _log.info("Leaving: %s", reason)
            self.reason = reason
        self._end.set()

    async def wait(self) -> str:
        """Return the reason once there is one."""
        await self._end.wait()
        return self.reason

    def _watch(self) -> None:
        """Read stdin to its end. (A thread: making the descriptor non-blocking would do it to our parent's end too.)"""
        try:
            while os.read(_STDIN, 4096):
                pass
        except OSError:
            pass
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.cut, "stdin was closed")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self.cut, f"signal {signal.Signals(number).name}")


def is_held(descriptor: int) -> bool:
    """Whether a descriptor is a pipe or a socket that somebody still holds open."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return False
    if sys.platform == "win32":  # select takes sockets only there
        return True
    ready, _, _ = select.select([descriptor], [], [], 0)
    return not ready or bool(os.read(descriptor, 4096))
