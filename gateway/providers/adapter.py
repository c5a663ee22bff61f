"""What a provider needs that data cannot say: a signature, an address made of names, frames around its stream."""

from dataclasses import dataclass
from typing import Protocol

from app.config import ProviderConfig


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request on its way to a provider, before an adapter has seen it or after."""

    method: str
    url: str
    """Whole, as `ProviderConfig.address` made it."""
    headers: tuple[tuple[str, str], ...]
    """Ours and the dialect's; the client's end-to-end ones are added behind the adapter and are never signed."""
    body: bytes
    model: str
    dialect: str
    """Of the body."""
    is_stream: bool
    secret: str | None
    """The provider's key, where one is named; the adapter says how it is sent."""


class Unframer(Protocol):
    """Takes a stream out of a provider's own frames. Never raises on bad bytes."""

    def feed(self, data: bytes) -> bytes:
        """Return the dialect's bytes that these complete."""

    def close(self) -> bytes:
        """Return what was still open at the end: an error event where a frame was cut."""


class Adapter(Protocol):
    """Speaks to one kind of provider. One object a kind, for all providers of it; on the event loop."""

    async def prepare(self, provider: ProviderConfig, outgoing: Outgoing) -> Outgoing:
        """Return the request as the provider wants it, every header it needs for its auth included.

        Raises Refused (`rule="provider_key"`) where credentials are missing, naming where they were looked for, and
        SetupError where an optional package is not installed, with the command that installs it.
        """

    def unframer(self, provider: ProviderConfig, dialect: str, content_type: str) -> Unframer | None:
        """Return what unframes an answer of this content type, None where it comes as the dialect has it."""
