"""A response of OpenAI's as a reply: what it says, how it ended, what it used."""

import dataclasses
from typing import Any, Final

from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.openai_responses_items import DIALECT, Item, turn_of
from app.dialects.openai_usage import usage_of
from app.dialects.wire import count, entries, fields, text_or_none, word
from app.models.chat import Choice, FinishReason, Logprob, Reply
from app.models.delta import Begin
from app.models.message import Message
from app.models.usage import Usage

OUTPUT: Final = "output"
"""In a reply's extras: the whole output, where it has items that are not the answer's."""
_LATEST_S: Final = 1e12


def reply_of(whole: Item) -> Reply:
    """Return the reply of a whole response. Its extras hold all that is neither id, model, time nor output."""
    output = entries(whole.get("output"))
    items = answer_items(output)
    message = Message("assistant", turn_of(items))
    has_calls = any(not call.is_server_side for call in message.tool_calls())
    reason, native = ended(whole, has_calls=has_calls)
    error = error_of({"error": whole["error"]}, 200) if whole.get("error") else None
    choice = Choice(0, message, reason, native, logprobs=_logprobs(items))
    head = begin_of(whole)
    if len(items) < len(output):
        whole[OUTPUT] = output
    return Reply(
        id=head.id,
        model=head.model,
        choices=(choice,) if items or native else (),
        usage=used(whole.get("usage"), whole.get("service_tier"), items),
        error=error,
        created_s=head.created_s,
        extras=head.extras,
        dialect=DIALECT,
    )


def answer_items(output: list[Item]) -> list[Item]:
    """Return the items that answer: a compaction repeats the user's messages among its output."""
    return [item for item in output if item.get("role", "assistant") == "assistant"]


def ended(whole: Item, *, has_calls: bool) -> tuple[FinishReason | None, str | None]:
    """Return why a response ended, in one word for all and in its own; None where it still goes on."""
    native = word(fields(whole.get("incomplete_details")).get("reason")) or word(whole.get("status"))
    if native in ("in_progress", "queued"):
        return None, None
    return finish_of(native, has_calls=has_calls), native


def used(usage: object, tier: object, items: list[Item]) -> Usage | None:
    """Return a usage with the web searches that OpenAI bills and leaves out of it: they are counted in the output."""
    found = usage_of(usage, tier)
    searches = sum(item.get("type") == "web_search_call" and item.get("status") != "failed" for item in items)
    if found is None or not searches or found.web_searches is not None:
        return found
    return dataclasses.replace(found, web_searches=searches)


def begin_of(whole: Item) -> Begin:
    """Return the head of a response. What remains of `whole` without it becomes its extras: nothing is copied."""
    created = whole.pop("created_at", None)  # some servers say it with a fraction
    made = count(int(created)) if isinstance(created, int | float) and abs(created) < _LATEST_S else None
    response_id, model = text_or_none(whole.pop("id", None)), text_or_none(whole.pop("model", None))
    whole.pop("output", None)
    return Begin(response_id, model, made, whole or None, DIALECT)


def logprobs_of(listed: object) -> tuple[Logprob, ...]:
    """Return the likelihoods of tokens as events and texts list them."""
    return tuple(map(_logprob, entries(listed)))


def _logprobs(items: list[Item]) -> tuple[Logprob, ...] | None:
    found: list[Logprob] = []
    for item in items:
        content = item.get("content")
        if isinstance(content, list) and item.get("type") == "message":
            for entry in content:
                if isinstance(entry, dict) and entry.get("logprobs"):
                    found += logprobs_of(entry["logprobs"])
    return tuple(found) or None


def _logprob(entry: dict[str, Any]) -> Logprob:
    utf8, value = entry.get("bytes"), entry.get("logprob")
    return Logprob(
        str(entry.get("token", "")),
        float(value) if isinstance(value, int | float) else 0.0,
        tuple(byte for byte in utf8 if isinstance(byte, int)) if isinstance(utf8, list) else None,
        logprobs_of(entry.get("top_logprobs")),
    )
