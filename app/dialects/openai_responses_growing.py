"""Items of a response that is streamed, from the event that adds one to the event that says it is done."""

from typing import Any, Final

import msgspec

from app.dialects.openai_responses_input import written_citation
from app.dialects.openai_responses_items import ITEM, Item
from app.dialects.openai_responses_output import OutputItems, sealed_thought, written_logprobs
from app.models.chat import Logprob
from app.models.delta import CallBegin, ReasoningDelta, TextDelta
from app.models.message import Citation, Extras, Text, ToolCall

_to_json: Final = msgspec.json.Encoder().encode


class Lines:
    """Events as bytes, numbered."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._number = 0

    def add(self, kind: str, fields: Item) -> None:
        """Add an event."""
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._pieces.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), _to_json(event)))

    def add_delta(self, head: bytes, delta: str, tail: bytes = b"") -> None:
        """Add an event whose beginning was made by `head_of`; of these there are many."""
        self._pieces.append(b'%b%b%b,"sequence_number":%d}\n\n' % (head, _to_json(delta), tail, self._number))
        self._number += 1

    def take(self) -> bytes:
        """Return what was added since."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def head_of(kind: str, fields: Item) -> bytes:
    """Return the beginning of a delta's event, up to the delta."""
    return b'event: %b\ndata: %b,"delta":' % (kind.encode(), _to_json({"type": kind, **fields})[:-1])


def add_whole(lines: Lines, index: int, item: Item) -> Item:
    """Add an item that comes at once; return it."""
    begun = {**item, "status": "in_progress"} if "status" in item else item
    lines.add("response.output_item.added", {"output_index": index, "item": begun})
    lines.add("response.output_item.done", {"output_index": index, "item": item})
    return item


class GrowingMessage:
    """A message: texts and refusals, one content part after the other."""

    def __init__(self, lines: Lines, items: OutputItems, index: int, own: Item | None) -> None:
        self.index = index
        self.proof: str | None = None
        """Of its text, where it has one."""
        self._lines, self._items = lines, items
        self._item = items.message(index, own)
        self._content: list[Item] = []
        self._kind = ""
        self._pieces: list[str] = []
        self._annotations: list[Item] = []
        self._logprobs: list[Item] = []
        self._extras: Extras = None
        self._head = b""
        lines.add(
            "response.output_item.added", {"output_index": index, "item": {**self._item, "status": "in_progress"}}
        )

    def say(self, delta: TextDelta, logprobs: tuple[Logprob, ...] = ()) -> None:
        """Add a piece of text, with how likely its tokens were."""
        if self._kind != "text" or delta.is_new:
            self._open("text")
        if delta.extras or delta.signature:
            self._note(delta)
        if delta.text or logprobs:
            self._pieces.append(delta.text)
            tail = b',"logprobs":[]'
            if logprobs:
                written = written_logprobs(logprobs)
                self._logprobs += written
                tail = b',"logprobs":' + _to_json(written)
            self._lines.add_delta(self._head, delta.text, tail)

    def refuse(self, text: str, extras: Extras) -> None:
        """Add a piece of a refusal."""
        if self._kind != "refusal":
            self._open("refusal")
        if extras and self._items.is_own:
            self._extras = {**(self._extras or {}), **extras}
        if text:
            self._pieces.append(text)
            self._lines.add_delta(self._head, text)

    def cite(self, citation: Citation) -> None:
        """Add a citation of the text that is being said."""
        if self._kind != "text":
            self._open("text")
        annotation = written_citation(citation, is_own=self._items.is_own)
        place = {**self._place(), "annotation_index": len(self._annotations), "annotation": annotation}
        self._annotations.append(annotation)
        self._lines.add("response.output_text.annotation.added", place)

    def close(self, status: str) -> Item:
        """End it; return it whole."""
        self._close_part()
        item = {**self._item, "content": self._content}
        if status != "completed":
            item["status"] = status
        self._lines.add("response.output_item.done", {"output_index": self.index, "item": item})
        return item

    def whole(self) -> Item:
        """Return what was said so far, without any event: for an answer that failed."""
        part = [self._part()] if self._kind else []
        return {**self._item, "status": "incomplete", "content": self._content + part}

    def _note(self, delta: TextDelta) -> None:
        if delta.signature:
            self.proof = delta.signature
        if delta.extras and self._items.is_own:
            own = delta.extras.get(ITEM)
            if isinstance(own, dict):
                self._item |= {name: value for name, value in own.items() if name != "id"}
            self._extras = {**(self._extras or {}), **delta.extras}

    def _open(self, kind: str) -> None:
        self._close_part()
        self._kind = kind
        delta = "response.output_text.delta" if kind == "text" else "response.refusal.delta"
        self._head = head_of(delta, self._place())
        self._lines.add("response.content_part.added", {**self._place(), "part": self._part()})

    def _close_part(self) -> None:
        if not self._kind:
            return
        part = self._part()
        if self._kind == "text":
            said = {"text": part["text"], "logprobs": part["logprobs"]}
            self._lines.add("response.output_text.done", {**self._place(), **said})
        else:
            self._lines.add("response.refusal.done", {**self._place(), "refusal": part["refusal"]})
        self._lines.add("response.content_part.done", {**self._place(), "part": part})
        self._content.append(part)
        self._pieces, self._annotations, self._logprobs, self._extras, self._kind = [], [], [], None, ""

    def _part(self) -> Item:
        said = "".join(self._pieces)
        if self._kind == "refusal":
            return self._items.refusal(said, self._extras)
        part = self._items.text(Text(said, extras=self._extras))
        part["annotations"] = list(self._annotations)
        part["logprobs"] = part["logprobs"] or self._logprobs
        return part

    def _place(self) -> Item:
        return {"item_id": self._item["id"], "output_index": self.index, "content_index": len(self._content)}


