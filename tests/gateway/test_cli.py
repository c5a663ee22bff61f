import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_process import ROOT, running_gateway
from waiting import until

from app.paths import Paths
from app.store.connect import open_writer
from app.store.migrations import SCHEMA
from app.version import VERSION
from gateway.folder import read_runtime


def run(*words: str, env: dict[str, str] | None = None, **more: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app.launch", *words]
    environ = {**os.environ, **(env or {})}
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False, **more
    )


def ask(runtime: Any, path: str, token: str | None = None) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{runtime.port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def test_the_version_and_the_help_need_no_gateway() -> None:
    assert run("--version").stdout == f"gatescope {VERSION}\n"
    said = run("serve", "--help").stdout
    assert "exit codes" in said
    assert "--port" in said


def test_a_wrong_command_line_is_told() -> None:
    done = run("sreve")
    assert done.returncode == 2
    assert "invalid choice: 'sreve'" in done.stderr


def test_serve_says_it_is_ready_and_leaves_when_stdin_closes(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        assert gateway.ready["ready"] is True
        assert gateway.ready["schema"] == SCHEMA
        assert gateway.ready["pid"] == gateway.process.pid
        runtime = read_runtime(Paths(gateway.data))
        assert runtime is not None
        assert runtime.port == gateway.ready["port"]
        assert ask(runtime, "/gatescope/health")["app"] == "gatescope"
        assert gateway.stop() == 0
        assert read_runtime(Paths(gateway.data)) is None


def test_serve_without_a_lifeline_stays_until_it_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.launch", "serve", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/gatescope/health", timeout=10) as answer:
            assert answer.status == 200
        assert process.poll() is None
        process.terminate()
        assert process.wait(20) == 0


def test_two_gateways_do_not_share_a_folder(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        done = run("serve", "--port", "0", "--data", str(gateway.data))
        assert done.returncode == 9
        assert f"process {gateway.process.pid}" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_port_that_another_of_ours_has_is_told(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        done = run("serve", "--port", str(gateway.ready["port"]), "--data", str(tmp_path / "other"))
        assert done.returncode == 4
        assert f"another Gatescope gateway (process {gateway.process.pid})" in done.stderr


def test_a_port_that_a_stranger_has_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        done = run("serve", "--port", str(stranger.getsockname()[1]), "--data", str(tmp_path))
    assert done.returncode == 4
    assert "Choose another with --port" in done.stderr
    assert done.stdout == ""


def test_a_mistake_in_the_config_is_told_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("server:\n  prot: 1\n")
    done = run("serve", "--port", "0", "--data", str(tmp_path / "data"), "--config", str(config))
    assert done.returncode == 3
    assert f"{config}:2: unknown key `server.prot`; did you mean `port`?" in done.stderr


def test_a_config_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("serve", "--port", "0", "--data", str(tmp_path / "d"), env={"GATESCOPE_CONFIG": str(tmp_path / "c")})
    assert done.returncode == 3
    assert "There is no config file" in done.stderr


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("serve", "--port", "0", "--data", str(tmp_path / "file"))
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    conn = open_writer(tmp_path / "traces.db")
    conn.execute("CREATE TABLE t (x)")
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    before = (tmp_path / "traces.db").read_bytes()
    done = run("serve", "--port", "0", "--data", str(tmp_path))
    assert done.returncode == 7
    assert "newer" in done.stderr
    assert (tmp_path / "traces.db").read_bytes() == before


def test_a_damaged_database_is_set_aside_and_its_new_name_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "traces.db").write_bytes(b"not a database" * 1000)
    with running_gateway(data, "") as gateway:
        assert gateway.ready["ready"] is True
        aside = next(data.glob("traces.db.corrupt-*"))
        assert str(aside) in (data / "logs" / "gateway.log").read_text()


def test_keys_are_made_listed_and_revoked_while_a_gateway_runs(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        made = json.loads(gateway.cli("key", "create", "laptop", "--json"))
        assert made["key"].startswith("gs-")
        assert ask(read_runtime(Paths(gateway.data)), "/v1/models", made["key"])["object"] == "list"
        names = [key["name"] for key in json.loads(gateway.cli("key", "list", "--json"))]
        assert names == ["default", "laptop"]
        assert "is revoked" in gateway.cli("key", "revoke", made["key"])
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(read_runtime(Paths(gateway.data)), "/v1/models", made["key"])
        assert caught.value.code == 401
        caught.value.close()


def test_keys_made_without_a_gateway_open_it_later(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = json.loads(run("key", "create", "ci", "--json", "--data", str(data)).stdout)
    assert made["key"] not in json.dumps(json.loads(run("key", "list", "--json", "--data", str(data)).stdout))
    with running_gateway(data, "") as gateway:
        assert ask(read_runtime(Paths(gateway.data)), "/v1/models", made["key"])["object"] == "list"


def test_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("key", "revoke", "nobody", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "There is no such key." in done.stderr


def test_the_config_is_read_again_while_it_serves(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        runtime = read_runtime(Paths(gateway.data))
        assert runtime is not None
        aliases = "models:\n  fast:\n    targets: [{provider: demo, model: chat}]\n"
        gateway.config.write_text(aliases)
        assert "fast" in wait_for(runtime, lambda status: status["models"])
        gateway.config.write_text(aliases + "oops: 1\n")
        assert "unknown key `oops`" in wait_for(runtime, lambda status: status["config_problem"])
        assert ask(runtime, "/gatescope/status", runtime.token)["models"] == ["fast"]


def wait_for(runtime: Any, pick: Callable[[Any], Any]) -> Any:
    """Ask for the status until `pick` finds something in it; the gateway looks at its config each second."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [pick(ask(runtime, "/gatescope/status", runtime.token))]
        return bool(found[0])

    asyncio.run(until(look, 20))
    return found[0]


def test_the_demo_wants_a_gateway(tmp_path: Path) -> None:
    done = run("demo", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "gatescope serve" in done.stderr


def test_the_doctor_finds_a_sound_machine_sound(tmp_path: Path) -> None:
    done = run("doctor", "--data", str(tmp_path), "--port", "0", env={"OPENAI_API_KEY": "sk-secret-openai-key"})
    assert done.returncode == 0, done.stdout
    assert "key from env:OPENAI_API_KEY" in done.stdout
    assert "sk-secret" not in done.stdout


def test_the_doctor_tells_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "gatescope.yaml").write_text("nonsense: 1\n")
    (tmp_path / "traces.db").write_bytes(b"not a database" * 1000)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        done = run("doctor", "--data", str(tmp_path), "--port", str(stranger.getsockname()[1]))
    assert done.returncode == 1
    assert "FAIL  database" in done.stdout
    assert "FAIL  config" in done.stdout
    assert "FAIL  gateway" in done.stdout
    assert "Traceback" not in done.stderr
