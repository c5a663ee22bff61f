"""What an Ollama answer says beside its message: when, why it ended, what it used, how likely its words were."""

from datetime import datetime

from app.dialects.finish import finish_of
from app.dialects.wire import count, entries
from app.models.chat import FinishReason, Logprob
from app.models.usage import Usage


def reason_of(native: str | None, *, is_done: bool, has_calls: bool) -> FinishReason | None:
    """Return why an answer ended; servers before 0.1.38 say only that it did."""
    if native is None and is_done and not has_calls:
        return "stop"
    return finish_of(native, has_calls=has_calls)


def usage_of(sent: object, got: object) -> Usage | None:
    """Return what was used. A prompt that the server still had in memory may be left out of an answer."""
    input_tokens, output_tokens = count(sent), count(got)
    if input_tokens is None and output_tokens is None:
        return None
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens)


def seconds_of(created_at: object) -> int | None:
    """Return a time that is written with nanoseconds, in seconds UTC."""
    if not isinstance(created_at, str):
        return None
    try:
        return int(datetime.fromisoformat(created_at[:19] + "+00:00").timestamp())
    except ValueError:
        return None


def logprobs_of(items: object) -> tuple[Logprob, ...]:
    """Return the likelihood of tokens."""
    return tuple(found for item in entries(items) if (found := _logprob(item)) is not None)


def _logprob(item: dict[str, object]) -> Logprob | None:
    token, value, utf8 = item.get("token"), item.get("logprob"), item.get("bytes")
    if not isinstance(token, str) or not isinstance(value, int | float):
        return None
    is_bytes = isinstance(utf8, list) and all(isinstance(byte, int) for byte in utf8)
    return Logprob(
        token,
        float(value),
        tuple(utf8) if is_bytes and isinstance(utf8, list) else None,
        logprobs_of(item.get("top_logprobs")),
    )
