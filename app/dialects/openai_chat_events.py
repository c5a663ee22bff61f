"""An OpenAI chat stream as a client reads it: chunks of one completion, whatever the provider's stream was like.

Role first, finish reasons behind all content, usage in a chunk of its own where it was asked for, `[DONE]` last. A
stream that failed ends with an error and neither a finish reason nor `[DONE]`.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.dialects.openai_chat_messages import media_entry
from app.dialects.openai_chat_reply import (
    annotation_of,
    completion_id,
    finish_word,
    usage_entry,
    written_logprobs,
)
from app.dialects.seal import seal
from app.dialects.writing import Asked
from app.models.chat import ReplyError
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CitationDelta,
    Delta,
    Failed,
    Finish,
    LogprobsDelta,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageDelta,
)
from app.models.message import Media
from app.models.usage import Usage

_to_json: Final = msgspec.json.Encoder().encode
_CUT: Final = ReplyError("server_error", "The provider's stream ended before it said it was done.")


class ChatEvents:
    """Writes one stream."""

    def __init__(self, asked: Asked) -> None:
        head = {
            "id": completion_id(asked),
            "object": "chat.completion.chunk",
            "created": asked.created_s,
            "model": asked.model,
        }
        self._head = b"data: " + _to_json(head)[:-1]
        self._includes_usage = asked.request.settings.includes_usage is True
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None
        self._error: ReplyError | None = None

    def write(self, deltas: Sequence[Delta]) -> bytes:
        """Return the chunks for these deltas."""
        out: list[bytes] = []
        for delta in deltas:
            if isinstance(delta, TextDelta):
                if delta.text:
                    self._say(delta.choice, {"content": delta.text}, out)
            elif isinstance(delta, CallDelta):
                self._grow_call(delta, out)
            elif isinstance(delta, ReasoningDelta):
                self._think(delta, out)
            elif isinstance(delta, CallBegin):
                self._begin_call(delta, out)
            elif isinstance(delta, Finish):
                self._choice(delta.choice, out).finish = delta
            elif isinstance(delta, Begin):
                self._choice(0, out)
            elif isinstance(delta, UsageDelta):
                self._usage = delta.usage
            elif isinstance(delta, Failed):
                self._error = self._error or delta.error
            else:
                self._add_rare(delta, out)
        return b"".join(out)

    def close(self, *, is_complete: bool) -> bytes:
        """Return the end of the stream."""
        if self._error is not None or not is_complete:
            error = self._error or _CUT
            said = {"message": error.message, "type": error.type or "server_error", "param": error.param}
            return b"data: " + _to_json({"error": said | {"code": error.code}}) + b"\n\n"
        out: list[bytes] = []
        self._choice(0, out)
        for index, choice in self._choices.items():
            out.append(self._chunk(index, {}, choice.ending()))
        if self._includes_usage:
            usage = b',"choices":[],"usage":' + _to_json(usage_entry(self._usage or Usage())) + b"}\n\n"
            out.append(self._head + usage)
        out.append(b"data: [DONE]\n\n")
        return b"".join(out)

    def ping(self) -> bytes:
        """Return a comment."""
        return b": ping\n\n"

    def _choice(self, index: int, out: list[bytes]) -> "_Choice":
        found = self._choices.get(index)
        if found is None:
            found = self._choices[index] = _Choice()
            out.append(self._chunk(index, {"role": "assistant", "content": ""}))
        return found

    def _say(self, index: int, delta: dict[str, Any], out: list[bytes]) -> None:
        if index not in self._choices:
            self._choice(index, out)
        out.append(self._chunk(index, delta))

    def _chunk(self, index: int, delta: dict[str, Any], ending: dict[str, Any] | None = None) -> bytes:
        choice = {"index": index, "delta": delta, **(ending or {"finish_reason": None})}
        return self._head + b',"choices":[' + _to_json(choice) + b"]}\n\n"

    def _think(self, delta: ReasoningDelta, out: list[bytes]) -> None:
        """Say a thought; its proof comes as one of Anthropic's blocks, which clients may send back."""
        choice = self._choice(delta.choice, out)
        if delta.is_new:
            choice.thought = []
        if delta.text and not delta.is_redacted:
            choice.thought.append(delta.text)
            self._say(delta.choice, {"reasoning_content": delta.text}, out)
        if delta.signature is not None:
            block = thinking_block("".join(choice.thought), delta.signature, delta.origin, delta.is_redacted)
            self._say(delta.choice, {"thinking_blocks": [{"index": choice.n_blocks, **block}]}, out)
            choice.n_blocks += 1
            choice.thought = []

    def _begin_call(self, call: CallBegin, out: list[bytes]) -> None:
        """Begin a call; what the provider runs itself is none of the client's."""
        choice = self._choice(call.choice, out)
        if call.is_server_side:
            return
        index = choice.calls.setdefault(call.place, len(choice.calls))
        choice.is_custom[call.place] = call.is_custom
        field, said = ("custom", "input") if call.is_custom else ("function", "arguments")
        begun = {"index": index, "id": call.id, "type": field, field: {"name": call.name, said: ""}}
        self._say(call.choice, {"tool_calls": [begun]}, out)
        if call.signature is not None:
            block = thinking_block("", call.signature, call.origin, False)
            block["tool_call_id"] = call.id
            self._say(call.choice, {"thinking_blocks": [{"index": choice.n_blocks, **block}]}, out)
            choice.n_blocks += 1

    def _grow_call(self, delta: CallDelta, out: list[bytes]) -> None:
        choice = self._choice(delta.choice, out)
        index = choice.calls.get(delta.place)
        if index is None or not delta.arguments:
            return
        choice.has_arguments.add(delta.place)
        field, said = ("custom", "input") if choice.is_custom[delta.place] else ("function", "arguments")
        self._say(delta.choice, {"tool_calls": [{"index": index, field: {said: delta.arguments}}]}, out)

    def _add_rare(self, delta: Delta, out: list[bytes]) -> None:
        if isinstance(delta, RefusalDelta):
            self._say(delta.choice, {"refusal": delta.text}, out)
        elif isinstance(delta, CitationDelta):
            choice = self._choice(delta.choice, out)
            entry = {"index": choice.n_citations, **annotation_of(delta.citation)}
            choice.n_citations += 1
            self._say(delta.choice, {"annotations": [entry]}, out)
        elif isinstance(delta, LogprobsDelta):
            self._choice(delta.choice, out)
            ending = {"finish_reason": None, "logprobs": written_logprobs(delta.logprobs)}
            out.append(self._chunk(delta.choice, {}, ending))
        elif isinstance(delta, PartDelta) and isinstance(delta.part, Media):
            self._show(delta.part, delta.choice, out)

    def _show(self, media: Media, index: int, out: list[bytes]) -> None:
        """Give an image or a sound that the model made."""
        choice = self._choice(index, out)
        if media.modality == "audio" and media.data is not None:
            sound = {"id": f"audio_{index}", "data": media.data, "transcript": media.transcript or ""}
            self._say(index, {"audio": sound}, out)
        elif media.modality == "image" and (entry := media_entry(media)) is not None:
            self._say(index, {"images": [{"index": choice.n_images, **entry}]}, out)
            choice.n_images += 1