class GrowingThought:
    """A thought, shown as its summary."""

    def __init__(self, lines: Lines, items: OutputItems, index: int, first: ReasoningDelta) -> None:
        self.index = index
        self._lines, self._items = lines, items
        self._first = first
        self._pieces: list[str] = []
        self._signature = ""
        self._is_redacted = False
        self._origin: str | None = None
        self._extras: Extras = None
        own = (first.extras or {}) if items.is_own else {}
        self._item = {**items.empty_thought(index), **own, "summary": []}
        self._item.pop("content", None)
        self._head = b""
        lines.add("response.output_item.added", {"output_index": index, "item": self._item})

    @property
    def is_proven(self) -> bool:
        """Whether its proof has come: what follows is another thought."""
        return bool(self._signature)

    def think(self, delta: ReasoningDelta) -> None:
        """Add a piece of it, or of its proof."""
        if delta.signature:
            self._signature += delta.signature
        self._is_redacted = self._is_redacted or delta.is_redacted
        self._origin = delta.origin or self._origin
        if delta.extras:
            self._extras = {**(self._extras or {}), **delta.extras}
        if not delta.text:
            return
        if not self._pieces:
            self._lines.add("response.reasoning_summary_part.added", {**self._place(), "part": _summary("")})
            self._head = head_of("response.reasoning_summary_text.delta", self._place())
        self._pieces.append(delta.text)
        self._lines.add_delta(self._head, delta.text)

    def close(self, status: str) -> Item:
        """End it; return it whole."""
        if self._pieces:
            text = "".join(self._pieces)
            self._lines.add("response.reasoning_summary_text.done", {**self._place(), "text": text})
            self._lines.add("response.reasoning_summary_part.done", {**self._place(), "part": _summary(text)})
        item = self.whole()
        self._lines.add("response.output_item.done", {"output_index": self.index, "item": item})
        return item

    def whole(self) -> Item:
        """Return it so far, without any event."""
        text = "".join(self._pieces)
        item: Item = {**self._item, "summary": [_summary(text)] if text else []}
        if self._items.is_own and self._extras:
            item |= {name: value for name, value in self._extras.items() if name != "id"}
        proof = sealed_thought(self._signature, self._origin, self._items.dialect, is_redacted=self._is_redacted)
        return {**item, "encrypted_content": proof} if proof else item

    def _place(self) -> Item:
        return {"item_id": self._item["id"], "output_index": self.index, "summary_index": 0}


class GrowingCall:
    """A call that the client must run."""

    def __init__(self, lines: Lines, items: OutputItems, index: int, begin: CallBegin) -> None:
        self.index = index
        self._lines, self._is_own = lines, items.is_own
        call = ToolCall(begin.id, begin.name, "", is_custom=begin.is_custom, extras=begin.extras)
        self._item = {**items.call(call, index)}
        self._key = "input" if begin.is_custom else "arguments"
        self._item[self._key] = ""
        self._kind = "custom_tool_call_input" if begin.is_custom else "function_call_arguments"
        self._pieces: list[str] = []
        self._head = head_of(f"response.{self._kind}.delta", self._place())
        lines.add(
            "response.output_item.added", {"output_index": index, "item": {**self._item, "status": "in_progress"}}
        )

    def grow(self, arguments: str) -> None:
        """Add a piece of its arguments."""
        if arguments:
            self._pieces.append(arguments)
            self._lines.add_delta(self._head, arguments)

    def close(self, status: str) -> Item:
        """End it; return it whole. No arguments are an empty object."""
        if not self._pieces and self._key == "arguments" and not self._is_own:
            self.grow("{}")
        item = {**self._item, self._key: "".join(self._pieces)}
        if status != "completed":
            item["status"] = status
        self._lines.add(f"response.{self._kind}.done", {**self._place(), self._key: item[self._key]})
        self._lines.add("response.output_item.done", {"output_index": self.index, "item": item})
        return item

    def whole(self) -> Item:
        """Return it so far, without any event."""
        return {**self._item, "status": "incomplete", self._key: "".join(self._pieces)}

    def _place(self) -> Item:
        return {"item_id": self._item["id"], "output_index": self.index}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}
