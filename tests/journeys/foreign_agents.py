"""How other people's agents are started: by their environment, in a home of their own, with a time to end in.

The programs are in `agents/`; what they import is put in by `make agents`.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which

import pytest

AGENTS = Path(__file__).resolve().parents[2] / ".agents"
PROGRAMS = Path(__file__).parent / "agents"
MODULES = AGENTS / "node_modules"
_LONGEST_S = 90
_LACKING = "run `make agents`"


class Home:
    """An empty folder to run an agent in, and what the agent may know of the machine."""

    def __init__(self, folder: Path, proxy: str) -> None:
        """Everything but loopback goes to `proxy`, which lets nothing through and notes who tried."""
        self.folder = folder / "home"
        self.work = self.folder / "work"
        self.work.mkdir(parents=True)
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        }

    def python(self, program: str, env: Mapping[str, str]) -> list[str]:
        """Run a Python program; return the lines that it printed."""
        python = AGENTS / "venv" / "bin" / "python"
        if not python.exists():
            pytest.skip(f"no {python}: {_LACKING}")
        return self.run([str(python), str(PROGRAMS / program)], env)

    def node(self, program: str, env: Mapping[str, str]) -> list[str]:
        """Run a program of node; return the lines that it printed."""
        node = which("node")
        if node is None or not (MODULES / "ai").exists():
            pytest.skip(f"no node, or no {MODULES / 'ai'}: {_LACKING}")
        copy = self.folder / program
        copy.write_bytes((PROGRAMS / program).read_bytes())
        copy.with_name("node_modules").symlink_to(MODULES)
        return self.run([node, str(copy)], env)

    def binary(self, name: str) -> str:
        """Return where a program of node's is."""
        found = MODULES / ".bin" / name
        if which("node") is None or not found.exists():
            pytest.skip(f"no {found}: {_LACKING}")
        return str(found)

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """Run a command to its end; return the lines that it printed. It and all its children end with it."""
        process = subprocess.Popen(
            command,
            cwd=self.work,
            env={**self._env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"it did not end within {_LONGEST_S} s\n{out}\n{err}") from None
        assert process.returncode == 0, f"exit code {process.returncode}\n{out}\n{err}"
        return out.splitlines()
