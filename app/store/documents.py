"""What there is to search for in a span.

A message that is kept as an item is a document of its own, however many calls carry it. Everything else that is new
with a span is the span's document: its name, the messages of a small request, the answer, what went wrong.
"""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from app.dialects.plain import text_of
from app.dialects.registry import reader_of
from app.models.chat import Reply
from app.models.message import Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.store.attributes import Attributes, decode_attributes
from app.store.bodies import Bodies
from app.store.schema import BODY_SPLIT, SPAN_INFERRED

LONGEST_CHARS: Final = 1_000_000
"""Of one document; what is beyond cannot be searched for."""
_SPAN: Final = """
SELECT s.flags, name.s, called.s, s.inp, s.outp, s.attrs, c.id, c.req, c.resp, c.status
FROM span s JOIN trace t ON t.id = s.trace LEFT JOIN call c ON c.id = s.id
LEFT JOIN str name ON name.id = s.name LEFT JOIN str called ON called.id = t.name
WHERE s.id = ?
"""
_MESSAGE_ITEMS: Final = re.compile(rb'"(?:messages|input|contents)"\s*:\s*\[\s*\x01')
"""In the template of a split request: its messages are items."""
_READABLE: Final = re.compile(r"(?:text/|application/(?:.*\+)?(?:json|x-ndjson|xml))")
_COVERED: Final = 0.6


@dataclass(frozen=True, slots=True)
class Documents:
    """A span's own text, and the items that entered with it."""

    text: str
    items: tuple[int, ...]


def documents(conn: sqlite3.Connection, bodies: Bodies, span_id: int) -> Documents | None:
    """Return what a span brings to the index, None where the span is gone. Raises StoreError for a broken body."""
    row = conn.execute(_SPAN, (span_id,)).fetchone()
    if row is None:
        return None
    flags, name, called, inp, outp, attrs, call, req, resp, status = row
    if call is None:
        texts = [name or ""]
        if not flags & SPAN_INFERRED:  # the payloads of inferred spans are in the calls they were drawn from
            texts += [text_of(bodies.get(body_id)) for body_id in (inp, outp) if body_id is not None]
        return Documents(_joined(texts), ())
    uses = conn.execute("SELECT item FROM item_use WHERE span = ? ORDER BY item", (span_id,)).fetchall()
    items = tuple(item for (item,) in uses)
    said = _said(bodies, attrs)
    texts = [name or "", called or ""]
    if req is not None:
        texts += _request(conn, bodies, req, said, items)
    if resp is not None:
        texts += _answer(bodies.get(resp), said, status or 0)
    if said.failure is not None:
        texts.append(said.failure.message)
    return Documents(_joined(texts), items)


def item_texts(bodies: Bodies, items: Iterable[int]) -> dict[int, str]:
    """Return the searchable text of each item that is there."""
    return {item: text_of(raw)[:LONGEST_CHARS] for item, raw in bodies.items(list(items)).items()}


def _joined(texts: list[str]) -> str:
    return "\n".join(dict.fromkeys(text for text in texts if text))[:LONGEST_CHARS]


def _said(bodies: Bodies, attrs: int | None) -> Attributes:
    if attrs is None:
        return Attributes()
    try:
        return decode_attributes(bodies.get(attrs))
    except msgspec.DecodeError:
        return Attributes()


def _request(conn: sqlite3.Connection, bodies: Bodies, req: int, said: Attributes, items: tuple[int, ...]) -> list[str]:
    """Return the texts of the new messages of a request that are no items."""
    if said.entered_from and items and _has_message_items(conn, bodies, req):
        return []
    reader = reader_of(said.dialect)
    body = bodies.get(req)
    if reader is None:
        return [_unread(body)]
    elements = reader.split_messages(body)[said.entered_from :]
    kept = list(bodies.items(list(items)).values())
    return [text_of(element) for element in elements if not _is_covered(element, kept)]


def _has_message_items(conn: sqlite3.Connection, bodies: Bodies, req: int) -> bool:
    form, template = conn.execute("SELECT form, tpl FROM body WHERE id = ?", (req,)).fetchone()
    return form == BODY_SPLIT and _MESSAGE_ITEMS.search(bodies.items([template]).get(template, b"")) is not None


def _is_covered(element: bytes, items: list[bytes]) -> bool:
    """Whether items make up an element: one is the element, its field's value, or several are its parts."""
    return sum(len(item) for item in items if item in element) >= _COVERED * len(element)


def _answer(body: bytes, said: Attributes, status: int) -> list[str]:
    reader = reader_of(said.dialect)
    if reader is None:
        return [_unread(body)] if _READABLE.match(said.content_type) else []
    return _reply(reader.read_answer(body, said.content_type, status))


def _reply(reply: Reply) -> list[str]:
    texts = [text for choice in reply.choices for part in choice.message.parts for text in _part(part)]
    if reply.error is not None:
        texts.append(reply.error.message)
    return texts


def _part(part: Part) -> list[str]:
    if isinstance(part, Text | Reasoning | Refusal):
        return [part.text]
    if isinstance(part, ToolCall):
        return [part.name, text_of(part.arguments.encode())]
    if isinstance(part, ToolResult):
        return [text for inner in part.parts for text in _part(inner)]
    return []


def _unread(body: bytes) -> str:
    """Return the text of a body no dialect reads: of JSON its strings, else as it is, if it is text at all."""
    if b"\x00" in body[:4096] or len(body) > LONGEST_CHARS:
        return ""
    return text_of(body)
