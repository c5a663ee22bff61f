"""The real gateway as a process of its own, for journeys."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class GatewayProcess:
    """A running `gatescope serve`: where it is, how to stop it, how to run other commands on its folder."""

    def __init__(self, data: Path, config: str, env: dict[str, str] | None = None) -> None:
        self.data = data
        self.env = {**os.environ, **(env or {})}
        self.config = data.parent / f"{data.name}.yaml"
        self.config.write_text(config, encoding="utf-8")
        self.start()

    def start(self) -> None:
        """Start it (again) and wait for its ready line."""
        command = ["serve", "--port", "0", "--data", str(self.data), "--config", str(self.config)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.launch", *command],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the gateway did not start: exit code {self.process.wait(10)}"
        self.ready = json.loads(line)
        self.url = f"http://127.0.0.1:{self.ready['port']}"

    def cli(self, *words: str) -> str:
        """Run a gatescope command on the same folder and return what it printed."""
        command = [sys.executable, "-m", "app.launch", *words, "--data", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def new_key(self, name: str = "journey") -> str:
        """Return a new virtual key."""
        key = json.loads(self.cli("key", "create", name, "--json"))["key"]
        assert isinstance(key, str)
        return key

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self._reap()

    def stop(self) -> int:
        """Close its stdin, as the desktop does, and return its exit code once it has drained."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(20)
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        return code


@contextmanager
def running_gateway(data: Path, config: str, env: dict[str, str] | None = None) -> Iterator[GatewayProcess]:
    """A gateway for the length of a test."""
    gateway = GatewayProcess(data, config, env)
    try:
        yield gateway
    finally:
        gateway.stop()
