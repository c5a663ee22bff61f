"""An answer written as a response of OpenAI's: its items, and the object around them.

https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Iterable
from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.openai_responses_ids import minted
from app.dialects.openai_responses_input import INSTRUCTIONS, written_citation
from app.dialects.openai_responses_items import DIALECT, ITEM, OF_CALL, OF_TEXT, REDACTED, Item
from app.dialects.openai_responses_tools import written_choice, written_tools
from app.dialects.seal import seal
from app.dialects.wire import UNREADABLE, decode_any, fields
from app.dialects.writing import Asked
from app.models.chat import Logprob, Reply, ReplyError
from app.models.message import Extras, Media, Part, Raw, Reasoning, Refusal, Text, ToolCall
from app.models.usage import Usage

_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
CUT: Final = ReplyError("server_error", "The answer ended before it was whole.")
_TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
_ERROR_CODE: Final = "server_error"


def written_reply(reply: Reply, asked: Asked) -> Item:
    """Return a whole response. It has the id that was given for it, or its own where it was OpenAI's already."""
    choice = reply.choices[0] if reply.choices else None
    is_own = reply.dialect == DIALECT
    writer = OutputItems(asked, reply.dialect)
    output = writer.items(choice.message.parts, choice.logprobs or ()) if choice else []
    reason = choice.finish_reason if choice else None
    error = reply.error or (None if reply.is_complete else CUT)
    status, details = ending(reason, has_failed=error is not None)
    if status == "incomplete" and output and output[-1].get("status") == "completed":
        output[-1] = {**output[-1], "status": "incomplete"}
    usage = reply.usage
    response = skeleton(asked)
    response |= {"status": status, "incomplete_details": details, "output": output, "usage": written_usage(usage)}
    if error is not None:
        response["error"] = written_error(error)
    if tier := served_tier(usage):
        response["service_tier"] = tier
    return _own_reply(reply, response) if is_own else response


def skeleton(asked: Asked) -> Item:
    """Return a response that has nothing in it yet, with the fields of its request repeated as the API does."""
    request = asked.request
    settings, params = request.settings, request.params
    losses = Losses()
    choice = request.tool_choice
    return {
        "id": f"resp_{asked.reply_id}",
        "object": "response",
        "created_at": asked.created_s,
        "status": "in_progress",
        "background": params.get("background") is True,
        **_conversation(params.get("conversation")),
        "error": None,
        "incomplete_details": None,
        "instructions": _instructions(asked),
        "max_output_tokens": settings.max_tokens,
        "max_tool_calls": params.get("max_tool_calls"),
        "model": asked.model,
        "output": [],
        "parallel_tool_calls": settings.parallel_tool_calls is not False,
        "previous_response_id": params.get("previous_response_id"),
        "prompt_cache_key": settings.prompt_cache_key,
        "reasoning": _reasoning(asked),
        "safety_identifier": settings.user if (settings.extras or {}).get("user") else None,
        "service_tier": settings.service_tier or "default",
        "store": settings.store is not False,
        "temperature": settings.temperature,
        "text": _text(asked),
        "tool_choice": "auto" if choice is None else written_choice(choice, request, str, is_own=True),
        "tools": written_tools(request, str, losses, is_own=True),
        "top_logprobs": settings.top_logprobs or 0,
        "top_p": settings.top_p,
        "truncation": params.get("truncation") or "disabled",
        "usage": None,
        "user": None if (settings.extras or {}).get("user") else settings.user,
        "metadata": settings.metadata or {},
    }


def _conversation(named: object) -> Item:
    """Return the field that names a response's conversation, where its request did."""
    return {} if named is None else {"conversation": named if isinstance(named, dict) else {"id": named}}


def ending(reason: str | None, *, has_failed: bool) -> tuple[str, Item | None]:
    """Return the status of a response and the details of one that is incomplete."""
    if has_failed or reason == "error":
        return "failed", None
    if reason in _INCOMPLETE:
        return "incomplete", {"reason": _INCOMPLETE[reason]}
    if reason == "pause":
        return "incomplete", {"reason": None}
    return "completed", None


def written_error(error: ReplyError) -> Item:
    """Return an error as a failed response has it."""
    return {"code": error.code or error.type or _ERROR_CODE, "message": error.message}


def written_usage(usage: Usage | None) -> Item | None:
    """Return a usage; all counts are integers, 0 where nothing was said."""
    if usage is None:
        return None
    sent, got = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": sent,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": got,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": sent + got,
    }


def served_tier(usage: Usage | None) -> str | None:
    """Return the tier that served an answer in OpenAI's words, None where it has none for it."""
    tier = usage.service_tier if usage is not None else None
    return "default" if tier in ("standard", "on_demand") else tier if tier in _TIERS else None


