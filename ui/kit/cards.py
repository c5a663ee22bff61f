"""A conversation as cards: one a text, thought, tool call, tool result or picture. Pure; no Qt.

What belongs together is joined by id: a result's card knows the name of the call it answers, and each points at the
other.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec

from app.models.chat import Choice
from app.models.message import Media, Message, Part, Raw, Reasoning, Refusal, Role, Text, ToolCall, ToolResult
from app.models.trace import Conversation
from ui import format

FOLDED_LINES: Final = 6
FOLDED_REASONING: Final = 2
LONG_RESULT_LINES: Final = 14
PRETTY_LIMIT: Final = 64_000
SHORT: Final = 72
"""JSON up to this long reads well on one line."""
Tone = Literal["plain", "error"]


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `text` is what it shows plain; `source` makes its JSON view."""

    role: Role
    title: str
    text: str
    meta: str = ""
    is_code: bool = False
    """Fixed-width, never rendered as markdown."""
    is_folded: bool = False
    """Shown by its first lines until unfolded."""
    tone: Tone = "plain"
    media: Media | None = None
    source: Message | Part | None = None
    call_id: str | None = None
    partner: int = -1
    """The card of the call for a result, of the result for a call; -1 for none."""
    is_new: bool = True
    """Not part of an earlier call of this conversation."""
    is_answer: bool = False

    def json_text(self) -> str:
        """Return the card's source as indented JSON."""
        return json.dumps(msgspec.to_builtins(self.source), indent=2, ensure_ascii=False)


def cards_of(conversation: Conversation) -> list[Card]:
    """Return the request's messages and then the answer's choices."""
    cards: list[Card] = []
    request, reply = conversation.request, conversation.reply
    for place, message in enumerate(request.messages if request else ()):
        is_new = place >= conversation.entered_from
        cards += [replace(card, is_new=is_new) for card in _of_message(message)]
    for choice in reply.choices if reply else ():
        cards += [replace(card, is_answer=True) for card in _of_choice(choice, reply.choices if reply else ())]
    if reply is not None and reply.error is not None:
        kind = reply.error.type or reply.error.code or ""
        cards.append(Card("assistant", "Error", reply.error.message, kind, tone="error", is_answer=True))
    return _joined(cards)


def first_new(cards: Sequence[Card]) -> int:
    """Return the first card that no earlier call had, -1 where all or none are new."""
    for place, card in enumerate(cards):
        if card.is_new:
            return place if place else -1
    return -1


def _of_choice(choice: Choice, choices: Sequence[Choice]) -> list[Card]:
    cards = list(_of_message(choice.message))
    reason = choice.native_finish_reason or choice.finish_reason or ""
    number = f"choice {choice.index + 1} of {len(choices)}" if len(choices) > 1 else ""
    if cards:
        note = " · ".join(part for part in (number, cards[-1].meta, reason) if part)
        cards[-1] = replace(cards[-1], meta=note)
    return cards


def _of_message(message: Message) -> Iterator[Card]:
    """Yield a card a run of text, and one a part of any other kind."""
    texts: list[str] = []
    title = message.role.capitalize() + (f" · {message.name}" if message.name else "")
    for part in message.parts:
        if isinstance(part, Text):
            texts.append(part.text)
            continue
        if texts:
            yield _text_card(message, title, "\n".join(texts))
            texts = []
        yield _of_part(message, part)
    if texts:
        yield _text_card(message, title, "\n".join(texts))
    if not message.parts:
        yield Card(message.role, title, "", "empty", source=message)


def _text_card(message: Message, title: str, text: str) -> Card:
    is_long = message.role in ("system", "developer") and _lines(text) > FOLDED_LINES
    return Card(message.role, title, text, is_folded=is_long, source=message)


def _of_part(message: Message, part: Part) -> Card:
    role = message.role
    if isinstance(part, Reasoning):
        text = part.text or "(withheld by the provider: only its signature was sent)"
        return Card(role, "Reasoning", text, is_folded=_lines(text) > FOLDED_REASONING, source=part)
    if isinstance(part, Refusal):
        return Card(role, "Refusal", part.text, tone="error", source=part)
    if isinstance(part, ToolCall):
        title = "Provider tool call" if part.is_server_side else "Tool call"
        text = pretty(part.arguments)
        is_long = _lines(text) > LONG_RESULT_LINES
        card = Card("tool", f"{title}  {part.name}", text, part.id or "", is_code=True, is_folded=is_long)
        return replace(card, source=part, call_id=part.id)
    if isinstance(part, ToolResult):
        return _of_result(part)
    if isinstance(part, Media):
        return Card(role, part.modality.capitalize(), "", _media_note(part), media=part, source=part)
    return Card(role, part.kind or "Part", _raw_text(part), is_code=True, source=part)


def _of_result(part: ToolResult) -> Card:
    texts = [inner.text for inner in part.parts if isinstance(inner, Text)]
    media = next((inner for inner in part.parts if isinstance(inner, Media)), None)
    others = [_raw_text(inner) for inner in part.parts if isinstance(inner, Raw)]
    text = pretty("\n".join(texts + others))
    tone: Tone = "error" if part.is_error else "plain"
    title = f"Tool result  {part.name}" if part.name else "Tool result"
    is_long = _lines(text) > LONG_RESULT_LINES
    card = Card("tool", title, text, part.id or "", is_code=text[:1] in ("[", "{"), is_folded=is_long, tone=tone)
    return replace(card, media=media, source=part, call_id=part.id)


def _joined(cards: list[Card]) -> list[Card]:
    """Point calls and results with the same id at each other, and name results after their calls."""
    asked = [(place, card) for place, card in enumerate(cards) if isinstance(card.source, ToolCall)]
    calls = {card.call_id: place for place, card in asked if card.call_id}
    for place, card in enumerate(cards):
        if not isinstance(card.source, ToolResult) or card.call_id not in calls:
            continue
        caller = calls[card.call_id]
        call = cards[caller].source
        name = card.source.name or (call.name if isinstance(call, ToolCall) else "")
        cards[place] = replace(card, title=f"Tool result  {name}", partner=caller)
        cards[caller] = replace(cards[caller], partner=place)
    return cards


def pretty(text: str) -> str:
    """Return JSON text indented where it is JSON and not too long, else as it is."""
    if not SHORT < len(text) <= PRETTY_LIMIT or text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= SHORT else json.dumps(value, indent=2, ensure_ascii=False)


def _raw_text(part: Raw) -> str:
    return json.dumps(part.value, indent=2, ensure_ascii=False, default=str)


def _media_note(part: Media) -> str:
    size = format.size(len(part.data) * 3 // 4 - part.data[-2:].count("=")) if part.data else ""
    where = format.one_line(part.url, 60) if part.url else part.file_id or ""
    return " · ".join(text for text in (part.media_type or "", size, part.name or "", where) if text)


def _lines(text: str) -> int:
    """Return about how many lines a text takes on a card."""
    return sum(1 + len(line) // 90 for line in text.split("\n", 200))
