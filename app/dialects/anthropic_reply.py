"""A whole answer as Anthropic writes it, and the words that streams share with it."""

from typing import Any, Final

import msgspec

from app.dialects.anthropic_blocks import answer_blocks
from app.dialects.anthropic_parts import OWN
from app.dialects.anthropic_usage import write_usage
from app.dialects.writing import Asked
from app.models.chat import FinishReason, Reply

_STOP_REASONS: Final[dict[FinishReason, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "pause": "pause_turn",
    "error": "refusal",
    "other": "end_turn",
}
"""Anthropic has no word for an answer that failed in its middle: `refusal` at least is no success."""

_NATIVE: Final = frozenset(
    [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
    ]
)
_to_json: Final = msgspec.json.Encoder().encode


def message_id(asked: Asked) -> str:
    """Return the answer's one id."""
    return f"msg_{asked.reply_id}"


def stop_reason_of(reason: FinishReason | None, native: str | None, stop_sequence: str | None) -> str:
    """Return Anthropic's word for why an answer ended; its own goes back as it came."""
    if native is not None and native in _NATIVE and not (native == "tool_use" and reason == "stop"):
        return native
    if stop_sequence is not None and reason == "stop":
        return "stop_sequence"
    return _STOP_REASONS[reason or "stop"]


def write_reply(reply: Reply, asked: Asked) -> bytes:
    """Return a whole answer. Of several choices the first is given: Anthropic's form has one."""
    is_own = reply.dialect == OWN
    extras: dict[str, Any] = dict(reply.extras or {}) if is_own else {}
    usage = write_usage(reply.usage, extras.pop("usage", None))
    choice = reply.choices[0] if reply.choices else None
    parts = choice.message.parts if choice is not None else ()
    stop_sequence = choice.stop_sequence if choice is not None else None
    reason, native = (choice.finish_reason, choice.native_finish_reason) if choice is not None else (None, None)
    of_choice: dict[str, Any] = dict(choice.extras or {}) if is_own and choice is not None else {}
    of_choice.pop("usage", None)
    body = {
        "id": message_id(asked),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": answer_blocks(parts, asked.reply_id, is_own=is_own, dialect=reply.dialect),
        "stop_reason": stop_reason_of(reason, native if is_own else None, stop_sequence),
        "stop_sequence": stop_sequence,
        "usage": usage,
    }
    return _to_json({**extras, **body, **of_choice})
