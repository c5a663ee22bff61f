"""The shared form's parts as Anthropic's content blocks, in requests and in answers."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.dialects.anthropic_marks import Marks
from app.dialects.anthropic_media import media_block, own_media
from app.dialects.anthropic_parts import DOCUMENT_PLACES, OWN
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.seal import seal
from app.dialects.tool_names import ToolNames
from app.dialects.wire import UNREADABLE, decode_any
from app.models.message import Citation, Extras, Media, Part, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult

Block = dict[str, Any]

_WEB: Final = "web_search_result_location"
_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_TAG_CHARS: Final = 8


class Blocks:
    """Writes the blocks of one request."""

    def __init__(self, losses: Losses, names: ToolNames, marks: Marks, *, is_own: bool) -> None:
        """`is_own`: the request was read from this dialect, and its parts go back as they came."""
        self._losses, self._names, self._marks, self._is_own = losses, names, marks, is_own

    def of(self, parts: Iterable[Part], *, is_answer: bool = False) -> list[Block]:
        """Return the blocks of parts, in order. `is_answer`: the assistant said them.

        Raises InputError for media that Claude cannot take.
        """
        blocks: list[Block] = []
        for part in parts:
            block = self._block(part, is_answer)
            if block is not None:
                blocks.append(block)
        return blocks

    def _block(self, part: Part, is_answer: bool) -> Block | None:
        if isinstance(part, Text):
            return self._text(part)
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, Reasoning):
            return self._thought(part)
        if isinstance(part, Media):
            return self._media(part, is_answer)
        if isinstance(part, Refusal):
            return {"type": "text", "text": part.text} if part.text else None
        if self._is_own:
            return part.value if isinstance(part.value, dict) else None
        self._losses.drop(f"messages.content.{part.kind or 'part'}", "Anthropic has no such part")
        return None

    def _text(self, part: Text) -> Block | None:
        if self._is_own:
            if part.extras is not None and has_frame(part.extras):
                return framed_block(part.extras)
            return {**_own_text(part), **self._marks.field(part.cache)}
        self._tell_extras(part.extras)
        if part.citations:
            self._losses.drop("messages.content.citations", "Claude takes back only citations of its own")
        if part.signature is not None:
            self._losses.drop("messages.content.signature", "another provider's proof")
        if not part.text.strip():
            return None
        return {"type": "text", "text": part.text, **self._marks.field(part.cache)}

    def _call(self, part: ToolCall) -> Block | None:
        if part.is_server_side:
            return self._server_call(part)
        if not self._is_own:
            self._tell_extras(part.extras)
            if part.signature is not None:
                self._losses.drop("messages.content.signature", "another provider's proof")
        return {
            "type": "tool_use",
            "id": sent_id(part.id),
            "name": self._names.sent(part.name),
            "input": self._input(part),
            **self._marks.field(part.cache),
            **(part.extras if self._is_own and part.extras else {}),
        }

    def _server_call(self, part: ToolCall) -> Block | None:
        if self._is_own:
            return {**server_call(part), **self._marks.field(part.cache)}
        self._losses.drop("messages.content.server_tool", "another provider ran it")
        return None

    def _input(self, part: ToolCall) -> object:
        if part.is_custom:
            return {"input": part.arguments}
        given = input_of(part.arguments)
        if given is None:
            self._losses.change("messages.tool_calls.arguments", "no JSON object: they stand under `_raw`")
            return {"_raw": part.arguments}
        return given

    def _result(self, part: ToolResult) -> Block | None:
        if part.is_server_side:
            if self._is_own:
                return framed_block(part.extras)
            self._losses.drop("messages.content.server_tool", "another provider ran it")
            return None
        block: Block = {
            "type": "tool_result",
            "tool_use_id": sent_id(part.id),
            "content": shortest(self.of(part.parts)),
        }
        if part.is_error:
            block["is_error"] = True
        if not self._is_own:
            self._tell_extras(part.extras)
        return {**block, **self._marks.field(part.cache), **(part.extras if self._is_own and part.extras else {})}

    def _thought(self, part: Reasoning) -> Block | None:
        is_ours = part.origin == OWN or (part.origin is None and self._is_own)
        if not is_ours or (part.signature is None and not self._is_own):
            self._losses.drop("reasoning", "another provider's thoughts")
            return None
        if part.is_redacted:
            return {"type": "redacted_thinking", "data": part.signature}
        block: Block = {"type": "thinking", "thinking": part.text}
        if part.signature is not None:
            block["signature"] = part.signature
        return {**block, **(part.extras if self._is_own and part.extras else {})}

    def _media(self, part: Media, is_answer: bool) -> Block | None:
        if self._is_own:
            if part.extras is not None and has_frame(part.extras):
                return framed_block(part.extras)
            return {**own_media(part), **self._marks.field(part.cache)}
        if not is_answer:
            return {**media_block(part, self._losses), **self._marks.field(part.cache)}
        if part.transcript:
            self._losses.change("messages.assistant.audio", "what the assistant spoke goes as its words")
            return {"type": "text", "text": part.transcript}
        self._losses.drop(f"messages.assistant.{part.modality}", "Claude's own turns are words and calls")
        return None

    def _tell_extras(self, extras: Extras) -> None:
        for name in meaning(extras):
            self._losses.drop(f"messages.content.{name}", "Anthropic has no such field")


def sent_id(call_id: str | None) -> str:
    """Return a call's id as Anthropic takes it: letters, digits, `_` and `-`; the same for the call and its result."""
    if call_id is None:
        return ""
    if _ID.fullmatch(call_id):
        return call_id
    tag = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG_CHARS]
    return f"{re.sub(r'[^a-zA-Z0-9_-]', '_', call_id)}_{tag}"


