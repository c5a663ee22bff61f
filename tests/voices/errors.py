"""How each vendor says that something went wrong: as an answer of its own, and in the middle of a stream."""

import json
from typing import Any

from fake_upstream import Answer
from voices.bedrock import frame
from voices.script import event

_GEMINI = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}
_ANTHROPIC = {400: "invalid_request_error", 429: "rate_limit_error", 500: "api_error", 503: "overloaded_error"}
_OPENAI = {400: "invalid_request_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}


def error_body(dialect: str, status: int, message: str) -> dict[str, Any]:
    """The JSON of an error answer."""
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": _ANTHROPIC[status], "message": message}}
    if dialect == "gemini":
        return {"error": {"code": status, "message": message, "status": _GEMINI[status]}}
    if dialect in ("bedrock", "cohere"):
        return {"message": message}
    if dialect == "mistral":
        return {"object": "error", "message": message, "type": "invalid_request", "param": None, "code": "1000"}
    if dialect == "ollama":
        return {"error": message}
    return {"error": {"message": message, "type": _OPENAI[status], "param": None, "code": None}}


def error(dialect: str, status: int, message: str) -> Answer:
    """An error instead of an answer."""
    headers = [("content-type", "application/json"), ("retry-after", "7"), ("x-request-id", "up-1")]
    return Answer(status, json.dumps(error_body(dialect, status, message)).encode(), headers=headers)


def error_inside(dialect: str, message: str) -> bytes:
    """An error as an event of a stream."""
    if dialect == "anthropic":
        return event(error_body(dialect, 503, message), "error")
    if dialect == "gemini":
        return event(error_body(dialect, 503, message), end="\r\n")
    if dialect == "openai_responses":
        failed = {"id": "resp_v1", "object": "response", "status": "failed", "output": []}
        wrong = {"code": "server_error", "message": message}
        return event({"type": "response.failed", "response": failed | {"error": wrong}}, "response.failed")
    if dialect == "bedrock":
        return frame("modelStreamErrorException", {"message": message}, kind="exception")
    if dialect == "cohere":
        delta = {"finish_reason": "ERROR", "error": message}
        return event({"type": "message-end", "delta": delta}, "message-end")
    if dialect == "ollama":
        return json.dumps({"error": message}).encode() + b"\n"
    return event({"error": {"message": message, "type": "server_error", "code": None}})
