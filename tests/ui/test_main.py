"""The desktop's start: what is loaded before the first paint, and what happens without a screen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ui.main import has_screen

ROOT = Path(__file__).resolve().parents[2]
LATE = {"aiohttp", "numpy", "pyqtgraph", "pydantic", "markdown_it", "genai_prices", "keyring", "sqlite3", "uvloop"}
FIRST_PAINT = """
import asyncio, json, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
import qasync
from ui.desktop import Choices, Desktop
app = QApplication([])
loop = qasync.QEventLoop(app)
asyncio.set_event_loop(loop)
desktop = Desktop(app, Choices(Path(sys.argv[1]), None, 0))
desktop.window.painted.disconnect()
def on_painted():
    print(json.dumps(sorted(name.partition(".")[0] for name in sys.modules)), flush=True)
    import os; os._exit(0)
desktop.window.painted.connect(on_painted)
loop.run_until_complete(desktop.run())
"""


def started(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    known = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    known.pop("QT_QPA_PLATFORM", None)
    return subprocess.run(
        [sys.executable, *words],
        env=known | {"PYTHONPATH": str(ROOT)} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_nothing_slow_is_loaded_before_the_first_paint(tmp_path: Path) -> None:
    done = started("-c", FIRST_PAINT, str(tmp_path), QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stderr
    assert not LATE & set(json.loads(done.stdout.splitlines()[-1]))


def test_without_a_display_it_says_so_and_serves(tmp_path: Path) -> None:
    """The gateway is stood in for: what matters is that this process becomes it, with the same folder and port."""
    script = (
        "import os, sys; from ui import main\n"
        "os.execve = lambda program, words, environ: print(*words[-6:])\n"
        "main.main(['--data', sys.argv[1], '--port', '4999'])"
    )
    done = started("-c", script, str(tmp_path))
    assert "no display" in done.stderr
    assert "headless" in done.stderr
    assert done.stdout.split()[-5:] == ["serve", "--data", str(tmp_path), "--port", "4999"]


def test_any_of_the_ways_to_a_screen_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        for other in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(other, raising=False)
        if sys.platform == "linux":
            assert not has_screen()
        monkeypatch.setenv(name, ":0")
        assert has_screen()
