"""The desktop's entry: flags, whether there is a screen at all, then the application on its event loop.

Qt is imported only once we know that there is a screen; without one the same command serves headless.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from app.logs import start_logs
from app.paths import default_data_dir

DEFAULT_PORT: Final = 4141
N_THREADS: Final = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Run the desktop until the person quits; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parse(words)
    data = (options.data or default_data_dir()).expanduser().absolute()
    if not has_screen():
        return _serve_headless(options, data, "There is no display here")
    try:
        from PySide6 import QtWidgets  # noqa: F401  its system libraries may be missing
    except ImportError as error:
        return _serve_headless(options, data, f"The desktop cannot be loaded ({error})")
    return _run(options, data, words)


def has_screen() -> bool:
    """Return whether a window can be shown: a display on Linux, always elsewhere, or where Qt's platform is chosen."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _parse(words: list[str]) -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(prog="gatescope", description="The desktop with its gateway.")
    parser.add_argument("--data", type=Path, help="the data folder (GATESCOPE_DATA)")
    config = environ.get("GATESCOPE_CONFIG")
    parser.add_argument("--config", type=Path, default=Path(config) if config else None, help="the config file")
    port = environ.get("GATESCOPE_PORT", "")
    parser.add_argument("--port", type=int, default=int(port) if port.isdigit() else DEFAULT_PORT, help="wanted port")
    parser.add_argument("--safe", action="store_true", help="start without last time's windows and filters")
    return parser.parse_args(words)


def _serve_headless(options: argparse.Namespace, data: Path, why: str) -> int:
    """Become the gateway alone, in this same process."""
    print(f"{why}: serving headless. Stop with Ctrl+C.", file=sys.stderr, flush=True)
    root = Path(__file__).resolve().parent.parent
    inherited = os.environ.get("PYTHONPATH")
    environ = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else str(root)}
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-m", "app.launch"]
    words = ["serve", "--data", str(data), "--port", str(options.port)]
    if options.config is not None:
        words += ["--config", str(options.config)]
    os.execve(program[0], [*program, *words], environ)
    return 1


def _run(options: argparse.Namespace, data: Path, words: list[str]) -> int:
    from PySide6.QtWidgets import QApplication  # noqa: I001  Qt first: qasync takes the binding that is loaded
    import qasync

    from ui.desktop import Choices, Desktop, hook_exceptions, log_qt_messages
    from ui.instance import hand_over

    application = QApplication(["gatescope"])
    if hand_over(data, words):
        print("Gatescope is already open; its window comes to the front.", file=sys.stderr)
        return 0
    start_logs(data / "logs", "desktop")
    log_qt_messages()
    loop = qasync.QEventLoop(application)
    loop.set_default_executor(ThreadPoolExecutor(N_THREADS, thread_name_prefix="desktop"))
    asyncio.set_event_loop(loop)
    with loop:
        desktop = Desktop(application, Choices(data, options.config, options.port, options.safe))
        sys.excepthook = hook_exceptions(desktop.feedback)
        if sys.platform != "win32":
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, desktop.quit)
        loop.run_until_complete(desktop.run())
    return 0
