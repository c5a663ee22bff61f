"""What a Cohere answer says beside its message: why it ended, what it used, how likely its words were."""

from typing import Final

from app.dialects.finish import finish_of
from app.dialects.wire import count, entries, fields
from app.models.chat import FinishReason, Logprob, ReplyError
from app.models.usage import Usage

NAME: Final = "cohere"


def reason_of(native: str | None, *, has_calls: bool) -> FinishReason | None:
    """Return why an answer ended, in the one set of words."""
    if native == "TIMEOUT":
        return "error"
    return finish_of(native.lower() if native else None, has_calls=has_calls)


def failure_of(native: str | None, message: str | None) -> ReplyError | None:
    """Return the error of an answer that ended with one."""
    if native not in ("ERROR", "TIMEOUT"):
        return None
    return ReplyError(native, message or f"The answer ended with {native}.")


def usage_of(usage: object) -> Usage | None:
    """Return what a `usage` object says.

    `billed_units` is what the price is for; `tokens` also counts Cohere's own preamble and is used where nothing was
    billed. Thoughts are part of the output (https://docs.cohere.com/reference/chat, usage).
    """
    if not isinstance(usage, dict):
        return None
    billed, tokens = fields(usage.get("billed_units")), fields(usage.get("tokens"))
    sent, got = (
        count(billed.get(side)) if billed.get(side) is not None else count(tokens.get(side))
        for side in ("input_tokens", "output_tokens")
    )
    if sent is None and got is None:
        return None
    read = count(usage.get("cached_tokens"))
    thought = count(tokens.get("reasoning_tokens"))
    return Usage(
        input_tokens=sent,
        output_tokens=got,
        cache_read_tokens=read if read is not None and read <= (sent or 0) else None,
        reasoning_tokens=thought if thought is None or got is None else min(thought, got),
    )


def logprobs_of(items: object) -> tuple[Logprob, ...]:
    """Return the likelihood of every piece of text; one of several tokens has their sum."""
    found = []
    for item in entries(items):
        values = item.get("logprobs")
        if isinstance(item.get("text"), str) and isinstance(values, list) and values:
            known = [value for value in values if isinstance(value, int | float)]
            found.append(Logprob(item["text"], float(sum(known))))
    return tuple(found)
