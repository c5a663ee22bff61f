"""From a path to a route: every address that we answer, and for the rest an error that names the right one."""

import re
from collections.abc import Callable, Container
from typing import Final

from app.errors import Refused
from gateway.routes.route import Family, Route

_OPENAI: Final[dict[str, Route]] = {
    "/v1/chat/completions": Route("openai", "openai_chat", "chat", "body"),
    "/v1/completions": Route("openai", "openai_completions", "completion", "body"),
    "/v1/embeddings": Route("openai", "openai_embeddings", "embeddings", "body"),
    "/v1/responses": Route("openai", "openai_responses", "chat", "body"),
    "/v1/responses/input_tokens": Route("openai", "openai_responses", "count_tokens", "body"),
    "/v1/responses/compact": Route("openai", "openai_responses", "compact", "body"),
    "/v1/moderations": Route("openai", "", "moderation", "body"),
    "/v1/images/generations": Route("openai", "", "images", "body"),
    "/v1/images/edits": Route("openai", "", "images", "form"),
    "/v1/images/variations": Route("openai", "", "images", "form"),
    "/v1/audio/speech": Route("openai", "", "audio", "body"),
    "/v1/audio/transcriptions": Route("openai", "", "audio", "form"),
    "/v1/audio/translations": Route("openai", "", "audio", "form"),
    "/v1/rerank": Route("openai", "", "rerank", "body"),
    "/v2/rerank": Route("openai", "", "rerank", "body"),
}
_ANTHROPIC: Final[dict[str, Route]] = {
    "/v1/messages": Route("anthropic", "anthropic", "chat", "body"),
    "/v1/messages/count_tokens": Route("anthropic", "anthropic", "count_tokens", "body"),
}
_EXACT: Final = _OPENAI | _ANTHROPIC
_OPERATIONS: Final = {
    "files": "files",
    "uploads": "files",
    "images": "images",
    "audio": "audio",
    "models": "models",
    "moderations": "moderation",
    "responses": "response_get",
    "conversations": "conversation",
}
_OPENAI_AREAS: Final = {
    *("files", "uploads", "batches", "images", "audio", "fine_tuning", "vector_stores", "conversations", "containers"),
    *("videos", "assistants", "threads", "evals", "realtime"),
}
_GEMINI: Final = re.compile(r"/(v1|v1beta|v1alpha)/(?:models/)?((?:tunedModels/)?.+):([A-Za-z]+)")
_GEMINI_VERSION: Final = re.compile(r"(?:/upload)?/(?:v1beta|v1alpha)(?:/|$)")
_GEMINI_CALLS: Final = {
    "generateContent": ("gemini", "chat"),
    "streamGenerateContent": ("gemini", "chat"),
    "countTokens": ("gemini", "count_tokens"),
    "embedContent": ("", "embeddings"),
    "batchEmbedContents": ("", "embeddings"),
    "predict": ("", "images"),
    "predictLongRunning": ("", "other"),
    "generateAnswer": ("", "other"),
}
_RESPONSE: Final = re.compile(r"/v1/responses/([^/]+)(?:/(cancel|input_items))?")

HasHeader = Callable[[str], bool]


def find_route(method: str, path: str, has_header: HasHeader, providers: Container[str]) -> Route:
    """Return the route of a path (without its query). Raises Refused, with the right path, for one that we do not have.

    `providers` are the names that may begin a path.
    """
    route = _EXACT.get(path)
    if route is not None:
        _check_method(method, path, "POST")
        return route
    first, _, rest = path[1:].partition("/")
    if first in providers and rest:
        return Route("openai", "", "other", provider=first, upstream_path="/" + rest)
    found = _gemini(path) or _stored_response(method, path) or _models(path, has_header) or _area(path, has_header)
    if found is None:
        raise _unknown(method, path)
    return found


def known_route(method: str, path: str) -> Route | None:
    """Return the route that a path has at a provider, None for one that we only pass on. Never refuses."""
    at = path.find("/v1/")
    versioned = path[at:] if at >= 0 else "/v1" + path
    if method == "POST" and versioned in _EXACT:
        return _EXACT[versioned]
    return _gemini(path) or _stored_response(method, versioned)


def operation_of(path: str) -> str:
    """Return the operation for a path that no route knows."""
    return next((_OPERATIONS[part] for part in path.split("/") if part in _OPERATIONS), "other")


def _check_method(method: str, path: str, wanted: str) -> None:
    if method != wanted:
        raise Refused(f"{path} takes {wanted}, not {method}.", rule="method")


def _gemini(path: str) -> Route | None:
    match = _GEMINI.fullmatch(path)
    if match is not None:
        dialect, operation = _GEMINI_CALLS.get(match.group(3), ("", "other"))
        return Route("gemini", dialect, operation, "path", model=match.group(2))
    if _GEMINI_VERSION.match(path) and not path.endswith("/models") and "/models/" not in path:
        return Route("gemini", "", operation_of(path))
    return None


def _stored_response(method: str, path: str) -> Route | None:
    match = _RESPONSE.fullmatch(path)
    if match is None:
        return None
    verb = {"DELETE": "response_delete", "GET": "response_get", "POST": "response_cancel"}.get(method, "other")
    # Only GET answers with a response (or its stream); the reader of the dialect is for that one.
    dialect = "openai_responses" if verb == "response_get" and match.group(2) is None else ""
    return Route("openai", dialect, verb, response_id=match.group(1))


def _models(path: str, has_header: HasHeader) -> Route | None:
    for prefix in ("/v1/models", "/v1beta/models", "/v1alpha/models"):
        if path == prefix or path.startswith(prefix + "/"):
            name = path[len(prefix) + 1 :] or None
            family: Family = "openai" if prefix == "/v1/models" else "gemini"
            if family == "openai" and has_header("anthropic-version"):
                family = "anthropic"
            elif has_header("x-goog-api-key"):  # Google's SDK asks for lists under /v1
                family = "gemini"
            return Route(family, "", "models", model=name)
    return None


def _area(path: str, has_header: HasHeader) -> Route | None:
    parts = path.split("/")
    if len(parts) < 3 or parts[1] != "v1":
        return None
    if parts[2] == "messages" or has_header("anthropic-version"):
        return Route("anthropic", "", operation_of(path))
    if parts[2] in _OPENAI_AREAS:
        return Route("openai", "", operation_of(path))
    return None


def _unknown(method: str, path: str) -> Refused:
    bare = path.rstrip("/") or "/"
    while bare.startswith("/v1/v1"):
        bare = bare[3:]
    versioned = bare if bare.startswith("/v1/") else "/v1" + bare
    if versioned in _EXACT:
        part = "without /v1" if versioned in _ANTHROPIC else "ending in /v1"
        hint = f"Set the SDK's base_url to this gateway's address {part}: the call then comes to {versioned}."
    else:
        hint = (
            "The gateway serves /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/messages, "
            "/v1beta/models/…:generateContent and /{provider}/… for each provider."
        )
    return Refused(f"There is nothing at {method} {path}.", rule="path", hint=hint)
