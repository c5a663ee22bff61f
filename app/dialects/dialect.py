"""What every dialect can do with bytes that were recorded.

A request's *elements* are its conversation, one after the other: system prompt or instructions first, then every
message. `split_messages` gives them as they stand in the body; element i is message i of `read_request`. An element
that has a field of its own keeps its key (`"system": "Be kind."`), so that it cannot be taken for another's; a dialect
that spreads one assistant turn over several items gives the run as one element, the items joined by commas.
"""

from dataclasses import dataclass
from typing import Protocol

from app.models.chat import ChatRequest, Reply
from app.models.message import Message


@dataclass(frozen=True, slots=True)
class Stated:
    """Ids by which a request itself says what it belongs to. None: not said."""

    previous_response_id: str | None = None
    conversation: str | None = None
    prompt_cache_key: str | None = None
    user: str | None = None
    session: str | None = None


class DialectReader(Protocol):
    """Turns one API's bytes into values. Stateless; any thread. `reader.Reader` does what all have in common."""

    def read_request(self, body: bytes) -> ChatRequest:
        """Return what a client asked.

        Raises InputError where the body cannot be read.
        """

    def read_reply(self, body: bytes, status: int) -> Reply:
        """Return what a whole body answers; errors and nonsense become `Reply.error`. Never raises."""

    def read_stream(self, body: bytes) -> Reply:
        """Return what a recorded stream answers, also one that was cut. Never raises."""

    def read_answer(self, body: bytes, content_type: str, status: int) -> Reply:
        """Return what an answer says, stream or whole by what the bytes look like. Never raises."""

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the request's elements, oldest first; empty where the body cannot be read."""

    def read_element(self, raw: bytes) -> Message:
        """Return the message of one element.

        Raises InputError where it cannot be read.
        """

    def canon(self, raw: bytes) -> bytes:
        """Return what identifies an element in a chain: equal for every spelling of the same message."""

    def canon_message(self, message: Message) -> bytes:
        """Return the same for a message that was read: an answer equals the turn the client sends back."""

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""
