"""What a dialect that we speak can do: ask an upstream and understand its stream, answer a client.

Everything is pure, and the same values give the same bytes, so that providers' prompt caches hit. `writers` finds a
dialect's by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.models.chat import ChatRequest, Reply
from app.models.delta import Delta
from app.models.loss import Loss
from app.models.settings import OutputFormat
from app.models.target import Target


@dataclass(frozen=True, slots=True)
class Restore:
    """What must be undone in an answer, because the request was bent to fit its dialect."""

    names: dict[str, str] = field(default_factory=dict)
    """Tool names as sent → as the client has them, where the two differ."""
    output_tool: str | None = None
    """A tool that stands for the structured output: its arguments are the answer's text, and it is no call."""
    output: OutputFormat | None = None
    """What the text must be, where nobody but us checks it."""
    custom_tools: frozenset[str] = frozenset()
    """Custom tools (the client's names) that went as functions with one text argument `input`."""
    splits_think_tags: bool = False
    """Text between <think> and </think> is reasoning."""


@dataclass(frozen=True, slots=True)
class Written:
    """A request ready for an upstream."""

    body: bytes
    path: str
    """As its dialect has it, with the query: `/v1/messages`; `ProviderConfig.address` turns it into a URL."""
    headers: tuple[tuple[str, str], ...] = ()
    """Those the dialect wants beside `content-type: application/json`; no key."""
    losses: tuple[Loss, ...] = ()
    restore: Restore = Restore()


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer must know of its question."""

    request: ChatRequest
    """As the client asked, in its own words: `params` and `extras` are in the answer's dialect."""
    model: str
    """The name the client asked for; the answer bears it."""
    reply_id: str
    """Unique, letters and digits; a dialect puts its prefix before it. The one id in every event."""
    created_s: int
    """UTC."""


class DeltaReader(Protocol):
    """Reads one upstream stream, however its bytes are split. Never raises on bad bytes: they become `Skipped`."""

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""

    def close(self) -> list[Delta]:
        """Return what was still open when the bytes ended: no `End` where the provider did not say so."""


class DeltaWriter(Protocol):
    """Writes one client stream; whatever deltas come, what is written is valid in its grammar."""

    def write(self, deltas: Sequence[Delta]) -> bytes:
        """Return the events for these deltas, b"" where they say nothing to the client."""

    def close(self, *, is_complete: bool) -> bytes:
        """Return what ends the stream; where it is not complete, or `Failed` came, the dialect's error, never a normal
        finish."""

    def ping(self) -> bytes:
        """Return what may be sent at any moment to keep the connection alive, before the first event too."""


class UpstreamWriter(Protocol):
    """A dialect that upstreams speak. Stateless; any thread."""

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks an upstream.

        Raises InputError for what can be neither carried nor left out (a file id of another provider, sound for a
        model that hears nothing).
        """

    def read_deltas(self) -> DeltaReader:
        """Return a reader for one stream of the dialect."""


class ClientWriter(Protocol):
    """A dialect that clients speak. Stateless; any thread."""

    content_type: str
    """Of its streams."""

    def write_reply(self, reply: Reply, asked: Asked) -> bytes:
        """Return a whole answer. `reply` has no error."""

    def write_deltas(self, asked: Asked) -> DeltaWriter:
        """Return a writer for one stream."""


def deltas_of_body(reader: DeltaReader, body: bytes) -> list[Delta]:
    """Return everything a recorded stream says."""
    return reader.feed(body) + reader.close()
