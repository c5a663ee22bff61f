"""Calls as the vendors' Python SDKs send them, for the demo: the same headers, the same bodies, retries too.

The demo must show what a real program's calls look like, and the gateway does not depend on the SDKs.
"""

import http.client
import json
import platform
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from app.dialects.registry import reader_of
from app.errors import UpstreamError
from app.models.chat import Reply
from app.models.message import Message

_TIMEOUT_S: Final = 60.0
_RETRIED: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
_MOST_RETRIES: Final = 2
_LONGEST_WAIT_S: Final = 1.0


@dataclass(slots=True)
class Sdk:
    """One vendor's client with its key and base URL. Any thread."""

    base_url: str
    key: str
    is_anthropic: bool = False
    delay_ms: float | None = None
    """Between the pieces of an answer; None: as the demo provider likes."""
    calls: int = 0
    """Requests sent."""
    failures: int = 0
    """Of them, answered with an error."""
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, path: str, body: dict[str, Any]) -> Message:
        """Send a chat request and return the first answer. Raises UpstreamError where there is none after retries."""
        dialect = "anthropic" if self.is_anthropic else "openai_chat"
        reader = reader_of(dialect)
        assert reader is not None
        status, kind, data = self.send(path, body)
        reply: Reply = reader.read_answer(data, kind, status)
        if not reply.choices:
            said = reply.error.message if reply.error else f"status {status}"
            raise UpstreamError(f"The demo got no answer: {said}.", provider="demo")
        return reply.choices[0].message

    def send(self, path: str, body: dict[str, Any]) -> tuple[int, str, bytes]:
        """Send a request, again where SDKs would; return status, content type and body."""
        if self.delay_ms is not None:
            body = body | {"delay_ms": self.delay_ms}
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        for attempt in range(_MOST_RETRIES + 1):
            status, headers, answer = self._once(path, data, attempt)
            if status not in _RETRIED or attempt == _MOST_RETRIES:
                break
            stated_s = float(headers.get("retry-after") or 0.5)
            time.sleep(min(stated_s, _LONGEST_WAIT_S) if self.delay_ms is None else 0)
        return status, headers.get("content-type", "").partition(";")[0], answer

    def _once(self, path: str, data: bytes, attempt: int) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", path, data, self._headers(attempt))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise UpstreamError(f"The gateway at {self.base_url} did not answer: {error}.", provider="demo") from error
        finally:
            connection.close()
        with self._counting:
            self.calls += 1
            self.failures += response.status >= 400
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body

    def _headers(self, attempt: int) -> dict[str, str]:
        name, release = ("Anthropic", "2.12.0") if self.is_anthropic else ("OpenAI", "3.54.0")
        own = {"X-Api-Key": self.key, "anthropic-version": "2023-06-01"}
        return {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
            "Content-Type": "application/json",
            "User-Agent": f"{name}/Python {release}",
            "X-Stainless-Lang": "python",
            "X-Stainless-Package-Version": release,
            "X-Stainless-OS": platform.system(),
            "X-Stainless-Arch": platform.machine(),
            "X-Stainless-Runtime": platform.python_implementation(),
            "X-Stainless-Runtime-Version": platform.python_version(),
            "X-Stainless-Async": "false",
            "x-stainless-retry-count": str(attempt),
            "x-stainless-read-timeout": "600",
        } | (own if self.is_anthropic else {"Authorization": f"Bearer {self.key}"})
