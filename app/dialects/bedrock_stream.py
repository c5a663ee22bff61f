"""A ConverseStream read into deltas, and the usage it tells.

Text has no `contentBlockStart`; `metadata` with the usage comes after `messageStop`. Failures are frames of their own.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
"""

import base64
import binascii
from typing import Any, Final

import msgspec

from app.dialects.bedrock_media import type_of
from app.dialects.bedrock_parts import CLAUDES, OWN, call_of, citation_of, rest_of, result_of
from app.dialects.eventstream import EventStreamReader, Message
from app.dialects.finish import finish_of
from app.dialects.wire import UNREADABLE, count, decode, decode_any, entries, fields, text_or_none, word
from app.models.chat import ReplyError
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
    CitationDelta,
    Delta,
    End,
    Failed,
    Finish,
    PartDelta,
    ReasoningDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Media
from app.models.usage import Usage


class _Call(msgspec.Struct, gc=False):
    input: Any = None


class _Delta(msgspec.Struct, gc=False):
    text: Any = None
    toolUse: _Call | None = None
    reasoningContent: Any = None
    citation: Any = None
    toolResult: Any = None
    image: Any = None


class _Piece(msgspec.Struct, gc=False):
    delta: _Delta
    contentBlockIndex: Any = None


_piece: Final = msgspec.json.Decoder(_Piece)


class ConverseDeltas:
    """Reads one stream."""

    def __init__(self) -> None:
        self._frames = EventStreamReader()
        self._block: object = None
        """The index of the block that text or thoughts last came for."""
        self._calls: dict[object, int] = {}
        """Places of open calls by their block."""
        self._silent: set[object] = set()
        """Open calls whose arguments have not begun."""
        self._wholes: dict[object, dict[str, Any]] = {}
        """Results and images by their block, while they grow."""
        self._n_calls = 0
        self._has_own_calls = False
        self._has_begun = False
        self._has_stopped = False
        self._has_ended = False
        self._has_failed = False

    def feed(self, data: bytes) -> list[Delta]:
        """Return what these bytes complete."""
        deltas: list[Delta] = []
        for message in self._frames.feed(data):
            self._read(message, deltas)
        return deltas

    def close(self) -> list[Delta]:
        """Return what was open; a stream that said why it stopped is whole without its `metadata`, too."""
        deltas: list[Delta] = []
        for message in self._frames.close():
            self._read(message, deltas)
        for block in list(self._wholes):
            self._stop(block, deltas)
        self._end(deltas)
        return deltas

    def _read(self, message: Message, deltas: list[Delta]) -> None:
        event = message.event
        if self._has_failed and event != "metadata":
            return
        if message.problem:
            self._fail(ReplyError("broken_stream", message.problem), deltas)
            return
        try:
            if event == "contentBlockDelta":
                self._delta(decode(_piece, message.payload), deltas)
                return
            value = fields(decode_any(message.payload)) if message.payload else {}
            if message.kind in ("exception", "error"):
                self._fail(_error_of(message, value), deltas)
            else:
                self._event(event, value, deltas)
        except UNREADABLE:  # also what is nested too deep to be written out again
            deltas.append(Skipped())

    def _event(self, event: str, value: dict[str, Any], deltas: list[Delta]) -> None:
        block = value.get("contentBlockIndex")
        if event == "contentBlockStart":
            self._start(block if isinstance(block, int) else None, fields(value.get("start")), deltas)
        elif event == "contentBlockStop":
            self._stop(block if isinstance(block, int) else None, deltas)
        elif event == "messageStart":
            self._begin(deltas)
        elif event == "messageStop":
            self._begin(deltas)
            self._has_stopped = True
            native = word(value.get("stopReason"))
            more = value.get("additionalModelResponseFields")
            reason = finish_of(native, has_calls=self._has_own_calls) or "stop"
            extras = rest_of(value, ("stopReason", "p"))
            deltas.append(
                Finish(reason, native, stop_sequence=text_or_none(fields(more).get("stop_sequence")), extras=extras)
            )
        elif event == "metadata":
            usage = usage_of(value.get("usage"), value.get("serviceTier"))
            if usage is not None:
                deltas.append(UsageDelta(usage))
            self._end(deltas)
        elif event != "initial-response":
            deltas.append(Skipped())

    def _fail(self, error: ReplyError, deltas: list[Delta]) -> None:
        """Tell a failure. What comes after it is not told, but for what it all cost."""
        if not self._has_failed:
            self._has_failed = True
            deltas.append(Failed(error))

    def _end(self, deltas: list[Delta]) -> None:
        if self._has_stopped and not self._has_ended and not self._has_failed:
            self._has_ended = True
            deltas.append(End())

    def _begin(self, deltas: list[Delta]) -> None:
        if not self._has_begun:
            self._has_begun = True
            deltas.append(Begin(dialect=OWN))

    def _delta(self, piece: _Piece, deltas: list[Delta]) -> None:
        if not self._has_begun:
            self._begin(deltas)
        delta = piece.delta
        block = piece.contentBlockIndex if isinstance(piece.contentBlockIndex, int) else None
        text = delta.text
        if isinstance(text, str):
            deltas.append(TextDelta(text, is_new=block != self._block))
            self._block = block
        elif delta.toolUse is not None:
            place, arguments = self._calls.get(block), delta.toolUse.input
            if place is not None and isinstance(arguments, str) and arguments:
                self._silent.discard(block)
                deltas.append(CallDelta(place, arguments))
        elif isinstance(delta.reasoningContent, dict):
            self._thought(block, delta.reasoningContent, deltas)
        elif isinstance(delta.citation, dict):
            if block != self._block:
                deltas.append(TextDelta("", is_new=True))
                self._block = block
            deltas.append(CitationDelta(citation_of(delta.citation)))
        else:
            self._grow(block, delta)

    def _thought(self, block: object, said: dict[str, Any], deltas: list[Delta]) -> None:
        is_new, self._block = block != self._block, block
        text, signature = said.get("text"), text_or_none(said.get("signature"))
        redacted = text_or_none(said.get("redactedContent"))
        if redacted:
            deltas.append(ReasoningDelta("", is_new=is_new, signature=redacted, is_redacted=True, origin=OWN))
        elif signature:
            shown = text if isinstance(text, str) else ""
            deltas.append(ReasoningDelta(shown, is_new=is_new, signature=signature, origin=CLAUDES))
        elif isinstance(text, str):
            deltas.append(ReasoningDelta(text, is_new=is_new, origin=OWN if is_new else None))

    def _start(self, block: object, start: dict[str, Any], deltas: list[Delta]) -> None:
        self._begin(deltas)
        call = start.get("toolUse")
        if isinstance(call, dict):
            self._calls[block] = place = self._n_calls
            self._n_calls += 1
            self._silent.add(block)
            head = call_of(call, "")
            self._has_own_calls |= not head.is_server_side
            deltas.append(CallBegin(place, head.id, head.name, is_server_side=head.is_server_side, extras=head.extras))
        elif isinstance(start.get("toolResult"), dict):
            self._wholes[block] = {**start["toolResult"], "content": []}
        elif isinstance(start.get("image"), dict):
            self._wholes[block] = {"format": start["image"].get("format"), "bytes": []}

    def _grow(self, block: object, delta: _Delta) -> None:
        whole = self._wholes.get(block)
        if whole is None:
            return
        if "content" in whole:
            whole["content"] += entries(delta.toolResult)
        elif (data := text_or_none(fields(fields(delta.image).get("source")).get("bytes"))) is not None:
            whole["bytes"].append(data)

    def _stop(self, block: object, deltas: list[Delta]) -> None:
        place = self._calls.pop(block, None)
        if place is not None:
            if block in self._silent:
                self._silent.discard(block)
                deltas.append(CallDelta(place, "{}"))
            deltas.append(CallEnd(place))
        whole = self._wholes.pop(block, None)
        if whole is None:
            return
        if "content" in whole:
            deltas.append(PartDelta(result_of(whole)))
        elif whole["bytes"]:
            deltas.append(PartDelta(_image(whole)))


