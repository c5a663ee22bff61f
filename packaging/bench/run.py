"""Measure the gateway beside a bare reverse proxy, in turns, on this machine. `make bench`.

    run.py [--rounds 3] [--seconds 3] [--json FILE]

Every figure that matters is a ratio within this run: absolute numbers of two runs, or of two machines, say nothing.
The gateway and the bare proxy have core 0, the load and the fake provider the last core.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bodies
import programs

CONFIG = """\
providers:
  bench: {{dialect: openai_chat, base_url: "{upstream}/v1", api_key: env:BENCH_KEY}}
models:
  fake: {{targets: [{{provider: bench, model: gpt-4o-mini}}]}}
"""
TESTS = {  # name: (body, connections)
    "small, one at a time": ("small", 1),
    "small, 32 clients": ("small", 32),
    "200 KB, one at a time": ("long", 1),
    "200 KB, 32 clients": ("long", 32),
    "streams, 64 clients": ("stream", 64),
}


class Bench:
    """One run: three targets (direct, bare, gatescope), each test in turn, several rounds."""

    def __init__(self, work: Path, seconds: float) -> None:
        self.work, self.seconds = work, seconds
        self.data = work / "data"
        self.data.mkdir()
        self.rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
        self.facts: dict[str, float] = {}

    def __enter__(self) -> "Bench":
        up, bare, ours = (programs.free_port() for _ in range(3))
        upstream = f"http://127.0.0.1:{up}"
        (self.work / "bench.yaml").write_text(CONFIG.format(upstream=upstream))
        for name, body in {
            "small": bodies.small_call("fake"),
            "long": bodies.long_call("fake"),
            "stream": bodies.small_call("fake", is_stream=True),
        }.items():
            (self.work / name).write_bytes(body)
        here = programs.HERE
        self.upstream, _ = programs.start([str(here / "upstream.py"), str(up)], core=programs.LOAD_CORE, ready="ready")
        self.bare, _ = programs.start(
            [str(here / "bare_proxy.py"), str(bare), upstream], core=programs.GATEWAY_CORE, ready="ready"
        )
        self.gateway, self.facts["ready_s"] = self.serve(ours)
        self.key = json.loads(self.cli("key", "create", "bench", "--json", "--data", str(self.data)))["key"]
        self.urls = {"direct": upstream, "bare": f"http://127.0.0.1:{bare}", "gatescope": f"http://127.0.0.1:{ours}"}
        self.pids = {"bare": self.bare.pid, "gatescope": self.gateway.pid}
        return self

    def __exit__(self, *_: object) -> None:
        programs.stop(self.gateway, drains=True)
        for program in (self.bare, self.upstream):
            programs.stop(program)

    def serve(self, port: int) -> tuple["subprocess.Popen[str]", float]:
        """Start the gateway on this run's folder; return it and its seconds to ready."""
        command = ["-m", "app.launch", "serve", "--port", str(port), "--data", str(self.data)]
        command += ["--config", str(self.work / "bench.yaml")]
        return programs.start(command, core=programs.GATEWAY_CORE, ready='"ready"', env={"BENCH_KEY": "up"})

    def cli(self, *words: str) -> str:
        """Run the gatescope command and return what it printed."""
        command = [sys.executable, "-m", "app.launch", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=programs.ROOT).stdout

    def measure(self, target: str, test: str) -> None:
        """Run one test on one target; the gateway then gets the time to finish writing, which is counted."""
        body, connections = TESTS[test]
        pid = self.pids.get(target)
        before_s = programs.cpu_s(pid) if pid else 0.0
        url = self.urls[target] + "/v1/chat/completions"
        row = programs.load(url, self.key, self.work / body, connections=connections, seconds=self.seconds)
        began_s = time.perf_counter()
        if target == "gatescope":
            self.wait_recorded(int(row["calls"]))
            row["drain_s"] = time.perf_counter() - began_s
        if pid and row["calls"]:
            row["cpu_us"] = (programs.cpu_s(pid) - before_s) / row["calls"] * 1e6
        self.rows[target, test].append(row)

    def recorded(self) -> int:
        """Return how many finished calls are in the database."""
        with sqlite3.connect(f"file:{self.data}/traces.db?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM call WHERE dur_us IS NOT NULL").fetchone()[0])

    def wait_recorded(self, calls: int) -> None:
        """Wait until as many more calls are in the database as were just made; what is missing is an error."""
        wanted = int(self.facts.get("recorded", 0)) + calls
        until_s = time.perf_counter() + 60
        while (have := self.recorded()) < wanted and time.perf_counter() < until_s:
            time.sleep(0.05)
        if have < wanted:
            raise RuntimeError(f"{wanted - have} of {calls} calls were never recorded")
        self.facts["recorded"] = have

    def run(self, rounds: int) -> None:
        """Every test on every target, in turns."""
        time.sleep(1)
        self.facts["idle_mb"] = programs.resident_mb(self.gateway.pid)
        for _ in range(rounds):
            for test in TESTS:
                for target in self.urls:
                    self.measure(target, test)
                    print(".", end="", file=sys.stderr, flush=True)
        self.facts["loaded_mb"] = programs.resident_mb(self.gateway.pid)
        print(file=sys.stderr)

    def agent_disk(self, agents: int = 16, turns: int = 50) -> None:
        """Agents' loops into a folder of their own: raw bytes over bytes on disk, indexes and search included."""
        programs.stop(self.gateway, drains=True)
        self.data = self.work / "loops"
        self.data.mkdir()
        port = programs.free_port()
        self.gateway, _ = self.serve(port)
        key = json.loads(self.cli("key", "create", "bench", "--json", "--data", str(self.data)))["key"]
        raw_bytes = calls = 0
        answer_bytes = len(bodies.answer())
        self.facts["recorded"] = 0
        for requests in zip(*(bodies.agent_loop("fake", agent, turns) for agent in range(agents)), strict=True):
            for body in requests:
                bodies.post(port, key, body)
                raw_bytes += len(body) + answer_bytes
                calls += 1
        self.wait_recorded(calls)
        programs.stop(self.gateway, drains=True)
        disk_bytes = sum(file.stat().st_size for file in self.data.rglob("*") if file.is_file())
        self.facts |= {
            "loop_calls": calls,
            "loop_raw_per_call": raw_bytes / calls,
            "loop_disk_per_call": disk_bytes / calls,
            "loop_ratio": raw_bytes / disk_bytes,
        }
        self.gateway, _ = self.serve(port)

    def report(self) -> str:
        """Return the tables."""
        lines = [f"| test | {' | '.join(self.urls)} | gatescope / bare | aim |", "|---|--:|--:|--:|--:|--:|"]
        aims = dict(zip(TESTS, ("≤ 1.3", "≥ 0.7", "≤ 1.3", "≥ 0.5", "≥ 0.9"), strict=True))
        for test in TESTS:
            kind = "p50_us" if TESTS[test][1] == 1 else "chunks_per_s" if TESTS[test][0] == "stream" else "calls_per_s"
            values = {t: [row[kind] for row in self.rows[t, test]] for t in self.urls}
            if kind == "p50_us":
                values = {t: [v - d for v, d in zip(values[t], values["direct"], strict=True)] for t in values}
            ratio = statistics.median(g / b for g, b in zip(values["gatescope"], values["bare"], strict=True))
            cells = " | ".join(f"{statistics.median(v):,.0f}" for v in values.values())
            unit = {"p50_us": "added µs, p50", "calls_per_s": "calls/s", "chunks_per_s": "chunks/s"}[kind]
            lines.append(f"| {test} ({unit}) | {cells} | {ratio:.2f} | {aims[test]} |")
        lines += ["", "| gateway | CPU µs a call | drain s after the load | p99 ms | errors |", "|---|--:|--:|--:|--:|"]
        for test in TESTS:
            rows = self.rows["gatescope", test]
            cpu, drain, p99 = (statistics.median(r.get(k, 0.0) for r in rows) for k in ("cpu_us", "drain_s", "p99_us"))
            lines.append(
                f"| {test} | {cpu:,.0f} | {drain:.2f} | {p99 / 1e3:,.1f} | {sum(r['errors'] for r in rows):.0f} |"
            )
        lines += ["", "| fact | value | aim |", "|---|--:|--:|"]
        facts = self.facts
        lines.append(f"| calls recorded, none missing | {facts['recorded_total']:,.0f} | all |")
        lines.append(f"| seconds to ready | {facts['ready_s']:.2f} | ≤ 0.6 |")
        lines.append(f"| seconds to first window | {facts['window_s']:.2f} | ≤ 0.4 |")
        lines.append(
            f"| resident MB, idle → after load | {facts['idle_mb']:.0f} → {facts['loaded_mb']:.0f} | ≤ 90 → ≤ 130 |"
        )
        per_call = f"{facts['loop_raw_per_call']:,.0f} → {facts['loop_disk_per_call']:,.0f}"
        lines.append(f"| agent loop: bytes a call, raw → disk | {per_call} ({facts['loop_ratio']:.0f}×) | ≥ 25× |")
        return "\n".join(lines)


def main() -> None:
    """Run, print, and write the raw numbers where asked."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--json", type=Path)
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatescope-bench-") as folder, Bench(Path(folder), args.seconds) as bench:
        bench.run(args.rounds)
        bench.facts["recorded_total"] = bench.facts["recorded"]
        bench.agent_disk()
        bench.facts["window_s"] = programs.first_window_s(Path(folder) / "desk")
        print(bench.report())
        if args.json:
            rows = {f"{target}: {test}": rows for (target, test), rows in bench.rows.items()}
            args.json.write_text(json.dumps({"facts": bench.facts, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