class _Choice:
    """What was said in one choice."""

    __slots__ = (
        "calls",
        "finish",
        "has_arguments",
        "is_custom",
        "n_blocks",
        "n_citations",
        "n_images",
        "thought",
    )

    def __init__(self) -> None:
        self.calls: dict[int, int] = {}
        """Place of a call in the deltas → its index in the chunks."""
        self.is_custom: dict[int, bool] = {}
        self.has_arguments: set[int] = set()
        self.finish: Finish | None = None
        self.thought: list[str] = []
        self.n_blocks = 0
        self.n_citations = 0
        self.n_images = 0

    def ending(self) -> dict[str, Any]:
        """Return the fields of the chunk that ends it."""
        if self.finish is None:
            return {"finish_reason": "tool_calls" if self.calls else "stop"}
        return finish_word(self.finish.reason, self.finish.native, has_calls=bool(self.calls))


def thinking_block(text: str, signature: str, origin: str | None, is_redacted: bool) -> dict[str, Any]:
    """Return a thought with its proof as clients may hold it: Anthropic's bare, others' sealed."""
    proof = signature if origin == "anthropic" else seal(signature, origin, "openai_chat")
    if is_redacted:
        return {"type": "redacted_thinking", "data": proof}
    return {"type": "thinking", "thinking": text, "signature": proof}
