"""What a call says by itself about where it belongs. Stated beats inferred.

Header names in use: ours and OpenRouter's (x-session-id), Helicone, Langfuse, LiteLLM, Portkey, Claude Code and Codex;
W3C trace context and baggage.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from app.dialects.dialect import Stated
from app.models.call import Headers
from app.models.ids import TraceParent, parse_traceparent

_SESSION_HEADERS: Final = {
    "x-session-id": 0,
    "x-gatescope-session-id": 0,
    "helicone-session-id": 1,
    "x-langfuse-session-id": 1,
    "langfuse-session-id": 1,
    "langfuse_session_id": 1,
    "x-litellm-session-id": 1,
    "x-claude-code-session-id": 2,
    "session_id": 3,
    "session-id": 3,
    "x-conversation-id": 4,
    "conversation_id": 4,
    "conversation-id": 4,
}
"""Header to rank: of several the lowest decides."""
_BAGGAGE_KEYS: Final = ("session.id", "langfuse_session_id", "langfuse.session.id", "session_id", "thread_id")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_LONGEST_CHARS: Final = 200
_NOTHING: Final = Stated()


@dataclass(frozen=True, slots=True)
class StatedIds:
    """What the headers and the body of a call state. None: not said."""

    session: str | None = None
    said_by: str = ""
    """Which field named the session."""
    parent: TraceParent | None = None
    previous_response_id: str | None = None
    conversation: str | None = None


def stated_ids(headers: Headers, body: Stated | None) -> StatedIds:
    """Return the ids a call states; `body` is what its dialect found, None for a body without a dialect."""
    said = body or _NOTHING
    session, said_by = _of_headers(headers)
    if session is None:
        session, said_by = _of_body(said)
    return StatedIds(session, said_by, _parent(headers), said.previous_response_id, said.conversation)


def _of_headers(headers: Headers) -> tuple[str | None, str]:
    """Return the session that a header names, and the header."""
    best, found, said_by = 9, None, ""
    for name, value in headers:
        low = name.lower()
        rank = _SESSION_HEADERS.get(low, 9)
        if rank < best and value.strip():
            best, found, said_by = rank, value.strip()[:_LONGEST_CHARS], low
        elif low == "baggage" and best > 5 and (session := _of_baggage(value)):
            best, found, said_by = 5, session, low
    return found, said_by


def _of_baggage(value: str) -> str | None:
    for member in value.split(","):
        key, _, rest = member.partition("=")
        if key.strip() in _BAGGAGE_KEYS and (text := unquote(rest.partition(";")[0].strip())):
            return text[:_LONGEST_CHARS]
    return None


def _of_body(said: Stated) -> tuple[str | None, str]:
    """Return the session a body names. A cache key is one only if it is unique by its shape, as Codex sends it."""
    if said.session:
        return said.session[:_LONGEST_CHARS], "metadata"
    if said.conversation:
        return said.conversation[:_LONGEST_CHARS], "conversation"
    if said.prompt_cache_key and _UUID.search(said.prompt_cache_key):
        return said.prompt_cache_key[:_LONGEST_CHARS], "prompt_cache_key"
    return None, ""


def _parent(headers: Headers) -> TraceParent | None:
    for name, value in headers:
        if len(name) == 11 and name.lower() == "traceparent":
            return parse_traceparent(value)
    return None
