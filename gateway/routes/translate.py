"""`POST /gatescope/translate`: what a request would become for a model, and what would be lost; nothing is sent.

{"dialect": "openai_chat", "model": "claude-sonnet-4-5", "request": {…}}  →
{"provider", "model", "dialect", "is_translated", "url", "headers", "body", "losses": [{"field", "reason", "kind"}]}

`dialect` may be left out where the request tells it. Without `model` the request's own is taken.
"""

from typing import Any, Final

import msgspec

from app.catalog import target_of
from app.config import Config
from app.dialects.registry import reader_of
from app.errors import InputError
from app.redact import redact_url
from gateway.crossing import write
from gateway.routes.route import Family
from gateway.routing.planner import find_model

DIALECTS: Final = ("openai_chat", "openai_responses", "anthropic", "gemini")
_FAMILIES: Final[dict[str, Family]] = {"anthropic": "anthropic", "gemini": "gemini"}


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked."""

    request: msgspec.Raw
    model: str | None = None
    dialect: str | None = None
    stream: bool | None = None
    """Gemini's requests do not say it themselves."""


def translate(config: Config, asked: bytes) -> dict[str, object]:
    """Return what a request would become.

    Raises InputError for a question that cannot be read or a request that cannot be carried, Refused for a model that
    nobody has.
    """
    question = _question(asked)
    body = bytes(question.request)
    dialect = question.dialect or dialect_of(body)
    reader = reader_of(dialect)
    if dialect not in DIALECTS or reader is None:
        raise InputError(f"{dialect!r} is no dialect of clients.", hint=f"Take one of {', '.join(DIALECTS)}.")
    request = reader.read_request(body)
    if question.stream is not None:
        request = msgspec.structs.replace(request, is_stream=question.stream)
    name = question.model or request.model
    if not name:
        raise InputError("The request names no model.", hint='Say which: {"model": "…", "request": {…}}.')
    provider_name, found = find_model(config, dialect, _FAMILIES.get(dialect, "openai"), name)
    provider, model = config.providers[provider_name], found or name
    said = {"provider": provider_name, "model": model}
    if provider.speaks(dialect):
        value = msgspec.json.decode(body)
        return said | {"dialect": dialect, "is_translated": False, "body": value | {"model": model}, "losses": []}
    written = write(request, target_of(provider_name, provider, model, provider.dialect))
    return said | {
        "dialect": provider.dialect,
        "is_translated": True,
        "url": redact_url(provider.address(written.path)),
        "headers": dict(written.headers),
        "body": msgspec.json.decode(written.body),
        "losses": [{"field": loss.field, "reason": loss.reason, "kind": loss.kind} for loss in written.losses],
    }


def dialect_of(body: bytes) -> str:
    """Return the dialect a request is written in, told from its fields. Raises InputError where they do not tell."""
    try:
        value: Any = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise InputError(f"The request is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InputError("The request must be a JSON object.")
    if "contents" in value:
        return "gemini"
    if "input" in value:
        return "openai_responses"
    if "messages" not in value:
        raise InputError("The request's dialect cannot be told.", hint=f"Name it: one of {', '.join(DIALECTS)}.")
    return "anthropic" if _looks_anthropic(value) else "openai_chat"


def _looks_anthropic(value: dict[str, Any]) -> bool:
    tools = value.get("tools")
    has_schemas = isinstance(tools, list) and any(isinstance(tool, dict) and "input_schema" in tool for tool in tools)
    return "system" in value or has_schemas or "stop_sequences" in value or "thinking" in value


def _question(asked: bytes) -> Question:
    try:
        return msgspec.json.decode(asked, type=Question)
    except msgspec.DecodeError as error:
        hint = 'It looks like {"dialect": "openai_chat", "model": "…", "request": {…}}.'
        raise InputError(f"The question cannot be read: {error}.", hint=hint) from error