def written_logprobs(logprobs: Iterable[Logprob]) -> list[Item]:
    """Return the likelihoods of tokens as a text has them."""
    return [{**_token(each), "top_logprobs": [_token(other) for other in each.top]} for each in logprobs]


def sealed(signature: str, origin: str | None, dialect: str, mark: str = "") -> str | None:
    """Return a proof as the client keeps it, None for one of which nobody knows whose it is.

    `dialect` is the answer's own; `mark` says what the proof belongs to, where it is no thought's.
    """
    owner = origin or dialect
    if not owner or (owner == DIALECT and mark):
        return None
    return seal(mark + signature if owner != DIALECT else signature, owner, DIALECT)


def sealed_thought(signature: str | None, origin: str | None, dialect: str, *, is_redacted: bool) -> str | None:
    """Return the proof of a thought as the client keeps it, None where there is none."""
    if not signature:
        return None
    return sealed(signature, origin, dialect, "" if (origin or dialect) == DIALECT else REDACTED * is_redacted)


class OutputItems:
    """Makes the items of one answer, each whole. Their ids come from the answer's and their place in the output."""

    def __init__(self, asked: Asked, dialect: str) -> None:
        """`dialect`: the one that the answer was read from; its own fields are kept where that is this one."""
        self._owner = asked.reply_id
        self.dialect = dialect
        self.is_own = dialect == DIALECT

    def items(self, parts: Iterable[Part], logprobs: Iterable[Logprob]) -> list[Item]:
        """Return the items of a message's parts: one message for every run of texts."""
        items: list[Item] = []
        said: Item | None = None
        left = written_logprobs(logprobs)
        for part in parts:
            if isinstance(part, Text | Refusal):
                own = self.own_item(part.extras)
                if said is None or own is not None:
                    said = self.message(len(items), own)
                    items.append(said)
                if isinstance(part, Text):
                    entry = self.text(part)
                    if not entry["logprobs"]:
                        entry["logprobs"], left = left, []
                    said["content"].append(entry)
                    if proof := self.text_proof(part.signature, len(items)):
                        items.append(proof)
                        said = None
                else:
                    said["content"].append(self.refusal(part.text, part.extras))
                continue
            for item in self.others(part, len(items)):
                said = None
                items.append(item)
        return items

    def message(self, place: int, own: Item | None) -> Item:
        """Return a message item that nothing is said in yet."""
        item = {"id": minted("message", self._owner, place), "type": "message", "status": "completed"}
        return {**item, "role": "assistant", "content": [], **(own or {})}

    def text(self, text: Text) -> Item:
        """Return a text as a content part."""
        annotations = [written_citation(citation, is_own=self.is_own) for citation in text.citations]
        entry: Item = {"type": "output_text", "text": text.text, "annotations": annotations, "logprobs": []}
        if self.is_own and text.extras:
            entry |= {name: value for name, value in text.extras.items() if name != ITEM}
        return entry

    def refusal(self, text: str, extras: Extras) -> Item:
        """Return a refusal as a content part."""
        own = {name: value for name, value in (extras or {}).items() if name != ITEM} if self.is_own else {}
        return {"type": "refusal", "refusal": text, **own}

    def text_proof(self, signature: str | None, place: int) -> Item | None:
        """Return the item that carries the proof of the text before it."""
        proof = sealed(signature, None, self.dialect, OF_TEXT) if signature else None
        return self._proof(proof, place) if proof else None

    def call_proof(self, signature: str | None, origin: str | None, place: int) -> Item | None:
        """Return the item that carries the proof of the call after it."""
        proof = sealed(signature, origin, self.dialect, OF_CALL) if signature else None
        return self._proof(proof, place) if proof else None

    def reasoning(self, thought: Reasoning, place: int) -> Item | None:
        """Return a thought, None for one that neither says nor proves anything."""
        proof = sealed_thought(thought.signature, thought.origin, self.dialect, is_redacted=thought.is_redacted)
        own = (thought.extras or {}) if self.is_own else {}
        if not thought.text and proof is None and not own:
            return None
        summary = [{"type": "summary_text", "text": thought.text}] if thought.text else []
        item: Item = {**self.empty_thought(place), "summary": summary, **own}
        if proof is not None:
            item["encrypted_content"] = proof
        return item

    def empty_thought(self, place: int) -> Item:
        """Return a thought that nothing is known of yet."""
        return {"id": minted("reasoning", self._owner, place), "type": "reasoning", "summary": []}

    def call(self, call: ToolCall, place: int) -> Item:
        """Return a call that the client must run."""
        kind, key = ("custom_tool_call", "input") if call.is_custom else ("function_call", "arguments")
        arguments = call.arguments if call.is_custom or self.is_own else call.arguments or "{}"
        item: Item = {
            "id": minted(kind, self._owner, place),
            "type": kind,
            "status": "completed",
            "call_id": call.id or f"call_{self._owner}{place:02x}",
            "name": call.name,
            key: arguments,
        }
        return {**item, **((call.extras or {}) if self.is_own else {})}

    def others(self, part: Part, place: int) -> list[Item]:
        """Return the items of a part that is no text: none where it has no place in a response."""
        if isinstance(part, Reasoning):
            thought = self.reasoning(part, place)
            return [thought] if thought else []
        if self.is_own:
            if isinstance(part, Raw):
                return [part.value] if isinstance(part.value, dict) else []
            if part.extras and ITEM in part.extras:
                whole = part.extras[ITEM]
                return [whole] if isinstance(whole, dict) else []
        if isinstance(part, ToolCall):
            return self._calls(part, place)
        if isinstance(part, Media) and part.modality == "image" and part.data:
            return [self._image(part, place)]
        if isinstance(part, Media) and part.transcript:
            return [{**self.message(place, None), "content": [self.text(Text(part.transcript))]}]
        return []

    def own_item(self, extras: Extras) -> Item | None:
        """Return the fields of the message item that a text begins, None where it goes on in the same one."""
        own = (extras or {}).get(ITEM) if self.is_own else None
        return own if isinstance(own, dict) else None

    def _calls(self, call: ToolCall, place: int) -> list[Item]:
        if call.is_server_side:
            return [self._search(call, place)] if "web_search" in call.name else []
        proof = self.call_proof(call.signature, call.origin, place)
        return [proof, self.call(call, place + 1)] if proof else [self.call(call, place)]

    def _search(self, call: ToolCall, place: int) -> Item:
        """Return another provider's web search as OpenAI writes its own."""
        try:
            query = fields(decode_any(call.arguments.encode("utf-8", "replace"))).get("query")
        except UNREADABLE:
            query = None
        action = {"type": "search", "query": query if isinstance(query, str) else ""}
        item_id = minted("web_search_call", self._owner, place)
        return {"id": item_id, "type": "web_search_call", "status": "completed", "action": action}

    def _image(self, media: Media, place: int) -> Item:
        kind = "image_generation_call"
        item: Item = {"id": minted(kind, self._owner, place), "type": kind, "status": "completed", "result": media.data}
        form = (media.media_type or "").removeprefix("image/")
        return {**item, "output_format": form} if form else item

    def _proof(self, proof: str, place: int) -> Item:
        return {**self.empty_thought(place), "encrypted_content": proof}


