"""Why an answer ended, in one set of words. A provider's failure never becomes `stop`."""

from typing import Final

from app.models.chat import FinishReason

_WORDS: Final[dict[FinishReason, str]] = {
    "stop": "stop eos eos_token end_turn stop_sequence end complete completed finished done STOP",
    "length": "length max_tokens max_output_tokens model_length model_context_window_exceeded max_length MAX_TOKENS",
    "tool_calls": "tool_calls function_call tool_use tool_call",
    "content_filter": (
        "content_filter content_filtered refusal safety sensitive guardrail_intervened "
        "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII LANGUAGE MODEL_ARMOR "
        "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION"
    ),
    "error": (
        "error network_error insufficient_system_resource engine_overloaded abort failed cancelled "
        "OTHER MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE "
        "MALFORMED_RESPONSE NO_IMAGE IMAGE_OTHER malformed_model_output malformed_tool_use"
    ),
    "pause": "pause_turn compaction",
}
_REASONS: Final[dict[str, FinishReason]] = {word: reason for reason, words in _WORDS.items() for word in words.split()}


def finish_of(native: str | None, *, has_calls: bool) -> FinishReason | None:
    """Return the one word for a provider's own.

    An answer that asks for tools ended for that, whatever it says, unless it was cut, filtered or failed.
    """
    if native is None:
        return "tool_calls" if has_calls else None
    reason = _REASONS.get(native, "other")
    return "tool_calls" if has_calls and reason in ("stop", "other") else reason
