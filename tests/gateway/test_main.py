"""The gateway's start and end, as a process."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2 as httpx
import pytest
from gateway_process import ROOT, GatewayProcess, running_gateway

from app.models.query import Query
from app.models.span import Status
from app.store.reader import Reader

ASK = {"model": "demo/chat", "messages": [{"role": "user", "content": "Go on"}], "stream": True}


def stream_while(gateway: GatewayProcess, end: str) -> bytes:
    """Read a stream of a second, and have the gateway told to leave once it has begun."""
    headers = {"authorization": f"Bearer {gateway.new_key()}"}
    got = b""
    with httpx.stream("POST", f"{gateway.url}/v1/chat/completions", json=ASK, headers=headers, timeout=20) as answer:
        for piece in answer.iter_bytes():
            if not got:
                if end == "stdin":
                    threading.Thread(target=gateway.stop).start()
                else:
                    gateway.process.send_signal(getattr(signal, end))
            got += piece
    return got


@pytest.mark.parametrize("end", ["stdin", "SIGTERM", "SIGINT"])
def test_a_running_call_ends_before_the_gateway_leaves(tmp_path: Path, end: str) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        got = stream_while(gateway, end)
        assert got.endswith(b"data: [DONE]\n\n")
        assert gateway.process.wait(20) == 0
    rows = Reader(tmp_path / "data").traces(Query(), None, 10)
    assert [row.status for row in rows] == [Status.OK]


def test_a_finished_call_survives_a_killed_gateway(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        headers = {"authorization": f"Bearer {gateway.new_key()}"}
        body = {**ASK, "stream": False, "delay_ms": 0}
        for _ in range(5):
            answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=20)
            assert answer.status_code == 200
        gateway.kill()
        gateway.start()
        assert gateway.stop() == 0
    rows = Reader(tmp_path / "data").traces(Query(), None, 10)
    assert [row.status for row in rows] == [Status.OK] * 5


def test_a_gateway_whose_starter_is_gone_before_it_is_ready_leaves(tmp_path: Path) -> None:

    command = [sys.executable, "-m", "app.launch", "serve", "--port", "0", "--data", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    assert process.wait(20) == 0