def _own_reply(reply: Reply, response: Item) -> Item:
    """Return a response that was OpenAI's already: with its own id and fields, and none that it did not have."""
    own = reply.extras or {}
    made = response["created_at"] if reply.created_s is None else reply.created_s
    kept = {"id": reply.id or response["id"], "model": response["model"], "created_at": made}
    return {**(kept if own else {**response, **kept}), "output": response["output"], **own}


def _instructions(asked: Asked) -> str | None:
    messages = asked.request.messages
    return messages[0].text() if messages and (messages[0].extras or {}).get(INSTRUCTIONS) else None


def _reasoning(asked: Asked) -> Item:
    thinking = asked.request.settings.thinking
    given = fields(asked.request.params.get("reasoning"))
    if thinking is None:
        return {"effort": None, "summary": None, **given}
    effort = thinking.effort if thinking.is_on else "none"
    return {"effort": effort, "summary": None, **(thinking.extras or {}), **given}


def _text(asked: Asked) -> Item:
    verbosity = asked.request.settings.verbosity
    said = {"verbosity": verbosity} if verbosity else {}
    return {"format": _format(asked), **said, **fields(asked.request.params.get("text"))}


def _format(asked: Asked) -> Item:
    output = asked.request.settings.output
    if output is None or output.kind == "text":
        return {"type": "text"}
    if output.kind == "json":
        return {"type": "json_object"}
    form: Item = {"type": "json_schema", "name": output.name or "output", "schema": output.schema}
    return {**form, "description": output.description, "strict": output.strict is True, **(output.extras or {})}


def _token(logprob: Logprob) -> dict[str, Any]:
    utf8 = logprob.utf8 if logprob.utf8 is not None else tuple(logprob.token.encode("utf-8", "replace"))
    return {"token": logprob.token, "bytes": list(utf8), "logprob": logprob.logprob}
