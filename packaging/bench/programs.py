"""Start, pin, watch and stop the programs under measurement. Linux tells CPU time and memory through /proc."""

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORES = os.cpu_count() or 1
GATEWAY_CORE, LOAD_CORE = 0, CORES - 1
START_LIMIT_S = 30.0


def first_window_s(data: Path) -> float:
    """Return the seconds from the command to the desktop's first painted window, the median of three starts."""
    return statistics.median(_one_window_s(data / str(n)) for n in range(3))


def _one_window_s(data: Path) -> float:
    env = {"QT_QPA_PLATFORM": "offscreen", "GATESCOPE_SAY_PAINTED": "1"}
    command = ["-m", "app.launch", "--data", str(data), "--port", str(free_port())]
    program, took_s = start(command, core=GATEWAY_CORE, ready='"painted"', env=env)
    stop(program)
    return took_s


def free_port() -> int:
    """Return a loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    command: list[str], *, core: int, ready: str, env: dict[str, str] | None = None
) -> tuple["subprocess.Popen[str]", float]:
    """Start a program on one core and wait for its first line; return it and the seconds that took.

    Raises RuntimeError if the line does not hold `ready`.
    """
    began_s = time.perf_counter()
    program = subprocess.Popen(
        [*pin(core), sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    assert program.stdout is not None
    limit = threading.Timer(START_LIMIT_S, program.kill)
    limit.start()
    line = program.stdout.readline()
    limit.cancel()
    if ready not in line:
        stop(program)
        raise RuntimeError(f"{command[0]} did not start: {line!r}")
    return program, time.perf_counter() - began_s


def pin(core: int) -> list[str]:
    """Return the words that keep a command on one core, none where that cannot be said."""
    return ["taskset", "-c", str(core)] if CORES > 1 and Path("/usr/bin/taskset").exists() else []


def stop(program: "subprocess.Popen[str]", *, drains: bool = False) -> None:
    """End a program: close its stdin, which the gateway drains on, or ask; then kill."""
    if program.stdin:
        program.stdin.close()
    if not drains:
        program.terminate()
    try:
        program.wait(15)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def load(url: str, key: str, body: Path, *, connections: int, seconds: float) -> dict[str, float]:
    """Run the load generator and return what it measured."""
    command = [
        *pin(LOAD_CORE),
        sys.executable,
        str(HERE / "load.py"),
        url,
        key,
        str(body),
        str(connections),
        str(seconds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
