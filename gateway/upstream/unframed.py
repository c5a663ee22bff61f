"""A provider's answer taken out of the frames it comes in; an `Upstream` before another one."""

from gateway.exchange import Upstream
from gateway.providers.adapter import Unframer

_EVENTS = b"text/event-stream"
_DROPPED = (b"content-type", b"content-length")


class Unframed:
    """One answer. What it reads is the dialect's own."""

    def __init__(self, inner: Upstream, unframer: Unframer) -> None:
        self._inner = inner
        self._unframer = unframer
        self.status = inner.status
        self.headers = [pair for pair in inner.headers if pair[0].lower() not in _DROPPED]
        self.headers.append((b"content-type", _EVENTS))
        self.is_complete = False

    async def read(self) -> bytes:
        """Return what has come since; empty at the end. Raises UpstreamError where it is cut."""
        while not self.is_complete:
            data = await self._inner.read()
            said = self._unframer.feed(data)
            if self._inner.is_complete:
                self.is_complete = True
                return said + self._unframer.close()
            if said:
                return said
        return b""

    def release(self) -> None:
        """Let it go."""
        self._inner.release()
