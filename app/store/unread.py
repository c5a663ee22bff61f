"""A call that could not be understood: kept raw, in a trace of its own, with a note of what went wrong."""

import hashlib

from app.models.call import CallRecord, CallWrite, Digest, Placement
from app.models.span import Failure, Kind, Link, LinkMethod, Status


def as_unread(record: CallRecord, error: Exception) -> CallWrite:
    """Return `record` as it can always be stored. Its trace id follows from its span id, so twice is once."""
    failure = Failure("unread", f"The call was recorded, but reading it failed: {type(error).__name__}: {error}")
    digest = Digest(
        kind=Kind.HTTP,
        name=f"{record.operation} {record.model or record.path}"[:200],
        status=_status(record),
        model=record.model,
        response_id=None,
        answer=None,
        finish_reason=None,
        usage=None,
        cost_nusd=None,
        cost_parts={},
        failure=record.failure or failure,
        input_preview="",
        output_preview="",
    )
    placement = Placement(
        trace_id=hashlib.sha256(record.span_id.to_bytes(8, "big", signed=True)).digest()[:16],
        parent_span_id=None,
        session=None,
        thread_span_id=record.span_id,
        links=(Link(LinkMethod.ALONE, 1.0, failure.message),),
        entered_from=0,
        chain_hash=0,
        trace_name=digest.name,
    )
    return CallWrite(record, digest, placement)


def _status(record: CallRecord) -> Status:
    if record.end_ns is None:
        return Status.RUNNING
    is_good = record.failure is None and record.status is not None and record.status < 400
    return Status.OK if is_good else Status.ERROR
