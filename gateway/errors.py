"""From an exception to what the client reads: the status, and a body in the words of its own dialect.

exception        status                        code
InputError       400 (413, 415 where stated)   invalid_request …
Refused          401 403 404 429 by its rule
UpstreamError    502; 504 for a timeout
StoreError       503
anything else    500, logged with its traceback: a bug of ours
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

import msgspec

from app.errors import AppError, InputError, Refused, SetupError, StoreError
from app.models.span import Failure
from gateway.routes.route import Family
from gateway.upstream.failures import UpstreamCut, UpstreamTimeout

_RULE_STATUS: Final = {
    "key": 401,
    "provider_key": 401,
    "host": 403,
    "origin": 403,
    "passthrough": 403,
    "model": 404,
    "path": 404,
    "provider": 404,
    "method": 405,
    "dialect": 400,
    "size": 413,
    "content_type": 415,
    "limit": 429,
    "budget": 429,
    "draining": 503,
}
_OPENAI_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    415: "invalid_request_error",
    405: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
}
_GEMINI_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "INVALID_ARGUMENT",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, ready to be said in any dialect."""

    status: int
    code: str
    message: str
    kind: str
    """As in `app.models.span.Failure.kind`."""
    retry_after_s: float | None = None

    def failure(self) -> Failure:
        """Return it as what the record keeps."""
        return Failure(self.kind, self.message, self.status)


async def outcome(work: Awaitable[None]) -> Problem | None:
    """Return what went wrong in `work`, None where nothing did. A cancellation and a client that left fly on."""
    try:
        await work
    except (asyncio.CancelledError, ConnectionError):
        raise
    except AppError as error:
        return problem_of(error)
    except Exception as error:
        _log.exception("A call failed through a fault of ours")
        return Problem(500, "internal_error", f"A fault of the gateway: {type(error).__name__}.", "gateway")
    return None


def problem_of(error: AppError) -> Problem:
    """Return how an expected error is told."""
    text = str(error)
    match error:
        case InputError():
            return Problem(400, error.code, text, "invalid")
        case Refused(rule=rule):
            status = _RULE_STATUS.get(rule, 403)
            kind = "invalid" if status in (400, 405, 413, 415) else "refused"
            return Problem(status, _code_of(rule), text, kind, error.retry_after_s)
        case UpstreamTimeout():
            return Problem(504, "upstream_timeout", text, "timeout")
        case UpstreamCut():
            return Problem(502, "upstream_cut", text, "cut")
        case StoreError() | SetupError():
            return Problem(503, error.code, text, "gateway")
        case _:
            return Problem(502, "upstream_error", text, "upstream")


def error_body(family: Family, problem: Problem, request_id: str) -> bytes:
    """Return the body of an error answer as the client's SDK expects it, the request id in it."""
    status, message = problem.status, f"{problem.message} (request {request_id})"
    if family == "anthropic":
        error = {"type": _ANTHROPIC_TYPES.get(status, "api_error"), "message": message}
        return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})
    if family == "gemini":
        info = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": request_id}
        state = _GEMINI_STATUSES.get(status, "INTERNAL")
        return msgspec.json.encode({"error": {"code": status, "message": message, "status": state, "details": [info]}})
    return msgspec.json.encode({"error": _openai_error(problem, message), "request_id": request_id})


def error_headers(family: Family, problem: Problem, request_id: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of an error answer: where each SDK looks for the request id, and when to come back."""
    named = {"anthropic": b"request-id", "openai": b"x-request-id"}.get(family)
    pairs = [(b"content-type", b"application/json"), (b"x-gatescope-request-id", request_id.encode())]
    if named:
        pairs.append((named, request_id.encode()))
    if problem.retry_after_s is not None:
        pairs.append((b"retry-after", b"%d" % max(1, round(problem.retry_after_s))))
    return pairs


def error_event(family: Family, dialect: str, problem: Problem, request_id: str, response_id: str | None) -> bytes:
    """Return the event that ends a stream which cannot go on."""
    message = f"{problem.message} (request {request_id})"
    if family == "anthropic":
        error = {"type": _ANTHROPIC_TYPES.get(problem.status, "api_error"), "message": message}
        data = msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})
        return b"event: error\ndata: " + data + b"\n\n"
    if family == "gemini":
        return b"data: " + error_body(family, problem, request_id) + b"\r\n\r\n"
    if dialect == "openai_responses":
        response = {
            "id": response_id or request_id,
            "object": "response",
            "status": "failed",
            "error": {"code": "server_error", "message": message},
            "output": [],
        }
        return (
            b"event: response.failed\ndata: "
            + msgspec.json.encode({"type": "response.failed", "response": response})
            + b"\n\n"
        )
    return b"data: " + msgspec.json.encode({"error": _openai_error(problem, message)}) + b"\n\n"


def _openai_error(problem: Problem, message: str) -> dict[str, str | None]:
    fallback = "server_error" if problem.status >= 500 else "invalid_request_error"
    return {
        "message": message,
        "type": _OPENAI_TYPES.get(problem.status, fallback),
        "param": None,
        "code": problem.code,
    }


def _code_of(rule: str) -> str:
    return {
        "key": "invalid_api_key",
        "model": "model_not_found",
        "provider_key": "provider_key_missing",
        "size": "request_too_large",
        "content_type": "unsupported_media_type",
        "path": "unknown_url",
        "limit": "rate_limit_exceeded",
    }.get(rule, f"{rule}_refused")
