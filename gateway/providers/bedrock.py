"""Amazon Bedrock: requests signed as AWS wants them (Signature Version 4), or sent with a Bedrock API key.

Converse speaks for itself; Claude is also asked in Anthropic's own dialect, through InvokeModel. Signing needs the
package `botocore`, which is loaded when the first request is signed.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
"""

import asyncio
import dataclasses
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from app.config import ProviderConfig
from app.dialects.bedrock_invoke import VERSION, ClaudeFrames, hosted_body
from app.dialects.eventstream import CONTENT_TYPE
from app.errors import Refused, SetupError
from gateway.providers.adapter import Outgoing, Unframer

if TYPE_CHECKING:
    from botocore.session import Session

_SERVICE: Final = "bedrock"
_TOKEN: Final = "AWS_BEARER_TOKEN_BEDROCK"
_REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
_MEMORY_S: Final = 300.0
"""For so long what was found in AWS's files is believed; credentials that run out are renewed by themselves."""
_ANTHROPICS: Final = frozenset({"anthropic-version", "anthropic-beta"})


class BedrockAdapter:
    """Speaks to Bedrock. On the event loop; AWS's files, its metadata services and the signing wait in a thread."""

    def __init__(self) -> None:
        self._sessions: dict[str | None, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    async def prepare(self, provider: ProviderConfig, outgoing: Outgoing) -> Outgoing:
        """Return the request with its address, its body and what proves who sends it.

        Raises Refused where neither a key nor AWS credentials are found or no region is named, and where Bedrock has
        no such call; SetupError where `botocore` is wanted and not there.
        """
        if outgoing.dialect == "anthropic":
            outgoing = _claude(provider, outgoing)
        token = outgoing.secret or (os.environ.get(_TOKEN) if provider.api_key is None else None)
        if token:
            region = _region_of(provider, outgoing.url)
            if region is None and "{region}" in outgoing.url:
                region = await asyncio.to_thread(self._stated_region, provider)
            headers = (*_with_type(outgoing.headers), ("authorization", f"Bearer {token}"))
            return dataclasses.replace(outgoing, url=_filled(outgoing.url, region), headers=headers)
        return await asyncio.to_thread(self._sign, provider, outgoing)

    def unframer(self, provider: ProviderConfig, dialect: str, content_type: str) -> Unframer | None:
        """Return what takes Claude's events out of their frames; Converse's own dialect is the frames."""
        return ClaudeFrames() if dialect == "anthropic" and CONTENT_TYPE in content_type else None

    def _sign(self, provider: ProviderConfig, outgoing: Outgoing) -> Outgoing:
        """Sign; in a thread."""
        session = self._session(provider.profile)
        region = _region_of(provider, outgoing.url) or self._stated_region(provider)
        if region is None:
            raise _no_region()
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = session.get_credentials()
            credentials = found.get_frozen_credentials() if found is not None else None
        except (BotoCoreError, ClientError, OSError) as error:
            raise _no_credentials(provider, f"AWS says: {error}") from error
        if credentials is None or not credentials.access_key:
            raise _no_credentials(provider, "AWS's usual places hold none")
        url = _filled(outgoing.url, region)
        signed = AWSRequest(outgoing.method, url, dict(_with_type(outgoing.headers)), outgoing.body)
        SigV4Auth(credentials, _SERVICE, region).add_auth(signed)
        headers = tuple((name.lower(), str(value)) for name, value in signed.headers.items())
        return dataclasses.replace(outgoing, url=url, headers=headers)

    def _stated_region(self, provider: ProviderConfig) -> str | None:
        """Return the region that AWS's files name for the profile, None where nothing does or nobody can read them."""
        try:
            session = self._session(provider.profile)
        except SetupError:
            return None
        region: str | None = session.get_config_variable("region")
        return region

    def _session(self, profile: str | None) -> "Session":
        """Return AWS's own finder of credentials. Raises SetupError where it is not installed."""
        try:
            from botocore.exceptions import ProfileNotFound
            from botocore.session import Session
        except ImportError as error:
            raise SetupError(
                "Requests to Bedrock are signed by the package botocore, which is not installed.",
                hint=f'Run pip install "gatescope[bedrock]", or set {_TOKEN} to a Bedrock API key.',
            ) from error
        with self._lock:
            known = self._sessions.get(profile)
            now = time.monotonic()
            if known is not None and now - known[0] < _MEMORY_S:
                return known[1]
            session = Session(profile=profile)
            try:
                session.get_credentials()
            except ProfileNotFound as error:
                hint = "Name one of ~/.aws/config as profile in the config, or none."
                raise Refused(f"AWS knows no profile {profile!r}.", rule="provider_key", hint=hint) from error
            self._sessions[profile] = (now, session)
            return session


def _claude(provider: ProviderConfig, outgoing: Outgoing) -> Outgoing:
    """Return a messages request as InvokeModel wants it: model and stream are in the path, the version in the body."""
    path = urlsplit(outgoing.url).path
    if not path.endswith("/messages"):
        hint = "Of Anthropic's API it has /v1/messages alone."
        raise Refused(f"Bedrock has no {path[path.rfind('/v1') :]}.", rule="path", hint=hint)
    verb = "invoke-with-response-stream" if outgoing.is_stream else "invoke"
    model = quote(outgoing.model, safe="")
    named = [value for name, value in outgoing.headers if name.lower() == "anthropic-beta"]
    betas = [beta.strip() for value in named for beta in value.split(",") if beta.strip()]
    return dataclasses.replace(
        outgoing,
        url=f"{provider.base_url}/model/{model}/{verb}",
        headers=tuple(pair for pair in outgoing.headers if pair[0].lower() not in _ANTHROPICS),
        body=hosted_body(outgoing.body, VERSION, drop=("model", "stream"), betas=betas),
    )


def _region_of(provider: ProviderConfig, url: str) -> str | None:
    """Return the region that the config, the address or the environment names."""
    if provider.region:
        return provider.region
    host = (urlsplit(url).hostname or "").split(".")
    if host[0].startswith("bedrock-runtime") and len(host) > 2 and "{" not in host[1]:
        return host[1]
    return next((os.environ[name] for name in _REGIONS if os.environ.get(name)), None)


def _filled(url: str, region: str | None) -> str:
    if "{region}" not in url:
        return url
    if region is None:
        raise _no_region()
    return url.replace("{region}", region)


def _with_type(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return (*headers, ("content-type", "application/json"))


def _no_region() -> Refused:
    return Refused(
        "No AWS region is named for Bedrock.",
        rule="provider_key",
        hint=f"Set region in the provider's config, or {_REGIONS[0]} where the gateway runs.",
    )


def _no_credentials(provider: ProviderConfig, why: str) -> Refused:
    where = f" in the profile {provider.profile!r}" if provider.profile else ""
    return Refused(
        f"There are no AWS credentials for Bedrock{where}: {why}.",
        rule="provider_key",
        hint=f"Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in the config, or {_TOKEN}.",
    )
