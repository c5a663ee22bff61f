"""Google's Vertex AI: Gemini and Claude under a project's address, with Google's own sign-in.

Tokens come from Application Default Credentials through the package `google-auth`, which is loaded when the first one
is wanted. A key (express mode) needs neither the package nor a project, and reaches Gemini alone.
https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest
"""

import asyncio
import dataclasses
import os
import threading
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from app.config import ProviderConfig
from app.dialects.bedrock_invoke import hosted_body
from app.errors import Refused, SetupError
from gateway.providers.adapter import Outgoing, Unframer

CLAUDE_VERSION: Final = "vertex-2023-10-16"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_REGIONS: Final = ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION", "CLOUD_ML_REGION")
_PROJECTS: Final = ("GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID")
_USUAL_REGION: Final = "global"
_REGIONAL_HOST: Final = "{region}-aiplatform.googleapis.com"
_OTHER_HOSTS: Final = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}
"""Of places that are no single region."""


class VertexAdapter:
    """Speaks to Vertex. On the event loop; signing in waits in a thread."""

    def __init__(self) -> None:
        self._found: dict[str | None, tuple[Any, str | None]] = {}
        """Credentials and their project by the file they come from; None: the usual places."""
        self._lock = threading.Lock()

    async def prepare(self, provider: ProviderConfig, outgoing: Outgoing) -> Outgoing:
        """Return the request with its address and a token, or a key.

        Raises Refused where credentials or a project are missing, SetupError where `google-auth` is.
        """
        headers = tuple(pair for pair in outgoing.headers if pair[0].lower() != "anthropic-version")
        if outgoing.secret:
            if outgoing.dialect != "gemini":
                raise Refused(
                    "A key of Vertex's express mode reaches Gemini alone.",
                    rule="provider_key",
                    hint="Leave the key out, and sign in with gcloud auth application-default login.",
                )
            url = _keyed_url(provider, outgoing)
            return dataclasses.replace(outgoing, url=url, headers=(*headers, ("x-goog-api-key", outgoing.secret)))
        token, found_project, paying_project = await asyncio.to_thread(self._token, provider.profile)
        project = provider.project or _first(_PROJECTS) or found_project
        if project is None:
            raise Refused(
                "No Google Cloud project is named for Vertex.",
                rule="provider_key",
                hint=f"Set project in the provider's config, or {_PROJECTS[0]} where the gateway runs.",
            )
        headers = (*headers, ("authorization", f"Bearer {token}"))
        if paying_project is not None:
            headers = (*headers, ("x-goog-user-project", paying_project))
        region = provider.region or _first(_REGIONS) or _USUAL_REGION
        place = f"{_base(provider, region)}/projects/{quote(project, safe='')}/locations/{quote(region, safe='')}"
        if outgoing.dialect == "anthropic":
            return _claude(place, outgoing, headers)
        return dataclasses.replace(outgoing, url=place + _rest(outgoing), headers=headers)

    def unframer(self, provider: ProviderConfig, dialect: str, content_type: str) -> Unframer | None:
        """Return None: Vertex streams as its dialects have it."""
        return None

    def _token(self, file: str | None) -> tuple[str, str | None, str | None]:
        """Return a token that is still good, the project found with it, and the one that pays; in a thread."""
        try:
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import Request
        except ImportError as error:
            raise SetupError(
                "Vertex is signed in to by the package google-auth, which is not installed.",
                hint='Run pip install "gatescope[vertex]".',
            ) from error
        with self._lock:
            try:
                if file not in self._found:
                    self._found[file] = _credentials(file)
                credentials, project = self._found[file]
                if not credentials.valid:
                    credentials.refresh(Request())
            except (GoogleAuthError, OSError, ValueError) as error:
                self._found.pop(file, None)
                raise Refused(
                    f"There are no Google credentials for Vertex: {error}.",
                    rule="provider_key",
                    hint="Run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a file.",
                ) from error
            return str(credentials.token), project, getattr(credentials, "quota_project_id", None)


def _credentials(file: str | None) -> tuple[Any, str | None]:
    """Return the credentials of a service account's file, or those of the usual places, and their project."""
    import google.auth
    from google.oauth2.service_account import Credentials

    if file is None:
        found: tuple[Any, str | None] = google.auth.default([_SCOPE])
        return found
    load: Any = Credentials.from_service_account_file  # it has no types
    account = load(file, scopes=[_SCOPE])
    return account, account.project_id


def _claude(place: str, outgoing: Outgoing, headers: tuple[tuple[str, str], ...]) -> Outgoing:
    """Return a messages request as Vertex wants it: the model is in the path, the version in the body.

    https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
    """
    models = f"{place}/publishers/anthropic/models"
    path = urlsplit(outgoing.url).path
    if not path.endswith(("/messages", "/messages/count_tokens")):
        hint = "Of Anthropic's API it has /v1/messages and /v1/messages/count_tokens alone."
        raise Refused(f"Vertex has no {path.rpartition('/')[2]} of Claude's.", rule="path", hint=hint)
    if path.endswith("/count_tokens"):
        url = f"{models}/count-tokens:rawPredict"
        body = hosted_body(outgoing.body, CLAUDE_VERSION, drop=())
    else:
        verb = "streamRawPredict" if outgoing.is_stream else "rawPredict"
        url = f"{models}/{quote(outgoing.model, safe='@')}:{verb}"
        body = hosted_body(outgoing.body, CLAUDE_VERSION, drop=("model",))
    return dataclasses.replace(outgoing, url=url, headers=headers, body=body)


def _rest(outgoing: Outgoing) -> str:
    """Return the path behind the place: a model of Google's and what is asked of it, or Vertex's OpenAI endpoint."""
    parts = urlsplit(outgoing.url)
    if outgoing.dialect.startswith("openai"):
        return "/endpoints/openapi" + parts.path[parts.path.rfind("/v1/") + 3 :]
    verb = parts.path.rpartition(":")[2] if ":" in parts.path.rpartition("/")[2] else ""
    verb = verb or ("streamGenerateContent" if outgoing.is_stream else "generateContent")
    publisher, slash, name = outgoing.model.removeprefix("publishers/").partition("/models/")
    owner = publisher if slash else "google"
    model = name if slash else outgoing.model.removeprefix("models/").removeprefix("google/")
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("key", "alt")]
    if verb == "streamGenerateContent":
        query.append(("alt", "sse"))
    asked = f"?{urlencode(query)}" if query else ""
    return f"/publishers/{quote(owner, safe='')}/models/{quote(model, safe='@')}:{verb}{asked}"


def _keyed_url(provider: ProviderConfig, outgoing: Outgoing) -> str:
    """Return the address of express mode, which has no project and no place.

    https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/vertex-ai-express-mode-api-reference
    """
    return _base(provider, _USUAL_REGION) + _rest(outgoing)


def _base(provider: ProviderConfig, region: str) -> str:
    host = _OTHER_HOSTS.get(region)
    base = provider.base_url
    return (base.replace(_REGIONAL_HOST, host) if host else base).replace("{region}", region)


def _first(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
