"""A conversation as Gemini's `contents` and `systemInstruction`.

https://ai.google.dev/api/caching#Content, https://ai.google.dev/gemini-api/docs/thought-signatures
"""

import base64
from collections.abc import Sequence
from typing import Final

import msgspec

from app.dialects.gemini_media import media_part
from app.dialects.gemini_parts import OWN
from app.dialects.gemini_thinking import is_third_or_later
from app.dialects.gemini_wire import Block, answer_of, arguments_of, own_part, thought_of, with_extras
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.tool_names import ToolNames
from app.dialects.turns import alternating, call_names, identified, leading_system, with_results
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.message import Extras, Media, Message, Part, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.target import Target

SKIP: Final = base64.b64encode(b"skip_thought_signature_validator").decode()
"""What Google documents for calls that Gemini 3 never made."""
_FIRST_WORDS: Final = "(The conversation begins with the model.)"
_IN_RESULTS: Final = ("image/", "application/pdf", "text/plain")
"""What may stand inside of a function's response.
https://ai.google.dev/gemini-api/docs/function-calling#multimodal"""


class Contents:
    """Writes one request's conversation."""

    def __init__(self, request: ChatRequest, target: Target, names: ToolNames, losses: Losses) -> None:
        self._request, self._target = request, target
        self._names, self._losses = names, losses
        self._is_own = request.dialect == OWN
        self._custom = frozenset(tool.name for tool in request.tools if tool.kind == "custom")
        self._called: dict[str, str] = {}
        self.system: list[Block] = []
        """The parts of the system instruction."""
        self.contents: list[Block] = []

    def write(self) -> None:
        """Set `system` and `contents`.

        Raises InputError for media in the system prompt, and as `media_part`.
        """
        if self._is_own:
            self._write_own()
        else:
            self._write_foreign()
        if self._target.traits.needs_signatures:
            for content in self.contents:
                _sign(content)

    def _write_own(self) -> None:
        leading, rest = leading_system(self._request.messages)
        self.system = [own_part(part) for message in leading for part in message.parts]
        for message in rest:
            parts = [own_part(part) for part in message.parts if not self._is_anothers(part)]
            role = "model" if message.role == "assistant" else "user"
            if parts or not message.parts:
                self.contents.append(with_extras({"role": role, "parts": parts}, message.extras))

    def _is_anothers(self, part: Part) -> bool:
        """Whether a thought is another provider's, in a conversation that had a turn of its."""
        if isinstance(part, Reasoning) and part.signature and part.origin not in (None, OWN):
            self._losses.drop("reasoning", "another provider's thoughts")
            return True
        return False

    def _write_foreign(self) -> None:
        messages = with_results(identified(self._request.messages))
        self._called = call_names(messages)
        leading, rest = leading_system(messages)
        self._tell(messages)
        if not rest and leading:
            self._losses.change("messages.system", "Gemini wants a user's text: the system prompt is it")
            rest = tuple(Message("user", message.parts) for message in leading)
            leading = ()
        for message in leading:
            for part in message.parts:
                if isinstance(part, Media):
                    raise InputError("Gemini takes no media in a system prompt.", hint="Put them in a user's message.")
                if isinstance(part, Text) and part.text:
                    self.system.append({"text": part.text})
        for turn in alternating(self._plain(rest)):
            parts = self._model_parts(turn) if turn.role == "assistant" else self._user_parts(turn)
            if parts:
                self._append("model" if turn.role == "assistant" else "user", parts)
        if not self.contents or self.contents[0]["role"] == "model":
            self.contents.insert(0, {"role": "user", "parts": [{"text": _FIRST_WORDS}]})
            self._losses.change("messages", "Gemini wants the user to begin: a placeholder stands first")

    def _append(self, role: str, parts: list[Block]) -> None:
        if self.contents and self.contents[-1]["role"] == role:
            self.contents[-1]["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": parts})

    def _plain(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages of which none is a system's: those within go as the user's text, where they stand."""
        plain: list[Message] = []
        for message in messages:
            if message.role in ("system", "developer"):
                self._losses.change("messages.system", "a system message within the conversation goes as a user's text")
                message = Message("user", message.parts)
            plain.append(message)
        return plain

    def _model_parts(self, turn: Message) -> list[Block]:
        parts: list[Block] = []
        for part in _proofs_in_place(turn.parts):
            if isinstance(part, Reasoning):
                if part.origin == OWN and (part.text or part.signature):
                    parts.append(thought_of(part, OWN))
                elif part.origin != OWN:
                    self._losses.drop("reasoning", "another provider's thoughts")
            elif isinstance(part, ToolCall):
                parts += self._call(part)
            else:
                parts += self._said(part)
        return parts

    def _call(self, call: ToolCall) -> list[Block]:
        if call.is_server_side:
            self._losses.drop("messages.content.server_tool", "another provider ran it")
            return []
        arguments = arguments_of(call.arguments, is_custom=call.is_custom or call.name in self._custom)
        said: Block = {"name": self._names.sent(call.name), "args": arguments}
        block: Block = {"functionCall": said if call.id is None else {"id": call.id, **said}}
        if call.signature is not None:
            if call.origin in (None, OWN):
                block["thoughtSignature"] = call.signature
            else:
                self._losses.drop("reasoning", "another provider's thoughts")
        return [block]

    def _user_parts(self, turn: Message) -> list[Block]:
        parts: list[Block] = []
        after: list[Block] = []
        for part in turn.parts:
            if isinstance(part, ToolResult) and not part.is_server_side:
                parts.append(self._result(part, after))
        parts += after
        for part in turn.parts:
            if not isinstance(part, ToolResult):
                parts += self._said(part)
        return parts

    def _result(self, result: ToolResult, after: list[Block]) -> Block:
        """Return a function's response; media that cannot stand in it go to `after`."""
        texts = [part.text for part in result.parts if isinstance(part, Text | Refusal)]
        media = [part for part in result.parts if isinstance(part, Media)]
        name = self._called.get(result.id or "") or result.name or ""
        answer = answer_of("\n".join(texts), is_error=result.is_error)
        said: Block = {"name": self._names.sent(name), "response": answer}
        if result.id is not None:
            said = {"id": result.id, **said}
        inside: list[Block] = []
        outside: list[Block] = []
        for one in media:
            block = media_part(one, self._target.traits, self._losses)
            kind = next(iter(block.values()))
            can_stand = is_third_or_later(self._target) and str(_type_in(kind)).startswith(_IN_RESULTS)
            (inside if can_stand and "inlineData" in block else outside).append(block)
        if inside:
            said["parts"] = inside
        if outside:
            self._losses.change("messages.tool.content", "media of a tool's result stand behind it")
            after += [{"text": f"From the result of {name} ({result.id or 'no id'}):"}, *outside]
        return {"functionResponse": said}

    def _said(self, part: Part) -> list[Block]:
        if isinstance(part, Text):
            if not part.text and not part.signature:
                return []
            signed = {"thoughtSignature": part.signature} if part.signature else {}
            return [{"text": part.text, **signed}]
        if isinstance(part, Refusal):
            return [{"text": part.text}] if part.text else []
        if isinstance(part, Media):
            if part.transcript and part.data is None and part.url is None:
                self._losses.change("messages.content.audio", "the words of what was spoken go instead of the sound")
                return [{"text": part.transcript}]
            return [media_part(part, self._target.traits, self._losses)]
        if isinstance(part, Raw):
            self._losses.drop(f"messages.content.{part.kind or 'part'}", "Gemini has no such part")
        elif isinstance(part, Reasoning):
            self._losses.drop("reasoning", "another provider's thoughts")
        elif isinstance(part, ToolResult):
            self._losses.drop("messages.content.server_tool", "another provider ran it")
        return []

    def _tell(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.name is not None:
                self._losses.drop("messages.name", "Gemini has no names of speakers")
            self._tell_extras("messages", message.extras)
            self._tell_parts(message.parts)

    def _tell_parts(self, parts: Sequence[Part]) -> None:
        for part in parts:
            if isinstance(part, Raw):
                continue
            if part.extras and not isinstance(part, Reasoning):
                self._tell_extras("messages.content", part.extras)
            if getattr(part, "cache", None) is not None:
                self._losses.drop("cache_control", "Gemini takes no marks for caching")
            if isinstance(part, Text) and part.citations:
                self._losses.drop("messages.content.citations", "Gemini takes back no citations of others")
            elif isinstance(part, ToolResult):
                self._tell_parts(part.parts)

    def _tell_extras(self, where: str, extras: Extras) -> None:
        for name in meaning(extras):
            self._losses.drop(f"{where}.{name}", "Gemini has no such field")


def _proofs_in_place(parts: Sequence[Part]) -> list[Part]:
    """Return a turn with proofs of Gemini's on the calls they were given on.

    Gemini hangs the proof on the call after the thought; dialects without a place for it there keep it on the thought.
    """
    placed: list[Part] = []
    pending: int | None = None
    for part in parts:
        if isinstance(part, Reasoning) and part.signature and part.origin == OWN:
            pending = len(placed)
        elif isinstance(part, ToolCall) and not part.is_server_side:
            if pending is not None and part.signature is None:
                thought = placed[pending]
                assert isinstance(thought, Reasoning)
                part = msgspec.structs.replace(part, signature=thought.signature, origin=OWN)
                placed[pending] = msgspec.structs.replace(thought, signature=None)
            pending = None
        placed.append(part)
    return placed


def _sign(content: Block) -> None:
    """Have the first call of a turn bear a proof, as Gemini 3 demands."""
    calls = [part for part in content["parts"] if "functionCall" in part]
    if calls and not any(call.get("thoughtSignature") for call in calls):
        calls[0]["thoughtSignature"] = SKIP


def _type_in(block: object) -> object:
    return block.get("mimeType") if isinstance(block, dict) else None
