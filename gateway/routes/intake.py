"""The stage that takes in a request's body, once, and reads from it what the way needs: the model, and if to stream."""

import re
from typing import Final

from aiohttp import web

from app.dialects.peek import peek
from app.errors import InputError, Refused
from gateway.exchange import Exchange

_FORM_MODEL: Final = re.compile(rb'name="?model"?(?:\r\n[^\r\n]+)*\r\n\r\n([^\r\n]*)\r\n')
_JSON_TYPES: Final = ("application/json", "text/json")


class Intake:
    """Reads bodies, up to a limit."""

    def __init__(self, max_body_bytes: int) -> None:
        self.max_body_bytes = max_body_bytes
        """May be changed at any time."""

    async def admit(self, exchange: Exchange) -> None:
        """Read the body and what it says. Raises Refused (too large, of a wrong type) or InputError (bad JSON)."""
        request, route = exchange.request, exchange.route
        if route.is_json:
            _check_type(request)
        exchange.body = await self._read(request)
        if route.model_place == "form":
            _read_form(exchange)
        elif exchange.body and (route.model_place == "body" or route.dialect):
            _read_json(exchange)
        elif route.model_place == "body":
            raise InputError("The request has no body.")
        if route.model is not None:
            exchange.model = route.model
        if route.dialect == "gemini" and ":stream" in exchange.path:
            exchange.is_stream = True

    async def _read(self, request: web.BaseRequest) -> bytes:
        stated = request.content_length
        if stated is not None and stated > self.max_body_bytes:
            raise self._too_large(stated)
        if not request.body_exists:
            return b""
        content = request.content
        if content.is_eof():
            return content.read_nowait()
        if request.headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts: list[bytes] = []
        size = 0
        while data := await content.readany():
            size += len(data)
            if size > self.max_body_bytes:
                raise self._too_large(None)
            parts.append(data)
        return b"".join(parts)

    def _too_large(self, size: int | None) -> Refused:
        said = f"of {size / 1e6:.1f} MB " if size is not None else ""
        limit = self.max_body_bytes / 1e6
        return Refused(
            f"The body {said}is larger than the {limit:g} MB that are allowed.",
            rule="size",
            hint="server.max_body_mb in the config sets the limit.",
        )


def _check_type(request: web.BaseRequest) -> None:
    stated = request.headers.get("content-type")
    kind = "" if stated is None else stated.partition(";")[0].strip().lower()
    if request.method in ("POST", "PUT", "PATCH") and stated is not None and not _is_json(kind):
        raise Refused(
            f"The body must be JSON, not {kind or 'of no type'}.",
            rule="content_type",
            hint="Send content-type: application/json.",
        )
    coding = request.headers.get("content-encoding")
    if coding is not None and coding.lower() != "identity":
        raise Refused(
            f"A body compressed with {coding} cannot be read here.", rule="content_type", hint="Send it uncompressed."
        )


def _is_json(kind: str) -> bool:
    return kind in _JSON_TYPES or kind.endswith("+json")


def _read_json(exchange: Exchange) -> None:
    seen = peek(exchange.body)
    exchange.is_stream = seen.is_stream
    if exchange.route.model_place == "body":
        exchange.model, exchange.model_start, exchange.model_end = seen.model, seen.model_start, seen.model_end


def _read_form(exchange: Exchange) -> None:
    match = _FORM_MODEL.search(exchange.body)
    if match is not None:
        exchange.model = match.group(1).decode("utf-8", "replace")
        exchange.model_start, exchange.model_end = match.span(1)
    exchange.is_stream = b'name="stream"\r\n\r\ntrue\r\n' in exchange.body