def input_of(arguments: str) -> object | None:
    """Return arguments as they are written into a body, None where they are no JSON object."""
    if not arguments.strip():
        return {}
    raw = arguments.encode("utf-8", "replace")
    try:
        return msgspec.Raw(raw) if isinstance(decode_any(raw), dict) and raw[:1] == b"{" else None
    except UNREADABLE:
        return None


def answer_blocks(parts: Iterable[Part], reply_id: str, *, is_own: bool, dialect: str = "") -> list[Block]:
    """Return the blocks of an answer that was read from `dialect`.

    `is_own`: Anthropic gave it, and it goes out as it came. What this dialect has no block for (a picture that
    another's model drew, a search that another provider ran) is left out.
    """
    blocks: list[Block] = []
    n_calls = 0
    for part in parts if is_own else _with_thoughts(parts):
        if isinstance(part, ToolCall):
            block = _answer_call(part, call_id_of(part.id, reply_id, n_calls), is_own)
            n_calls += 1
        else:
            block = _answer_block(part, is_own, dialect)
        if block is not None:
            blocks.append(block)
    return blocks


def _with_thoughts(parts: Iterable[Part]) -> list[Part]:
    """Return the parts with the proof of a call on the thought before it: a call has no place for one here."""
    shaped: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCall) and part.signature and not part.is_server_side:
            last = shaped[-1] if shaped else None
            if isinstance(last, Reasoning) and last.signature is None:
                shaped[-1] = msgspec.structs.replace(last, signature=part.signature, origin=part.origin)
            else:
                shaped.append(Reasoning("", part.signature, origin=part.origin))
        shaped.append(part)
    return shaped


def call_id_of(call_id: str | None, reply_id: str, place: int) -> str:
    """Return a call's id for a client; one that came without gets its own."""
    return sent_id(call_id) if call_id else f"toolu_{reply_id}{place:02x}"


def proof_for(proof: str | None, origin: str | None, dialect: str) -> str:
    """Return the proof of a thought as a client of this dialect may hold it.

    Another provider's is sealed. So is its absence, so that a thought without proof is known as another's when it
    comes back.
    """
    return seal(proof or "", origin or dialect or None, OWN)


def _answer_block(part: Part, is_own: bool, dialect: str) -> Block | None:
    if isinstance(part, Raw):
        return part.value if is_own and isinstance(part.value, dict) else None
    extras = (part.extras or {}) if is_own else {}
    if extras and not isinstance(part, Reasoning | Refusal) and has_frame(extras):
        return framed_block(extras)
    if isinstance(part, Text):
        if is_own:
            return _own_text(part)
        return {"type": "text", "text": part.text, **_cited(part.citations)} if part.text or part.citations else None
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text} if part.text else None
    if isinstance(part, Reasoning):
        proof = proof_for(part.signature, part.origin, dialect)
        if part.is_redacted:
            return {"type": "redacted_thinking", "data": proof}
        return {"type": "thinking", "thinking": part.text, "signature": proof, **extras}
    if isinstance(part, Media) and part.transcript:
        return {"type": "text", "text": part.transcript}
    return None


def _answer_call(part: ToolCall, call_id: str, is_own: bool) -> Block | None:
    if part.is_server_side:
        return server_call(part) if is_own else None
    given: object = {"input": part.arguments} if part.is_custom else input_of(part.arguments)
    shown = {"_raw": part.arguments} if given is None else given
    extras = (part.extras or {}) if is_own else {}
    return {"type": "tool_use", "id": call_id, "name": part.name, "input": shown, **extras}


def server_call(part: ToolCall) -> Block:
    """Return the block of a call that Anthropic's own side runs."""
    given = input_of(part.arguments)
    shown = {"_raw": part.arguments} if given is None else given
    return {"type": "server_tool_use", "id": part.id, "name": part.name, "input": shown, **(part.extras or {})}


def written_citation(citation: Citation) -> Block:
    """Return a citation; another provider's goes as one of a page on the web, which has no proof to be sent back."""
    kind = (citation.extras or {}).get("type")
    if kind is None:
        shown = {"url": citation.url or "", "title": citation.title, "cited_text": citation.quote or ""}
        return {"type": _WEB, **shown, "encrypted_index": ""}
    block: Block = {"cited_text": citation.quote or ""}
    if citation.url is not None:
        block["url"] = citation.url
    if citation.title is not None:
        block["document_title" if kind in DOCUMENT_PLACES else "title"] = citation.title
    return {**block, **(citation.extras or {})}


def shortest(blocks: list[Block]) -> object:
    """Return a content: its text alone where that is all, as most clients write it."""
    if not blocks:
        return ""
    only = blocks[0]
    return only["text"] if len(blocks) == 1 and len(only) == 2 and only["type"] == "text" else blocks


def has_frame(extras: dict[str, object]) -> bool:
    """Return whether a part stands in a block of another type, which its extras keep."""
    return any(value is None or (isinstance(value, dict) and value.get("type") == key) for key, value in extras.items())


def framed_block(extras: Extras) -> Block | None:
    """Return the block that a part's extras keep; None for the later parts of one."""
    for value in (extras or {}).values():
        if isinstance(value, dict):
            return value
    return None


def _own_text(part: Text) -> Block:
    """A document of plain text was read as its text."""
    document = (part.extras or {}).get("document")
    if isinstance(document, dict):
        source = document.get("source")
        head = source if isinstance(source, dict) else {}
        return {"type": "document", **document, "source": {**head, "data": part.text}}
    return {"type": "text", "text": part.text, **_cited(part.citations), **(part.extras or {})}


def _cited(citations: tuple[Citation, ...]) -> Block:
    return {"citations": [written_citation(citation) for citation in citations]} if citations else {}
