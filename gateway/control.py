"""Asking a running gateway over its control API, from the command line: plain blocking calls on loopback."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Final

from app.errors import InputError, SetupError
from app.paths import Paths
from gateway.folder import Runtime, read_runtime

_ANSWER_S: Final = 10.0
_DEMO_S: Final = 120.0
_PROBE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that answers, and the right to ask it."""

    host: str
    port: int
    token: str
    pid: int

    @property
    def base_url(self) -> str:
        """Where clients point their SDK."""
        return f"http://{self.host}:{self.port}"

    def get(self, path: str) -> Any:
        """Return the answer to `GET /gatescope/<path>`. Raises InputError or SetupError."""
        return self._ask("GET", path, None, _ANSWER_S)

    def post(self, path: str, value: object = None) -> Any:
        """Return the answer to `POST /gatescope/<path>`. Raises InputError or SetupError."""
        return self._ask("POST", path, value, _DEMO_S if path == "demo" else _ANSWER_S)

    def _ask(self, method: str, path: str, value: object, timeout_s: float) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        body = json.dumps(value or {}) if method == "POST" else None
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.request(method, f"/gatescope/{path}", body, headers)
            answer = connection.getresponse()
            status, said = answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SetupError(f"The gateway at {self.base_url} does not answer: {error}.") from error
        finally:
            connection.close()
        if status >= 400:
            fault = said.get("error", {}) if isinstance(said, dict) else {}
            message = fault.get("message") or f"The gateway answered {status}."
            raise InputError(str(message), hint=str(fault.get("hint") or ""))
        return said


def find_running(paths: Paths) -> RunningGateway | None:
    """Return the gateway that runs on a data folder, None where none does. A stale `gateway.json` is ignored."""
    runtime = read_runtime(paths)
    if runtime is None:
        return None
    host = reachable(runtime)
    said = health_of(host, runtime.port)
    if said is None or said.get("pid") != runtime.pid:
        return None
    return RunningGateway(host, runtime.port, runtime.token, runtime.pid)


def reachable(runtime: Runtime) -> str:
    """Return the address to call a gateway by: the one it listens on, or loopback where it listens on all."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(runtime.host, runtime.host)


def health_of(host: str, port: int) -> dict[str, Any] | None:
    """Return what a gateway of ours says of itself, None where something else or nothing answers."""
    connection = http.client.HTTPConnection(host, port, timeout=_PROBE_S)
    try:
        connection.request("GET", "/gatescope/health")
        said = json.loads(connection.getresponse().read(4096))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return said if isinstance(said, dict) and said.get("app") == "gatescope" else None
