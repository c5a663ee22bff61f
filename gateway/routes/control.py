"""`/gatescope/…`: what the desktop and the command line ask of a running gateway.

All but `health` want its token; `translate`, which users ask too, takes a virtual key as well.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from aiohttp import web

from app.errors import AppError, InputError, Refused
from app.models.governance import VirtualKey
from app.store.migrations import SCHEMA
from app.version import VERSION
from gateway.errors import problem_of
from gateway.keys import Keys, as_json
from gateway.live import Live, Status
from gateway.routes.live import stream_live

if TYPE_CHECKING:
    from gateway.local_servers import LocalServer

PREFIX: Final = "/gatescope/"
_MOST_BYTES: Final = 64 * 1024
_MOST_TRANSLATED_BYTES: Final = 32 * 1024 * 1024

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class House(Protocol):
    """The running gateway, as much as control needs of it."""

    live: Live
    keys: Keys

    def is_desktop(self, request: web.BaseRequest) -> bool:
        """Whether a request carries the desktop's token."""

    def status(self) -> Status:
        """How the gateway stands."""

    def facts(self) -> dict[str, object]:
        """What does not change while it runs, and which providers it knows."""

    def check_caller(self, request: web.BaseRequest) -> None:
        """Raise Refused where a request carries neither a live key nor the token."""

    async def translate(self, asked: bytes) -> dict[str, object]:
        """Return what a request would become. Raises InputError or Refused."""

    async def local_servers(self) -> list[LocalServer]:
        """Look for model servers on this machine; return those that answer."""

    async def run_demo(self) -> dict[str, object]:
        """Send the demo agent's calls through the gateway; return what was done."""

    def stop(self, reason: str) -> None:
        """Begin to drain and leave."""

    @property
    def end(self) -> asyncio.Event:
        """Set when the gateway leaves."""


class Control:
    """Answers control requests."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._answers: dict[tuple[str, str], Answer] = {
            ("GET", "status"): self._status,
            ("GET", "live"): self._live,
            ("GET", "keys"): self._list_keys,
            ("GET", "local-servers"): self._local_servers,
            ("POST", "keys"): self._create_key,
            ("GET", "first-key"): self._first_key,
            ("POST", "demo"): self._demo,
            ("POST", "stop"): self._stop,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; an error is told as JSON."""
        path = request.raw_path.partition("?")[0].removeprefix(PREFIX).rstrip("/")
        try:
            if path == "health":
                return _json(health())
            if path == "translate" and request.method == "POST":
                self._house.check_caller(request)
                return _json(await self._house.translate(await _read(request, _MOST_TRANSLATED_BYTES)))
            if not self._house.is_desktop(request):
                raise Refused("This needs the desktop's token.", rule="key", hint="It stands in gateway.json.")
            return await self._answer(request, path)
        except AppError as error:
            problem = problem_of(error)
            said = {"message": error.message, "hint": error.hint, "code": problem.code}
            return _json({"error": said}, problem.status)

    async def _answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        answer = self._answers.get((request.method, path))
        if answer is not None:
            return await answer(request)
        first, _, rest = path.partition("/")
        key_id, _, verb = rest.partition("/")
        if request.method == "POST" and first == "keys" and verb == "revoke" and key_id.isdigit():
            return _json(as_json(await self._house.keys.revoke(int(key_id))))
        is_known = any(path == known for _, known in self._answers)
        rule = "method" if is_known else "path"
        raise Refused(f"There is no {request.method} {PREFIX}{path}.", rule=rule)

    async def _status(self, _request: web.BaseRequest) -> web.StreamResponse:
        return _json(self._house.facts() | msgspec.to_builtins(self._house.status()))

    async def _live(self, request: web.BaseRequest) -> web.StreamResponse:
        return await stream_live(request, self._house.live, self._house.status, self._house.end)

    async def _list_keys(self, _request: web.BaseRequest) -> web.StreamResponse:
        return _json({"keys": [as_json(key) for key in await self._house.keys.listed()]})

    async def _local_servers(self, _request: web.BaseRequest) -> web.StreamResponse:
        return _json({"servers": msgspec.to_builtins(await self._house.local_servers())})

    async def _create_key(self, request: web.BaseRequest) -> web.StreamResponse:
        name = (await _body(request)).get("name")
        if not isinstance(name, str):
            raise InputError('A new key wants a name: {"name": "…"}.')
        key, text = await self._house.keys.create(name)
        return _json(_made(key, text), 201)

    async def _first_key(self, _request: web.BaseRequest) -> web.StreamResponse:
        text, why = await self._house.keys.first()
        return _json({"key": text, "reason": why})

    async def _demo(self, _request: web.BaseRequest) -> web.StreamResponse:
        return _json(await self._house.run_demo())

    async def _stop(self, _request: web.BaseRequest) -> web.StreamResponse:
        asyncio.get_running_loop().call_soon(self._house.stop, "asked to over the control API")
        return _json({"stopping": True}, 202)


def health() -> dict[str, object]:
    """Return what anyone may know: that it is us, and which."""
    return {"app": "gatescope", "version": VERSION, "pid": os.getpid(), "schema": SCHEMA}


def _made(key: VirtualKey, text: str) -> dict[str, object]:
    return as_json(key) | {"key": text}


async def _read(request: web.BaseRequest, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = request.content_length or 0
    while size <= most_bytes and (data := await request.content.readany()):
        parts.append(data)
        size = max(size, sum(map(len, parts)))
    if size > most_bytes:
        raise Refused("The body is too large.", rule="size")
    return b"".join(parts)


async def _body(request: web.BaseRequest) -> dict[str, Any]:
    raw = await _read(request, _MOST_BYTES)
    try:
        said = msgspec.json.decode(raw or b"{}")
    except msgspec.DecodeError as error:
        raise InputError(f"The body is not JSON: {error}.") from error
    if not isinstance(said, dict):
        raise InputError("The body must be a JSON object.")
    return said


def _json(value: object, status: int = 200) -> web.Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return web.Response(body=msgspec.json.encode(value), status=status, headers=headers)
