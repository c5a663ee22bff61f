"""The items of one response's stream while they are written, and what was told of each."""

from typing import Final

from app.dialects.openai_responses_items import (
    CALL_FIELDS,
    DIALECT,
    ITEM,
    MESSAGE_FIELDS,
    OF_CALL,
    OF_TEXT,
    REASONING_FIELDS,
    Item,
    citation_of,
    own_fields,
    part_of,
    parts_of,
)
from app.dialects.openai_responses_reply import logprobs_of
from app.dialects.wire import entries, json_text, text_or_none, word
from app.models.delta import (
    CallBegin,
    CallDelta,
    CallEnd,
    CitationDelta,
    Delta,
    LogprobsDelta,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
)
from app.models.message import Extras, Reasoning, Refusal, Text, ToolCall

_CALLS: Final = ("function_call", "custom_tool_call")


class _OpenItem:
    """One item. `told` counts characters by what they are and the index of their content part."""

    __slots__ = ("cited", "head", "is_done", "logged", "place", "thought", "told")

    def __init__(self) -> None:
        self.head: Item = {}
        self.told: dict[tuple[str, int], int] = {}
        self.cited: dict[int, int] = {}
        self.logged: set[int] = set()
        self.place: int | None = None
        """Of its call, once that was told."""
        self.thought: str | None = None
        """Which of a thought is told: itself or its summary."""
        self.is_done = False


