"""What a recorded call means: its name, how it went, what it used and cost, and a line of each side.

The answer is read whole, the request only at its end: a resent history costs no more than the newest message in it.
Runs in the writer's thread only.
"""

from collections.abc import Iterator
from typing import Final

from app.dialects.dialect import DialectReader
from app.dialects.failures import error_of
from app.dialects.registry import reader_of
from app.dialects.wire import UNREADABLE, decode_any
from app.errors import InputError
from app.models.call import CallRecord, Digest
from app.models.chat import Reply
from app.models.message import Media, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, is_reminder
from app.models.span import Failure, Kind, Status
from app.models.usage import Usage
from app.pricing.book import Book
from app.pricing.cost import Cost, cost_of
from app.pricing.tokens import estimate_tokens
from app.same import Same

_KINDS: Final = {"chat": Kind.LLM, "completion": Kind.LLM, "embeddings": Kind.EMBEDDING}
_PREVIEW_CHARS: Final = 120
_TOLD_CHARS: Final = 500
"""Of an error's body that is no JSON."""
_LOOK_BACK: Final = 4
"""Elements from the end in which a line to show is sought."""
_STATUSES: Final = {"aborted": Status.ABORTED, "interrupted": Status.INTERRUPTED}


class Digester:
    """Makes digests; remembers prices between them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._elements: Same[tuple[bytes, ...]] = Same()

    def digest(self, record: CallRecord) -> Digest:
        """Return what `record` says. A running record is told from its request alone."""
        kind = _KINDS.get(record.operation, Kind.HTTP)
        reader = reader_of(record.dialect)
        elements = self._elements_of(reader, record.request) if reader and record.request else ()
        reply = None
        if reader and kind is not Kind.HTTP and record.end_ns is not None:
            reply = reader.read_answer(record.response, record.content_type, record.status or 0)
        failure = _failure(record, reply)
        told = _told_upstream(record) or reply
        usage = _usage(told)
        cost = self._cost(record, told, usage)
        choice = reply.choices[0] if reply and reply.choices else None
        answer = choice.message if choice else None
        return Digest(
            kind=kind,
            name=_name(record, kind),
            status=_status(record, failure),
            model=(told.model if told else None) or record.model or record.requested_model,
            response_id=reply.id if reply else None,
            answer=answer,
            finish_reason=choice.finish_reason if choice else None,
            usage=usage,
            cost_nusd=cost.total_nusd if cost else None,
            cost_parts=cost.parts if cost else {},
            failure=failure,
            input_preview=_newest(reader, elements) if reader else "",
            output_preview=_shown(answer) if answer else "",
            elements=elements,
        )

    def _elements_of(self, reader: DialectReader, body: bytes) -> tuple[bytes, ...]:
        elements = self._elements.get(body)
        if elements is None:
            elements = tuple(reader.split_messages(body))
            self._elements.put(body, elements)
        return elements

    def _cost(self, record: CallRecord, reply: Reply | None, usage: Usage | None) -> Cost | None:
        if reply is None or usage is None:
            return None
        asked = record.model or record.requested_model
        model = reply.model or asked
        price = self._book.price(record.provider, model, record.start_ns, usage, asked=asked) if model else None
        try:
            return cost_of(usage, price)
        except InputError:
            return None


def one_line(text: str, most_chars: int = _PREVIEW_CHARS) -> str:
    """Return the beginning of `text` on one line."""
    line = " ".join(text[: most_chars * 4].split())
    return line if len(line) <= most_chars else line[: most_chars - 1] + "…"


def _told_upstream(record: CallRecord) -> Reply | None:
    """Return what the provider itself answered where the client got a translation: it knows its usage best."""
    reader = reader_of(record.upstream_dialect) if record.upstream_dialect else None
    if reader is None or not record.upstream_response or record.end_ns is None or record.operation != "chat":
        return None
    reply = reader.read_answer(record.upstream_response, "", record.status or 0)
    return reply if reply.usage is not None else None


def _name(record: CallRecord, kind: Kind) -> str:
    if kind is Kind.HTTP:
        return f"{record.method} {record.path.partition('?')[0]}"
    return f"{record.operation} {record.model or record.requested_model or ''}".rstrip()


def _status(record: CallRecord, failure: Failure | None) -> Status:
    if failure is not None:
        return _STATUSES.get(failure.kind, Status.ERROR)
    return Status.RUNNING if record.end_ns is None else Status.OK


def _failure(record: CallRecord, reply: Reply | None) -> Failure | None:
    """Return what went wrong: what the gateway knows, else what the status and the bytes say."""
    if record.end_ns is None or (record.failure is not None and not _was_satisfied(record, reply)):
        return record.failure
    status = record.status
    if reply is not None:
        if reply.error is not None:
            kind = "invalid" if reply.error.type == "unreadable" else "provider"
            return Failure(kind, reply.error.message, status)
        if not reply.is_complete and (status or 0) < 400:
            return Failure("cut", "The answer ended before the provider said it was done.", status)
    if status is not None and status >= 400:
        return Failure("provider", _told(record.response, status), status)
    return None


def _was_satisfied(record: CallRecord, reply: Reply | None) -> bool:
    """Return whether a client that left had its whole stream: OpenAI's SDK hangs up on `[DONE]`."""
    is_left = record.failure is not None and record.failure.kind == "aborted"
    return is_left and bool(record.chunks) and reply is not None and reply.is_complete and bool(reply.choices)


