"""A response that we keep for a provider that keeps none: so that the next request can name it and send no history."""

import msgspec


class StoredResponse(msgspec.Struct, frozen=True, array_like=True):
    """What a call's record says of the response it made. Its bytes are the call's own request and answer."""

    id: str
    """As the client was told it."""
    owner: str
    """Who may ask for it, see `gateway.governance.auth.owner_of`."""
    previous_id: str | None = None
    """The response that it goes on from."""
    conversation_id: str | None = None
    """The conversation that it is part of."""


class StoredTurn(msgspec.Struct, frozen=True):
    """A stored response with its bytes, both as the client has them."""

    about: StoredResponse
    request: bytes
    response: bytes
    """A whole body or a stream."""


class Conversation(msgspec.Struct, frozen=True):
    """A conversation that we keep, without its items."""

    id: str
    owner: str
    created_s: int
    """UTC."""
    metadata: dict[str, str] = {}


class ConversationPart(msgspec.Struct, frozen=True):
    """What came into a conversation at one time: items that a client put there, or a response's turn."""

    item: bytes = b""
    """One item, as JSON; empty for a turn."""
    turn: StoredTurn | None = None
