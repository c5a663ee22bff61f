"""A provider's stream in the client's dialect: bytes in, deltas, bytes out; an `Upstream` before another one.

It says nothing until the provider said something: a failure before that is told as one. While the client waits it gets
signs of life. The provider's own bytes are kept for the record.
"""

import asyncio
from typing import Final

from app.dialects.fold import fold, unfold
from app.dialects.gemini_writer import GeminiWriter
from app.dialects.registry import reader_of
from app.dialects.restore import Restorer
from app.errors import UpstreamError
from app.models.chat import Reply, ReplyError
from app.models.delta import (
    CallBegin,
    Delta,
    End,
    Failed,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
)
from gateway.crossing import kept_headers, note_problem, writer_back, writer_there
from gateway.errors import problem_of
from gateway.exchange import Crossing, Exchange
from gateway.upstream.send import close_attempt, content_type_of
from gateway.vault import Vault

PATIENCE_S: Final = 15.0
"""So long the client waits for the head of an answer that says nothing; then it gets signs of life."""
PING_S: Final = 15.0
_CONTENT: Final = (TextDelta, ReasoningDelta, RefusalDelta, CallBegin, PartDelta)
_CUT: Final = "The provider's stream ended before it said it was done."


class FailedInside(Exception):
    """The provider failed in its stream before it said anything."""

    def __init__(self, error: ReplyError) -> None:
        super().__init__(error.message)
        self.error = error


class Crossed:
    """One stream on its way between two dialects."""

    def __init__(self, exchange: Exchange, crossing: Crossing, vault: Vault) -> None:
        inner = exchange.upstream
        assert inner is not None
        self._exchange = exchange
        self._crossing = crossing
        self._inner = inner
        self._vault = vault
        self._reader = writer_there(exchange).read_deltas()
        self._restorer = Restorer(crossing.written.restore, crossing.asked.reply_id)
        writer = writer_back(exchange)
        content_type = writer.content_type
        if isinstance(writer, GeminiWriter) and "alt=sse" not in exchange.path:
            self._writer = writer.write_deltas_array(crossing.asked)
            content_type = "application/json"
        else:
            self._writer = writer.write_deltas(crossing.asked)
        self._raw: list[bytes] = []
        self._waiting: list[Delta] = []
        """Read and not yet written."""
        self._said: list[Delta] = []
        self._error: ReplyError | None = None
        self._has_ended = False
        self._is_said_done = False
        """The provider said that it was done, whatever came behind that."""
        self._has_content = False
        self.status = inner.status
        self.headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-cache")]
        self.headers += kept_headers(inner.headers)
        self.is_complete = False

    @property
    def raw(self) -> bytes:
        """What the provider sent so far."""
        return b"".join(self._raw)

    def reply(self) -> Reply:
        """Return what the client was told, as one reply."""
        return fold(self._said)

    async def open(self) -> None:
        """Return when the provider has said something, or has let us wait for long.

        Raises FailedInside for an error that came instead, UpstreamError where the provider cannot be read.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._has_content and self._error is None and not self._inner.is_complete:
                    self._take(await self._inner.read())
        except TimeoutError:
            return
        if self._inner.is_complete:
            await self._end()
        if self._error is not None and not self._has_content:
            raise FailedInside(self._error)

    async def read(self) -> bytes:
        """Return the next events, or a sign of life; empty at the end. An upstream that fails ends it with an error."""
        while not self.is_complete:
            if not self._waiting and not self._has_ended:
                try:
                    async with asyncio.timeout(PING_S):
                        self._take(await self._inner.read())
                except TimeoutError:
                    return self._writer.ping()
                except UpstreamError as error:
                    return self._break(error)
            if self._inner.is_complete:
                await self._end()
            written = self._write()
            if self._has_ended:
                return written + self._close()
            if written:
                return written
        return b""

    def release(self) -> None:
        """Let the provider go."""
        self._inner.release()
        if self._exchange.upstream_response is None:
            self._exchange.upstream_response = self.raw

    def _take(self, data: bytes) -> None:
        if not data:
            return
        self._exchange.note_first_byte()
        self._raw.append(data)
        if not self._is_whole():
            self._understand(self._reader.feed(data))

    def _is_whole(self) -> bool:
        """Whether the provider answered a question for a stream with one JSON."""
        kind = content_type_of(self._inner.headers)
        return kind == "application/json" and self._raw[0].lstrip()[:1] == b"{"

    def _understand(self, deltas: list[Delta]) -> None:
        for delta in deltas:
            if isinstance(delta, Failed):
                self._error = self._error or delta.error
            elif isinstance(delta, _CONTENT):
                self._has_content = True
        self._waiting += self._restorer.deltas(deltas)

    async def _end(self) -> None:
        """Take what is left when the provider's last byte has come; it may have come with the first."""
        if self._has_ended:
            return
        self._take(await self._inner.read())
        self._has_ended = True
        if self._raw and self._is_whole():
            reader = reader_of(self._exchange.upstream_dialect)
            assert reader is not None
            self._understand(unfold(reader.read_reply(self.raw, self.status)))
        else:
            self._understand(self._reader.close())
        self._waiting += self._restorer.close()

    def _write(self) -> bytes:
        deltas, self._waiting = self._waiting, []
        self._said += deltas
        self._is_said_done = self._is_said_done or any(isinstance(delta, End) for delta in deltas)
        return self._writer.write(deltas) if deltas else b""

    def _close(self) -> bytes:
        is_whole = self._error is None and self._is_said_done
        if not is_whole and self._error is None:
            self._writer.write([Failed(ReplyError("cut", _CUT))])
        return self._finish(is_complete=is_whole)

    def _break(self, error: UpstreamError) -> bytes:
        problem = problem_of(error)
        self._exchange.failure = problem.failure()
        close_attempt(self._exchange, self._exchange.failure)
        self._has_ended = True
        written = self._writer.write([Failed(ReplyError(problem.code, problem.message))])
        return written + self._finish(is_complete=False)

    def _finish(self, *, is_complete: bool) -> bytes:
        self.is_complete = True
        self._exchange.upstream_response = self.raw
        note_problem(self._crossing, self._restorer.problem)
        self._vault.note(self._exchange, self.reply())
        return self._writer.close(is_complete=is_complete)
