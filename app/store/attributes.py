"""What is kept of a call that has no column: one JSON object a call, behind `span.attrs`.

Keys that hold nothing are left out; the names are those of the records (`models.call`), so a person can read it.
"""

from typing import Final

import msgspec

from app.models.call import Attempt, CallWrite, Headers
from app.models.loss import Loss
from app.models.span import Failure, Link
from app.models.usage import Usage


class Attributes(msgspec.Struct, frozen=True):
    """The object behind `span.attrs` of a call."""

    dialect: str = ""
    operation: str = ""
    method: str = ""
    path: str = ""
    content_type: str = ""
    requested_model: str | None = None
    finish_reason: str | None = None
    response_id: str | None = None
    usage: Usage | None = None
    cost_parts: dict[str, int] = {}
    failure: Failure | None = None
    """What the bytes say went wrong, else what the gateway knows."""
    entered_from: int = 0
    attempts: tuple[Attempt, ...] = ()
    links: tuple[Link, ...] = ()
    request_headers: Headers = ()
    response_headers: Headers = ()
    upstream_dialect: str = ""
    losses: tuple[Loss, ...] = ()


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Attributes)


def encode_attributes(write: CallWrite) -> bytes:
    """Return the JSON object of a call."""
    record, digest, placement = write.record, write.digest, write.placement
    values = {
        "dialect": record.dialect,
        "operation": record.operation,
        "method": record.method,
        "path": record.path,
        "content_type": record.content_type,
        "requested_model": record.requested_model,
        "finish_reason": digest.finish_reason,
        "response_id": digest.response_id,
        "usage": digest.usage and _said(digest.usage),
        "cost_parts": digest.cost_parts,
        "failure": digest.failure or record.failure,
        "entered_from": placement.entered_from,
        "attempts": record.attempts,
        "links": placement.links,
        "request_headers": record.request_headers,
        "response_headers": record.response_headers,
        "upstream_dialect": record.upstream_dialect,
        "losses": record.losses,
    }
    return _ENCODER.encode({name: value for name, value in values.items() if value})


def decode_attributes(data: bytes) -> Attributes:
    """Return what `encode_attributes` wrote. Raises msgspec.DecodeError on anything else."""
    return _DECODER.decode(data)


def _said(usage: Usage) -> dict[str, object]:
    fields = ((name, getattr(usage, name)) for name in Usage.__slots__)
    return {name: value for name, value in fields if value is not None and value is not False}