class OpenItems:
    """All items of a stream, by output index."""

    def __init__(self) -> None:
        self._items: dict[int, _OpenItem] = {}
        self._n_calls = 0
        self._last: _OpenItem | None = None
        """Which told something last."""
        self._proof: Reasoning | None = None
        """Of the next call."""
        self.has_calls = False
        """Whether there are calls that the client must run."""

    def begin(self, index: object, item: Item, out: list[Delta]) -> None:
        """Take an item that begins."""
        found = self._item(index)
        if found.is_done:
            return
        found.head = item
        if item.get("type") in _CALLS and found.place is None and _call_id(item) and item.get("name"):
            self._begin_call(found, item, out)
            if said := _arguments(item):
                self._suffix(found, "arguments", 0, said, out)

    def grow(self, index: object, what: str, content_index: object, delta: str, out: list[Delta]) -> None:
        """Take a piece: of text, refusal, thought, summary or arguments."""
        found = self._item(index)
        if not found.is_done:
            self._tell(found, what, content_index if isinstance(content_index, int) else 0, delta, out)

    def complete(self, index: object, what: str, content_index: object, whole: str, out: list[Delta]) -> None:
        """Take the whole of what pieces may have told before."""
        found = self._item(index)
        if not found.is_done:
            self._suffix(found, what, content_index if isinstance(content_index, int) else 0, whole, out)

    def note_citation(self, index: object, content_index: object) -> None:
        """Note that a citation of a text was told."""
        place = content_index if isinstance(content_index, int) else 0
        cited = self._item(index).cited
        cited[place] = cited.get(place, 0) + 1

    def note_logprobs(self, index: object, content_index: object) -> None:
        """Note that a text's likelihoods are told with its pieces."""
        self._item(index).logged.add(content_index if isinstance(content_index, int) else 0)

    def end(self, index: object, item: Item, out: list[Delta]) -> None:
        """Take an item that is whole: tell what was not told of it."""
        self._end(self._item(index), item, out)

    def end_all(self, items: list[Item], out: list[Delta]) -> None:
        """Take the items of the whole response: those that were not told, and what is missing of the others.

        Servers give an item another id in the last event; its place and type tell that it is the same.
        """
        for index, item in enumerate(items):
            found = self._items.get(index)
            if found is None or found.head.get("type", item.get("type")) != item.get("type"):
                found = self._named(item)
            if found is None:
                found = self._item(max(self._items, default=-1) + 1)
            self._end(found, item, out)
        self.let_go(out)

    def let_go(self, out: list[Delta]) -> None:
        """Tell what was begun, never ended, and has no pieces: a search that was under way."""
        for found in self._items.values():
            head = found.head
            if not found.is_done and head.get("type") not in (None, "message", "reasoning", *_CALLS):
                self._end(found, head, out)

    def searches(self) -> list[Item]:
        """Return the items as they were last stated."""
        return [found.head for found in self._items.values()]

    def _end(self, found: _OpenItem, item: Item, out: list[Delta]) -> None:
        if found.is_done:
            return
        presumed = found.head
        found.head, found.is_done = item, True
        kind = item.get("type") or "message"
        if kind == "message":
            self._end_message(found, presumed, out)
        elif kind == "reasoning":
            self._end_thought(found, out)
        elif kind in _CALLS:
            if found.place is None:
                self._begin_call(found, item, out)
            self._suffix(found, "arguments", 0, _arguments(item), out)
            out.append(CallEnd(found.place or 0))
        else:
            self._tell_whole(item, out)

    def _end_message(self, found: _OpenItem, presumed: Item, out: list[Delta]) -> None:
        item = found.head
        has_words = bool(found.told)
        streamed = sorted({index for _, index in found.told})  # Bedrock's count from 1
        for place, entry in enumerate(entries(item.get("content"))):
            index = streamed[place] if place < len(streamed) else place + len(streamed)
            part = part_of(entry, "output_text")
            if isinstance(part, Text):
                self._suffix(found, "text", index, part.text, out)
                told = found.cited.get(index, 0)
                out += [CitationDelta(citation_of(each)) for each in entries(entry.get("annotations"))[told:]]
                if entry.get("logprobs") and index not in found.logged:
                    out.append(LogprobsDelta(logprobs_of(entry["logprobs"])))
                if part.extras:
                    out.append(TextDelta("", extras=part.extras))
            elif isinstance(part, Refusal):
                self._suffix(found, "refusal", index, part.text, out)
            else:
                out.append(PartDelta(part))
        if not found.told:
            self._tell(found, "text", 0, "", out)
        elif has_words and (own := own_fields(item, MESSAGE_FIELDS)) != _finished(presumed, MESSAGE_FIELDS):
            out.append(TextDelta("", extras={ITEM: own or {}}))

    def _end_thought(self, found: _OpenItem, out: list[Delta]) -> None:
        part = parts_of(found.head)[0]
        assert isinstance(part, Reasoning)
        signature = part.signature or ""
        if part.origin not in (None, DIALECT) and signature.startswith(OF_CALL):
            self._proof = part
        elif part.origin not in (None, DIALECT) and signature.startswith(OF_TEXT):
            out.append(TextDelta("", signature=signature.removeprefix(OF_TEXT)))
        else:
            told = found.told.get(("thought", 0), 0)
            is_new, rest = not found.told, part.text[told:]
            if not is_new and self._last is not found and not rest and part.signature is None:
                return  # OpenRouter ends a thought after the text that followed it
            out.append(ReasoningDelta(rest, 0, is_new, part.signature, part.is_redacted, part.origin, part.extras))

    def _tell_whole(self, item: Item, out: list[Delta]) -> None:
        for part in parts_of(item):
            if isinstance(part, ToolCall):
                place = self._new_place(is_server_side=part.is_server_side)
                out.append(CallBegin(place, part.id, part.name, is_server_side=part.is_server_side, extras=part.extras))
                out += [CallDelta(place, part.arguments), CallEnd(place)]
            else:
                out.append(PartDelta(part))

    def _begin_call(self, found: _OpenItem, item: Item, out: list[Delta]) -> None:
        found.place = self._new_place(is_server_side=False)
        proof, self._proof = self._proof, None
        out.append(
            CallBegin(
                found.place,
                _call_id(item),
                word(item.get("name")) or "",
                is_custom=item.get("type") == "custom_tool_call",
                signature=(proof.signature or "").removeprefix(OF_CALL) if proof else None,
                origin=proof.origin if proof else None,
                extras=_finished(item, CALL_FIELDS),
            )
        )

    def _suffix(self, found: _OpenItem, what: str, index: int, whole: str, out: list[Delta]) -> None:
        """Tell what is missing of a text whose beginning was told."""
        told = found.told.get((what, index))
        if told is None or len(whole) > told:
            self._tell(found, what, index, whole[told or 0 :], out)

    def _tell(self, found: _OpenItem, what: str, index: int, delta: str, out: list[Delta]) -> None:
        key = (what, index)
        told = found.told.get(key)
        self._last = found
        if what == "text":
            if told is None:
                out.append(TextDelta(delta, is_new=True, extras=_begun(found)))
            elif delta:
                out.append(TextDelta(delta))
        elif what == "arguments":
            if found.place is None:
                return  # its name has not come
            if delta:
                out.append(CallDelta(found.place, delta))
        elif what == "refusal":
            out.append(RefusalDelta(delta, extras=_begun(found) if told is None else None))
        else:
            self._tell_thought(found, what, index, delta, out)
            return
        found.told[key] = (told or 0) + len(delta)

    def _tell_thought(self, found: _OpenItem, what: str, index: int, delta: str, out: list[Delta]) -> None:
        """Parts of a thought are told as one, a blank line between; all characters count for the first."""
        if found.thought not in (None, what) or not delta:
            return
        is_new, found.thought = not found.told, what
        if ("part", index) not in found.told:
            found.told["part", index] = 0
            delta = delta if is_new else "\n\n" + delta
        own = _finished(found.head, REASONING_FIELDS) if is_new else None
        out.append(ReasoningDelta(delta, is_new=is_new, extras=own))
        found.told["thought", 0] = found.told.get(("thought", 0), 0) + len(delta)

    def _new_place(self, *, is_server_side: bool) -> int:
        self.has_calls = self.has_calls or not is_server_side
        self._n_calls += 1
        return self._n_calls - 1

    def _named(self, item: Item) -> _OpenItem | None:
        item_id = text_or_none(item.get("id"))
        if item_id is None:
            return None
        return next((found for found in self._items.values() if found.head.get("id") == item_id), None)

    def _item(self, index: object) -> _OpenItem:
        place = index if isinstance(index, int) else max(self._items, default=0)
        found = self._items.get(place)
        if found is None:
            found = self._items[place] = _OpenItem()
        return found


def _begun(found: _OpenItem) -> Extras:
    """Return the extras of the first words of a message item, None where they are not the first."""
    if found.told or not found.head:
        return None
    own = _finished(found.head, MESSAGE_FIELDS)
    return {ITEM: own} if own else None


def _finished(item: Item, known: frozenset[str]) -> Extras:
    """Return an item's own fields as they will be when it is whole."""
    own = own_fields(item, known)
    return {**own, "status": "completed"} if own and "status" in own else own


def _call_id(item: Item) -> str | None:
    return word(item.get("call_id")) or word(item.get("id"))


def _arguments(item: Item) -> str:
    said = item.get("input") if item.get("type") == "custom_tool_call" else item.get("arguments", item.get("input"))
    if isinstance(said, str):
        return said
    return "" if said is None else json_text(said)