def _told(body: bytes, status: int) -> str:
    """Return what an error's body says, for a person."""
    try:
        error = error_of(decode_any(body), status)
    except UNREADABLE:
        error = None
    text = error.message if error else body[: 4 * _TOLD_CHARS].decode("utf-8", "replace")
    return one_line(text, _TOLD_CHARS) or f"HTTP {status}"


def _usage(reply: Reply | None) -> Usage | None:
    """Return the usage; where an answer was cut, at least the tokens that were seen."""
    if reply is None or reply.is_complete or not reply.choices:
        return reply.usage if reply else None
    seen = estimate_tokens(_written(choice.message) for choice in reply.choices)
    known = reply.usage or Usage()
    if known.output_tokens is not None and known.output_tokens >= seen:
        return reply.usage
    fields = {name: getattr(known, name) for name in Usage.__slots__}
    return Usage(**(fields | {"output_tokens": seen, "is_estimated": True}))


def _written(message: Message) -> str:
    """Return everything a model wrote in a message."""
    texts = []
    for part in message.parts:
        if isinstance(part, Text | Reasoning | Refusal):
            texts.append(part.text)
        elif isinstance(part, ToolCall):
            texts.append(part.name + part.arguments)
    return "".join(texts)


def _newest(reader: DialectReader, elements: tuple[bytes, ...]) -> str:
    """Return a line of the newest user text or tool result."""
    for raw in elements[: -_LOOK_BACK - 1 : -1]:
        try:
            message = reader.read_element(raw)
        except InputError:
            continue
        if message.role in ("user", "tool") and (line := _line(message)):
            return line
    return ""


def _line(message: Message) -> str:
    """Return a line of a message: its text, else its results, else what else it holds."""
    results = message.tool_results()
    texts = [part.text for part in message.parts if isinstance(part, Text) and not (results and is_reminder(part.text))]
    if line := one_line("\n".join(texts) if results else message.words()):
        return line
    if results:
        return one_line(" · ".join(filter(None, (result_text(part.parts) for part in results))))
    return " ".join(_named(message.parts))


def result_text(parts: tuple[Part, ...]) -> str:
    """Return the text of a tool's result."""
    return "\n".join(part.text for part in parts if isinstance(part, Text)) or " ".join(_named(parts))


def _named(parts: tuple[Part, ...]) -> Iterator[str]:
    return (f"[{part.modality}]" for part in parts if isinstance(part, Media))


def _shown(answer: Message) -> str:
    """Return a line of an answer: its words, else the calls it asks for."""
    if line := one_line(answer.text()):
        return line
    calls = [f"{call.name}({one_line(call.arguments)})" for call in answer.tool_calls()]
    if calls:
        return one_line("→ " + ", ".join(calls))
    results = [result_text(part.parts) for part in answer.parts if isinstance(part, ToolResult)]
    return one_line(" ".join(filter(None, results))) or " ".join(_named(answer.parts))
