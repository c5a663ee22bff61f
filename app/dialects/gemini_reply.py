"""Gemini's whole answers: what a stream says piece by piece, in one object.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from typing import Any

import msgspec

from app.dialects.failures import error_of
from app.dialects.gemini_deltas import FEEDBACK, USAGE, ending_of
from app.dialects.gemini_grounding import citations_of, logprobs_of, names_sources
from app.dialects.gemini_parts import OWN, left_of, parts_of, pick
from app.dialects.gemini_usage import usage_of
from app.dialects.wire import entries, fields, text_or_none, word
from app.models.chat import Choice, Reply
from app.models.message import Message, Part, Text, ToolCall


def reply_of(answer: dict[str, Any]) -> Reply:
    """Return what a whole answer says."""
    usage = pick(answer, USAGE, "usage_metadata")
    choices = tuple(_choice(candidate) for candidate in entries(answer.get("candidates")))
    is_complete = any(choice.native_finish_reason is not None for choice in choices)
    if not choices:
        feedback = fields(pick(answer, FEEDBACK, "prompt_feedback"))
        blocked = word(pick(feedback, "blockReason", "block_reason"))
        if blocked is not None:
            choices = (Choice(0, Message("assistant", ()), "content_filter", blocked),)
            is_complete = True
    if choices and usage is not None:
        first = choices[0]
        told = msgspec.structs.replace(first, extras={**(first.extras or {}), USAGE: usage})
        choices = (told, *choices[1:])
    return Reply(
        id=text_or_none(pick(answer, "responseId", "response_id")),
        model=text_or_none(pick(answer, "modelVersion", "model_version")),
        choices=choices,
        usage=usage_of(usage),
        error=error_of(answer, 200) if answer.get("error") else None,
        is_complete=is_complete,
        extras=left_of(answer, "candidates", USAGE, "modelVersion", "responseId", "error"),
        dialect=OWN,
    )


def _choice(candidate: dict[str, Any]) -> Choice:
    index = candidate.get("index")
    parts = parts_of(fields(candidate.get("content")).get("parts"))
    extras = left_of(candidate, "content", "index", "finishReason")
    logprobs = None
    if extras is not None:
        if names_sources(extras):
            parts = _cited(parts, extras)
        logprobs = logprobs_of(pick(extras, "logprobsResult", "logprobs_result")) or None
    stated = pick(candidate, "finishReason", "finish_reason")
    reason, native = None, None
    if stated:
        has_calls = any(type(part) is ToolCall and not part.is_server_side for part in parts)
        reason, native = ending_of(stated, has_calls=has_calls)
    place = index if type(index) is int else 0
    return Choice(place, Message("assistant", tuple(parts)), reason, native, None, logprobs, extras)


def _cited(parts: list[Part], details: dict[str, Any]) -> list[Part]:
    """Return the parts with their sources on the last text."""
    text = "".join(part.text for part in parts if isinstance(part, Text))
    citations = tuple(citations_of(details, text))
    last = next((place for place in reversed(range(len(parts))) if isinstance(parts[place], Text)), None)
    if not citations or last is None:
        return parts
    cited = msgspec.structs.replace(parts[last], citations=citations)
    return [*parts[:last], cited, *parts[last + 1 :]]
