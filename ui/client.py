"""The gateway's control API and its live stream, as Qt signals.

aiohttp is imported off the GUI thread, after the first paint. While the stream is down, the store's `data_version` is
asked instead, so that a window never goes stale.
"""

import asyncio
import importlib
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from PySide6.QtCore import QObject, Signal

from app.errors import AppError, InputError, Refused, StoreError, UpstreamError
from app.models.change import Change
from app.tasks import spawn
from ui.reader import ReaderBug, ReaderClient

POLL_S: Final = 0.25
RETRY_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0)
QUIET_S: Final = 45.0
"""A stream that says nothing for so long (no keep-alive either) is taken for dead."""
ANSWER_S: Final = 15.0
_log = logging.getLogger(__name__)


class InFlight(msgspec.Struct, frozen=True):
    """A call the gateway is working on."""

    request_id: str
    start_ns: int = msgspec.field(name="started_ns")
    span_id: str = ""
    method: str = ""
    path: str = ""
    model: str | None = None
    n_bytes: int = msgspec.field(name="bytes", default=0)


class GatewayStatus(msgspec.Struct, frozen=True):
    """How the gateway is, as it says itself about once a second."""

    in_flight: tuple[InFlight, ...] = ()
    calls_per_minute: float = 0
    config_problem: str | None = None
    record_problem: str | None = None
    """Why calls cannot be put on disk."""
    queued_bytes: int = 0


class KeyRow(msgspec.Struct, frozen=True):
    """A virtual key as the control API lists it."""

    id: int
    name: str
    hint: str = ""
    created_ns: int = 0
    revoked_ns: int | None = None
    last_used_ns: int | None = None


class NewKey(msgspec.Struct, frozen=True):
    """A key just made: the only time its text is known."""

    id: int
    key: str


