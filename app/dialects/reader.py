"""What all readers share: which reading an answer needs, what identifies an element, and no way to nest us to death."""

from abc import ABC, abstractmethod
from typing import ClassVar, Final

from app.dialects import canon
from app.dialects.dialect import Stated
from app.errors import InputError
from app.models.chat import ChatRequest, Reply, ReplyError
from app.models.message import Message

_STREAM_STARTS: Final = (b"data:", b"event:", b":", b"id:", b"retry:")
_TOO_DEEP: Final = Reply(error=ReplyError("unreadable", "The answer is nested too deep to be read."), is_complete=False)


class Reader(ABC):
    """A `DialectReader` but for what its dialect alone knows."""

    has_call_ids: ClassVar[bool] = True
    """Whether the provider gives its calls ids that clients send back."""

    def read_request(self, body: bytes) -> ChatRequest:
        """Return what a client asked.

        Raises InputError where the body cannot be read.
        """
        try:
            return self._request(body)
        except RecursionError:
            raise InputError("The body is nested too deep to be read.") from None

    def read_reply(self, body: bytes, status: int) -> Reply:
        """Return what a whole body answers; errors and nonsense become `Reply.error`. Never raises."""
        try:
            return self._reply(body, status)
        except RecursionError:
            return _TOO_DEEP

    def read_stream(self, body: bytes) -> Reply:
        """Return what a recorded stream answers, also one that was cut. Never raises."""
        try:
            return self._stream(body)
        except RecursionError:
            return _TOO_DEEP

    def read_answer(self, body: bytes, content_type: str, status: int) -> Reply:
        """Return what an answer says, stream or whole by what the bytes look like. Never raises.

        Content types lie: the first bytes decide where they can, and what is neither is read as a whole.
        """
        start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(_STREAM_STARTS):
            return self.read_stream(body)
        if "event-stream" in content_type and start and not start.startswith((b"{", b"[", b"<")):
            return self.read_stream(body)
        return self.read_reply(body, status)

    def read_element(self, raw: bytes) -> Message:
        """Return the message of one element.

        Raises InputError where it cannot be read.
        """
        try:
            return self._element(raw)
        except RecursionError:
            raise InputError("The message is nested too deep to be read.") from None

    def canon(self, raw: bytes) -> bytes:
        """Return what identifies an element in a chain; its own bytes where it cannot be read."""
        try:
            return canon.canon_message(self._element(raw), has_ids=self.has_call_ids)
        except (InputError, RecursionError):
            return raw

    def canon_message(self, message: Message) -> bytes:
        """Return what identifies a message that was read."""
        return canon.canon_message(message, has_ids=self.has_call_ids)

    @abstractmethod
    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the request's elements, oldest first; empty where the body cannot be read."""

    @abstractmethod
    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; none where the body cannot be read."""

    @abstractmethod
    def _request(self, body: bytes) -> ChatRequest:
        """Read a request; may raise RecursionError as the next three may."""

    @abstractmethod
    def _reply(self, body: bytes, status: int) -> Reply: ...

    @abstractmethod
    def _stream(self, body: bytes) -> Reply: ...

    @abstractmethod
    def _element(self, raw: bytes) -> Message: ...
