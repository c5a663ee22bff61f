"""What the first request was, why it failed where it did, and what to do about it (UX H4, H5). Pure; no Qt."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from app.models.span import Status
from app.models.trace import SpanDetail


class Remedy(Enum):
    """What the button beside a failed first request does."""

    NONE = ""
    COPY_URL = "Copy the base URL"
    COPY_URL_V1 = "Copy the base URL with /v1"
    COPY_KEY = "Copy the key"
    DEMO = "Send a demo run instead"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a person reads when a request came."""

    title: str
    text: str
    is_good: bool
    remedy: Remedy = Remedy.NONE


_CLIENTS: Final = (
    (re.compile(r"anthropic", re.I), "Anthropic SDK"),
    (re.compile(r"openai", re.I), "OpenAI SDK"),
    (re.compile(r"google-genai|genai", re.I), "Google GenAI SDK"),
    (re.compile(r"langchain", re.I), "LangChain"),
    (re.compile(r"curl", re.I), "curl"),
)
_LANGUAGES: Final = (("python", "Python"), ("js", "JavaScript"), ("node", "JavaScript"))


def arrival_of(span: SpanDetail) -> Arrival:
    """Return what to say of a request that came."""
    who = client_of(span)
    what = f" for {span.requested_model or span.model}" if span.requested_model or span.model else ""
    title = f"{who} sent {span.method} {span.path.partition('?')[0]}{what}"
    if span.status == Status.RUNNING:
        return Arrival(title, "It is being answered now.", True)
    if span.status == Status.OK:
        return Arrival(title, "It was answered and recorded.", True)
    why, remedy = _failure(span)
    return Arrival(title, why, False, remedy)


def client_of(span: SpanDetail) -> str:
    """Return the client's name by its User-Agent: `OpenAI SDK (Python)`."""
    agent = next((value for name, value in span.request_headers if name.lower() == "user-agent"), "")
    name = next((name for pattern, name in _CLIENTS if pattern.search(agent)), "")
    if not name:
        return agent.partition("/")[0] or "A client"
    language = next((word for part, word in _LANGUAGES if part in agent.lower()), "")
    return f"{name} ({language})" if language and name != "curl" else name


def _failure(span: SpanDetail) -> tuple[str, Remedy]:
    path = span.path.partition("?")[0]
    said = span.failure.message if span.failure else ""
    is_ours = span.failure is not None and span.failure.kind == "refused"
    if "/v1/v1" in path:
        return "The path has /v1 twice: this SDK adds /v1 itself, so the base URL goes without it.", Remedy.COPY_URL
    if span.http_status == 401 and is_ours:
        return (
            f"{said or 'It carried no key that opens the gateway.'} Use this key, or your provider's own.",
            Remedy.COPY_KEY,
        )
    if span.http_status in (401, 403):
        return f"The provider refused the key: {said or 'no reason given'}.", Remedy.DEMO
    if span.http_status == 404 and not path.startswith(("/v1", "/v1beta")) and path.count("/") <= 2:
        return f"There is nothing at {path}: OpenAI's SDKs need a base URL that ends with /v1.", Remedy.COPY_URL_V1
    if span.status in (Status.ABORTED, Status.INTERRUPTED):
        return said or "It ended before the answer was whole.", Remedy.NONE
    status = f"HTTP {span.http_status}" if span.http_status else "No answer"
    return f"{status}: {said or 'the answer gives no reason'}", Remedy.DEMO if span.http_status == 404 else Remedy.NONE