class Client(QObject):
    """Speaks with one gateway at a time; GUI thread only."""

    changed = Signal(object)
    """A `Change`. With `is_all` after anything may have been missed."""
    status_changed = Signal(object)
    """A `GatewayStatus`."""
    stream_changed = Signal(bool)
    """Whether the live stream stands."""

    def __init__(self, reader: ReaderClient) -> None:
        super().__init__()
        self._reader = reader
        self._base_url = ""
        self._token = ""
        self._session: Any = None
        self._follower: Any = None
        self._poller: Any = None
        self._seq = 0
        self.status = GatewayStatus()
        self.is_streaming = False

    def follow(self, base_url: str, token: str) -> None:
        """Speak with this gateway from now on and follow its stream."""
        self.unfollow()
        self._base_url, self._token = base_url, token
        self._follower = spawn(self._follow(), "live stream")

    def unfollow(self) -> None:
        """Stop following; changes then come from the store alone."""
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None
        self._set_streaming(False)
        self._set_status(GatewayStatus())

    def poll(self) -> None:
        """Begin to watch the store for the times when there is no stream."""
        if self._poller is None:
            self._poller = spawn(self._poll(), "store watch")

    async def close(self) -> None:
        """Let everything go."""
        self.unfollow()
        if self._poller is not None:
            self._poller.cancel()
            self._poller = None
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def health(self, base_url: str) -> dict[str, Any] | None:
        """Return what listens at `base_url` says of itself; None where nothing of ours answers within a second."""
        http = await self._http()
        try:
            limit = http.ClientTimeout(total=1.0)
            async with self._session.get(f"{base_url}/gatescope/health", timeout=limit) as answer:
                said = msgspec.json.decode(await answer.read())
        except (http.ClientError, TimeoutError, msgspec.DecodeError, OSError):
            return None
        return said if isinstance(said, dict) and said.get("app") == "gatescope" else None

    async def keys(self) -> list[KeyRow]:
        """Return all virtual keys, revoked ones too."""
        said = await self.get("keys")
        return msgspec.convert(said["keys"] if isinstance(said, dict) else said, list[KeyRow])

    async def create_key(self, name: str) -> NewKey:
        """Make a virtual key; its text is in the answer and nowhere else."""
        return msgspec.convert(await self.post("keys", {"name": name}), NewKey)

    async def revoke_key(self, key_id: int) -> None:
        """Close a key; the next request with it is refused."""
        await self.post(f"keys/{key_id}/revoke")

    async def demo(self) -> Any:
        """Run the demo agent through the gateway; returns when it is done."""
        return await self.post("demo", wait_s=120.0)

    async def stop(self) -> None:
        """Ask the gateway to drain and leave."""
        await self.post("stop")

    async def get(self, path: str) -> Any:
        """Return the JSON of `GET /gatescope/<path>`. Raises an AppError where it is refused or unreachable."""
        return await self._ask("GET", path, None, ANSWER_S)

    async def post(self, path: str, value: object = None, *, wait_s: float = ANSWER_S) -> Any:
        """Return the JSON of `POST /gatescope/<path>` with `value` as its JSON body."""
        return await self._ask("POST", path, value, wait_s)

    async def _ask(self, method: str, path: str, value: object, wait_s: float) -> Any:
        http = await self._http()
        if not self._base_url:
            raise UpstreamError(
                "The gateway is not running.", provider="gatescope", hint="Start it on the Gateway page."
            )
        body = msgspec.json.encode({} if value is None else value) if method == "POST" else None
        headers = self._headers() | ({"Content-Type": "application/json"} if body is not None else {})
        url = f"{self._base_url}/gatescope/{path}"
        try:
            limit = http.ClientTimeout(total=wait_s)
            async with self._session.request(method, url, data=body, headers=headers, timeout=limit) as answer:
                return _read_answer(answer.status, await answer.read())
        except (http.ClientError, OSError) as error:
            hint = "It restarts by itself; try again in a moment."
            raise UpstreamError("The gateway cannot be reached.", provider="gatescope", hint=hint) from error

    async def _http(self) -> Any:
        """Return aiohttp, with the session made: imported in a thread, as it takes longer than a few frames."""
        loop = asyncio.get_running_loop()
        http: Any = await loop.run_in_executor(None, importlib.import_module, "aiohttp")
        if self._session is None:
            self._session = http.ClientSession()
        return http

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _follow(self) -> None:
        http = await self._http()
        n_failures = 0
        while True:
            try:
                async for event, data in self._events(http):
                    n_failures = 0
                    self._take(event, data)
            except (http.ClientError, TimeoutError, OSError, UpstreamError) as error:
                _log.info("the live stream is down: %s", error)
            self._set_streaming(False)
            await asyncio.sleep(RETRY_S[min(n_failures, len(RETRY_S) - 1)])
            n_failures += 1

    async def _events(self, http: Any) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (event, data) of the live stream until it ends."""
        limit = http.ClientTimeout(total=None, connect=2.0, sock_read=QUIET_S)
        url = f"{self._base_url}/gatescope/live"
        async with self._session.get(url, headers=self._headers(), timeout=limit) as answer:
            if answer.status != 200:
                raise UpstreamError(f"live answered {answer.status}", provider="gatescope", status=answer.status)
            self._set_streaming(True)
            self.changed.emit(Change(seq=0, is_all=True))
            self._seq = 0
            event, data = "", b""
            async for line in answer.content:
                text = line.rstrip(b"\r\n")
                if not text:
                    if data:
                        yield event, data
                    event, data = "", b""
                elif text.startswith(b"event:"):
                    event = text[6:].strip().decode()
                elif text.startswith(b"data:"):
                    data += text[5:].strip()

    def _take(self, event: str, data: bytes) -> None:
        try:
            if event == "change":
                change = msgspec.json.decode(data, type=Change)
                has_gap = self._seq != 0 and change.seq != self._seq + 1
                self._seq = change.seq
                self.changed.emit(msgspec.structs.replace(change, traces=(), is_all=True) if has_gap else change)
            elif event == "status":
                self._set_status(msgspec.json.decode(data, type=GatewayStatus))
        except msgspec.DecodeError as error:
            _log.warning("the gateway sent a %s that cannot be read: %s", event, error)

    async def _poll(self) -> None:
        """While no stream stands, ask the store whether anything was written."""
        seen: int | None = None
        while True:
            await asyncio.sleep(POLL_S)
            if self.is_streaming:
                seen = None
                continue
            try:
                version = await self._reader.ask("data_version")
            except (AppError, ReaderBug):
                continue
            if seen is not None and version != seen:
                self.changed.emit(Change(seq=0, is_all=True))
            seen = version

    def _set_streaming(self, is_streaming: bool) -> None:
        if is_streaming != self.is_streaming:
            self.is_streaming = is_streaming
            self.stream_changed.emit(is_streaming)

    def _set_status(self, status: GatewayStatus) -> None:
        if status != self.status:
            self.status = status
            self.status_changed.emit(status)


def _read_answer(status: int, body: bytes) -> Any:
    try:
        said = msgspec.json.decode(body) if body.strip() else None
    except msgspec.DecodeError:
        said = None
    if status < 400:
        return said
    fault = said.get("error", said) if isinstance(said, dict) else {}
    message = fault.get("message", "") if isinstance(fault, dict) else str(fault)
    message = message or f"The gateway answered {status}."
    hint = str(fault.get("hint") or "") if isinstance(fault, dict) else ""
    if status in (401, 403):
        raise Refused(message, rule="key", hint=hint)
    raise StoreError(message, hint=hint) if status >= 500 else InputError(message, hint=hint)
