"""A gateway's outside in the standard library alone, for tests of whoever looks after one.

`python gateway_stub.py MODE serve --data DIR --port N`, where MODE is `good`, `early` (dies before it is ready, with a
message) or `hopeless` (the same, with a code that trying again does not change). It speaks /gatescope/ as the real one
does and leaves when stdin closes.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN = "secret-token"


class Handler(BaseHTTPRequestHandler):
    keys: list[dict[str, object]] = []  # noqa: RUF012  one stub, one list
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        print("request", *words[1:2], file=sys.stderr, flush=True)

    def answer(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_known(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.answer({"error": {"message": "No such token."}}, 401)
        return False

    def do_GET(self) -> None:
        if self.path == "/gatescope/health":
            self.answer({"app": "gatescope", "version": "0", "pid": os.getpid(), "schema": 1})
        elif self.is_known():
            if self.path == "/gatescope/keys":
                self.answer({"keys": self.keys})
            elif self.path == "/gatescope/live":
                self.live()
            else:
                self.answer({"error": {"message": "No such path.", "hint": "Look again."}}, 404)

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if not self.is_known():
            return
        if self.path == "/gatescope/keys":
            made = {"id": len(self.keys) + 1, "name": said["name"], "hint": "gs-ab…yz", "created_ns": time.time_ns()}
            self.keys.append(made)
            self.answer(made | {"key": "gs-abcdefxyz"}, 201)
        elif self.path.endswith("/revoke"):
            self.keys[int(self.path.split("/")[-2]) - 1]["revoked_ns"] = time.time_ns()
            self.answer({})
        elif self.path == "/gatescope/stop":
            self.answer({})
            os._exit(0)

    def live(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        call = {"request_id": "req_1", "started_ns": 1, "method": "POST", "path": "/v1/chat/completions", "model": "m"}
        status = {"in_flight": [call], "calls_per_minute": 12, "config_problem": None, "queued_bytes": 0}
        events = [("status", status), ("change", {"seq": 1, "traces": [7]}), ("change", {"seq": 2, "traces": [8, 9]})]
        events += [("change", {"seq": 5, "traces": [11]})]
        for name, value in events:
            self.wfile.write(f"event: {name}\ndata: {json.dumps(value)}\n\n: keep-alive\n\n".encode())
            self.wfile.flush()
        threading.Event().wait()


def main() -> None:
    mode, words = sys.argv[1], sys.argv[2:]
    data, port = Path(words[words.index("--data") + 1]), int(words[words.index("--port") + 1])
    with (data / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    if mode in ("early", "hopeless"):
        print("The data folder cannot be written.", file=sys.stderr, flush=True)
        sys.exit(5 if mode == "hopeless" else 8)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    runtime = {"pid": os.getpid(), "port": server.server_port, "token": TOKEN, "started_ns": time.time_ns()}
    (data / "gateway.json").write_text(json.dumps(runtime))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"ready": True, "port": server.server_port, "schema": 1, "pid": os.getpid()}), flush=True)
    sys.stdin.read()
    (data / "gateway.json").unlink(missing_ok=True)
    (data / "drained").touch()


if __name__ == "__main__":
    main()
