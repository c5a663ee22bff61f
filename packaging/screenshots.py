"""Take the pictures of `docs/`: the real desktop in a real window on a virtual display, filled by the demo run.

    screenshots.py [FOLDER]

Without a display it starts Xvfb on one of its own (Debian: apt-get install xvfb).
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZE_PX = (1440, 900)
SETTLE_S = 0.4
"""For hover, focus and toasts to come to rest before a picture."""
WAIT_S = 60.0
N_TRACES = 5
LOOK_S = 0.05


@contextmanager
def display() -> Iterator[None]:
    """A display for the length of the pictures: Xvfb, reaped at the end."""
    program = shutil.which("Xvfb")
    if program is None:
        sys.exit("The pictures need a virtual display: apt-get install xvfb")
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            os.environ["DISPLAY"] = f":{said.readline().strip()}"
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        yield
    finally:
        server.terminate()
        server.wait(10)


def free_port() -> int:
    """Return a loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def take(folder: Path, data: Path, scheme: str) -> None:
    """Open the desktop on an empty data folder, take the first run, send the demo run, take the traces."""
    from PySide6.QtWidgets import QApplication  # Qt first: qasync takes the binding that is loaded

    import qasync  # isort: skip
    from ui.desktop import Choices, Desktop

    application = QApplication.instance() or QApplication(["gatescope"])
    assert isinstance(application, QApplication)
    loop = qasync.QEventLoop(application)
    loop.set_default_executor(ThreadPoolExecutor(4))
    asyncio.set_event_loop(loop)
    data.mkdir(parents=True)
    (data / "desktop.json").write_text(f'{{"theme.scheme": "{scheme}"}}', encoding="utf-8")
    with loop:
        desktop = Desktop(application, Choices(data, None, free_port()))
        desktop.window.resize(*SIZE_PX)
        loop.run_until_complete(_pictures(desktop, folder, scheme))


async def _pictures(desktop: "object", folder: Path, scheme: str) -> None:
    from ui.desktop import Desktop
    from ui.traces.page import TracesPage

    assert isinstance(desktop, Desktop)
    life = asyncio.ensure_future(desktop.run())
    window = desktop.window

    async def until(is_so: Callable[[], object]) -> None:
        for _ in range(int(WAIT_S / LOOK_S)):
            if is_so():
                break
            await asyncio.sleep(LOOK_S)
        else:
            raise TimeoutError(f"waited {WAIT_S:.0f} s for the next picture")
        await asyncio.sleep(SETTLE_S)

    def shoot(name: str) -> None:
        path = folder / f"{name}-{scheme}.png"
        assert window.grab().save(str(path)), f"{path} cannot be written"
        print(path.name)

    await until(lambda: desktop.engine.is_running and desktop.client.is_streaming)
    shoot("first-run")
    await desktop.client.demo()
    window.go("traces")
    page = window.page
    assert isinstance(page, TracesPage)
    page.close_trace()
    await until(lambda: page.list.model.rowCount() >= N_TRACES)
    shoot("traces")
    rows = [row for place in range(page.list.model.rowCount()) if (row := page.list.model.row(place)) is not None]
    page.open_trace(max(rows, key=lambda row: row.n_spans).id)
    await until(lambda: page.trace is not None and page.trace.row is not None)
    shoot("trace")
    window.go("home")
    await asyncio.sleep(SETTLE_S)
    shoot("home")
    window.go("gateway")
    await asyncio.sleep(SETTLE_S)
    shoot("gateway")
    desktop.quit()
    await life


def main() -> None:
    """Take all pictures, dark and light."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    if "--scheme" in sys.argv:
        with tempfile.TemporaryDirectory(prefix="gatescope-pictures-") as data:
            take(folder, Path(data) / "data", sys.argv[sys.argv.index("--scheme") + 1])
        return
    with display():
        for scheme in ("dark", "light"):
            command = [sys.executable, str(Path(__file__)), str(folder), "--scheme", scheme]
            subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    main()
