"""A whole chat completion, written: as it stood, or from another dialect's answer."""

from typing import Any, Final

from app.dialects.openai_chat_messages import media_entry, own_message, sent_call
from app.dialects.seal import seal
from app.dialects.writing import Asked
from app.models.chat import Choice, FinishReason, Logprob, Reply
from app.models.message import Citation, Media, Reasoning, Refusal, Text, ToolCall
from app.models.usage import Usage

Entry = dict[str, Any]

_WORDS: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "pause": "stop",
    "other": "stop",
    "error": "stop",
}


def completion_id(asked: Asked) -> str:
    """Return the id of an answer."""
    return f"chatcmpl-{asked.reply_id}"


def own_reply(reply: Reply) -> Entry:
    """Return an answer of this dialect as it stood."""
    written: Entry = {"id": reply.id, "model": reply.model, "created": reply.created_s}
    written["choices"] = [_own_choice(choice) for choice in reply.choices]
    return {name: value for name, value in written.items() if value is not None} | (reply.extras or {})


def written_reply(reply: Reply, asked: Asked) -> Entry:
    """Return another dialect's answer as a completion."""
    written: Entry = {
        "id": completion_id(asked),
        "object": "chat.completion",
        "created": asked.created_s,
        "model": asked.model,
        "choices": [_choice(choice) for choice in reply.choices] or [_nothing()],
    }
    if reply.usage is not None:
        written["usage"] = usage_entry(reply.usage)
        if reply.usage.service_tier is not None:
            written["service_tier"] = reply.usage.service_tier
    return written


def usage_entry(usage: Usage) -> Entry:
    """Return usage in chat's words."""
    sent, got = usage.input_tokens or 0, usage.output_tokens or 0
    of_input: Entry = {"cached_tokens": usage.cache_read_tokens or 0}
    if usage.cache_write_tokens is not None:
        of_input["cache_write_tokens"] = usage.cache_write_tokens
    if usage.input_audio_tokens is not None:
        of_input["audio_tokens"] = usage.input_audio_tokens
    of_output: Entry = {"reasoning_tokens": usage.reasoning_tokens or 0}
    if usage.output_audio_tokens is not None:
        of_output["audio_tokens"] = usage.output_audio_tokens
    return {
        "prompt_tokens": sent,
        "completion_tokens": got,
        "total_tokens": sent + got,
        "prompt_tokens_details": of_input,
        "completion_tokens_details": of_output,
    }


def finish_word(reason: FinishReason, native: str | None, *, has_calls: bool) -> Entry:
    """Return the fields that say why an answer ended; another's own word stands beside ours."""
    word = _WORDS[reason]
    if has_calls and word == "stop":
        word = "tool_calls"
    written: Entry = {"finish_reason": word}
    if native is not None and native != word:
        written["native_finish_reason"] = native
    return written


def annotation_of(citation: Citation) -> Entry:
    """Return a citation as an annotation."""
    cited: Entry = {"url": citation.url or "", "title": citation.title or ""}
    cited["start_index"], cited["end_index"] = citation.start or 0, citation.end or 0
    if citation.quote is not None:
        cited["content"] = citation.quote
    return {"type": "url_citation", "url_citation": cited}


def written_logprobs(logprobs: tuple[Logprob, ...]) -> Entry:
    """Return how likely the tokens were."""
    return {"content": [_logprob(one) for one in logprobs], "refusal": None}


def _logprob(one: Logprob) -> Entry:
    return {**_token(one), "top_logprobs": [_token(top) for top in one.top]}


def _token(one: Logprob) -> Entry:
    utf8 = list(one.utf8) if one.utf8 is not None else None
    return {"token": one.token, "logprob": one.logprob, "bytes": utf8}


def _own_choice(choice: Choice) -> Entry:
    [message] = own_message(choice.message)
    message.setdefault("content", None)
    return {"index": choice.index, "message": message} | (choice.extras or {})


def _choice(choice: Choice) -> Entry:
    texts: list[str] = []
    refusals: list[str] = []
    thoughts: list[str] = []
    blocks: list[Entry] = []
    calls: list[Entry] = []
    annotations: list[Entry] = []
    message: Entry = {"role": "assistant", "content": None, "refusal": None}
    for part in choice.message.parts:
        if isinstance(part, Text):
            texts.append(part.text)
            annotations += [annotation_of(citation) for citation in part.citations]
        elif isinstance(part, Refusal):
            refusals.append(part.text)
        elif isinstance(part, Reasoning):
            thoughts += [part.text] if part.text and not part.is_redacted else []
            blocks += _block(part)
        elif isinstance(part, ToolCall) and not part.is_server_side:
            calls.append(sent_call(part, part.name))
            if part.signature is not None:
                proof = Reasoning("", part.signature, origin=part.origin)
                blocks += [block | {"tool_call_id": part.id} for block in _block(proof)]
        elif isinstance(part, Media):
            _show(part, message)
    if texts:
        message["content"] = "".join(texts)
    if refusals:
        message["refusal"] = "".join(refusals)
    for field, said in (
        ("reasoning_content", "\n".join(thoughts)),
        ("thinking_blocks", blocks),
        ("annotations", annotations),
        ("tool_calls", calls),
    ):
        if said:
            message[field] = said
    ending = finish_word(choice.finish_reason or "stop", choice.native_finish_reason, has_calls=bool(calls))
    logprobs = written_logprobs(choice.logprobs) if choice.logprobs else None
    return {"index": choice.index, "message": message, "logprobs": logprobs, **ending}


def _block(part: Reasoning) -> list[Entry]:
    """Return a thought with its proof as clients may hold it: Anthropic's bare, others' sealed."""
    if part.signature is None:
        return []
    proof = part.signature if part.origin == "anthropic" else seal(part.signature, part.origin, "openai_chat")
    if part.is_redacted:
        return [{"type": "redacted_thinking", "data": proof}]
    return [{"type": "thinking", "thinking": part.text, "signature": proof}]


def _show(media: Media, message: Entry) -> None:
    if media.modality == "audio" and media.data is not None:
        message["audio"] = {"id": "audio_0", "data": media.data, "expires_at": 0, "transcript": media.transcript or ""}
    elif media.modality == "image" and (entry := media_entry(media)) is not None:
        message.setdefault("images", []).append(entry)


def _nothing() -> Entry:
    message = {"role": "assistant", "content": None, "refusal": None}
    return {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