def _error_of(message: Message, value: dict[str, Any]) -> ReplyError:
    said = text_or_none(value.get("message")) or word(message.headers.get(":error-message"))
    original = text_or_none(value.get("originalMessage"))
    whole = ": ".join(text for text in (said, original) if text)
    kind = message.event or None
    return ReplyError(kind, whole or kind or "The provider failed.", word(value.get("originalStatusCode")))


def usage_of(usage: object, tier: object = None) -> Usage | None:
    """Return Bedrock's usage. Its `inputTokens` leave out what was cached, ours do not; its `totalTokens` has all."""
    if not isinstance(usage, dict) or not usage:
        return None
    sent = count(usage.get("inputTokens"))
    read, written = count(usage.get("cacheReadInputTokens")), count(usage.get("cacheWriteInputTokens"))
    long_lived = [
        count(entry.get("inputTokens")) or 0 for entry in entries(usage.get("cacheDetails")) if _is_long(entry)
    ]
    return Usage(
        input_tokens=None if sent is None else sent + (read or 0) + (written or 0),
        output_tokens=count(usage.get("outputTokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=sum(long_lived) if long_lived else None,
        service_tier=word(fields(tier).get("type")),
    )


def _is_long(entry: dict[str, Any]) -> bool:
    return entry.get("ttl") == "1h"


def _image(whole: dict[str, Any]) -> Media:
    """An image whose base64 came in pieces. Each piece was encoded for itself, so each may end in padding."""
    name = word(whole["format"])
    pieces: list[str] = whole["bytes"]
    data = pieces[0] if len(pieces) == 1 else _joined(pieces)
    return Media("image", type_of("image", name), data=data)


def _joined(pieces: list[str]) -> str:
    try:
        return base64.b64encode(b"".join(base64.b64decode(piece) for piece in pieces)).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)
