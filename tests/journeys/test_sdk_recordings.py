"""The vendors' own SDKs on recorded traffic: what the window shows is what the SDK returned."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from journeys.desktop_trip import Trip, travel
from journeys.replay import CONFIG, Made, Sdks, Wanted, chosen, parsed, replay_upstream
from PySide6.QtWidgets import QApplication
from shared_folder import find

from app.models.message import Media, Message, Reasoning, ToolCall
from ui import format
from ui.traces.columns import Column

MOST = 2
"""Recordings of each kind."""


def kinds(api: str, provider: str, *features: str) -> list[Wanted]:
    """Plain, and each feature, whole and streamed."""
    both = [Wanted(api, provider, frozenset({f} if f else ()), s) for f in ("", *features) for s in (False, True)]
    return [*both, Wanted(api, provider, frozenset({"error"}))]


KINDS = {
    "openai.chat": [
        *kinds("openai.chat", "openai", "tool_call", "parallel_tools", "tool_result"),
        Wanted("openai.chat", "openai", frozenset({"vision"})),
        Wanted("openai.chat", "deepseek", frozenset({"thinking"})),
        Wanted("openai.chat", "groq", frozenset({"thinking"}), True),
        Wanted("openai.chat", "groq", frozenset({"midstream_error"}), True),
    ],
    "openai.responses": [
        *kinds("openai.responses", "openai", "tool_call", "thinking", "tool_result"),
        Wanted("openai.responses", "openai", frozenset({"vision"})),
    ],
    "anthropic.messages": [
        *kinds("anthropic.messages", "anthropic", "tool_call", "thinking", "tool_result"),
        Wanted("anthropic.messages", "anthropic", frozenset({"vision"})),
        Wanted("anthropic.messages", "anthropic", frozenset({"cache_hit"})),
    ],
    "google.generate": [
        *kinds("google.generate", "google", "tool_call", "thinking", "tool_result"),
        Wanted("google.generate", "google", frozenset({"vision"})),
    ],
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:journeys.replay", "ignore:The model:DeprecationWarning")
@pytest.mark.parametrize("api", list(KINDS))
def test_the_window_shows_what_the_sdk_returned(qapp: QApplication, tmp_path: Path, api: str) -> None:
    folder = find("wire")
    played = list(chosen(folder, KINDS[api], MOST))

    async def journey(trip: Trip) -> None:
        problems = []
        with closing(Sdks(trip.url, await trip.new_key())) as sdks:
            for kind, record in played:
                made = await asyncio.to_thread(sdks.play, record)
                try:
                    await see(trip, kind, made)
                except AssertionError as problem:
                    problems.append(f"{record['id']} ({', '.join(sorted(kind.features))}): {problem}")
        assert not problems, "\n".join(problems)

    with replay_upstream(folder, {api}) as port:
        travel(qapp, tmp_path, journey, config=CONFIG.format(port=port))


async def see(trip: Trip, kind: Wanted, made: Made) -> None:
    """The call's row, its span and its cards say what the SDK returned."""
    trace_id = await trip.trace_of(made.request_id)
    view = await trip.open(trace_id)
    span = view.inspector.span
    assert span is not None and span.request_id == made.request_id
    shown: dict[str, Any] = {"text": "", "reasoning": "", "tools": []}
    for card in trip.answer():
        if isinstance(card.source, Reasoning):
            shown["reasoning"] += card.source.text
        elif isinstance(card.source, ToolCall) and not card.source.is_server_side:
            shown["tools"].append((card.source.name, parsed(card.source.arguments)))
        elif isinstance(card.source, Message):
            shown["text"] += card.text
    if made.error is not None:
        assert trip.tree()[-1].endswith("!") and kind.is_error
        assert trip.why().partition(": ")[2][:40] in str(made.error)
        return
    assert trip.why() == ""
    assert _flat(shown["text"]) == _flat(made.text)
    assert _flat(shown["reasoning"]) == _flat(made.reasoning)
    assert shown["tools"] == made.tools
    if "vision" in kind.features:
        assert any(isinstance(card.source, Media) or card.media for card in trip.cards())
    facts = await trip.attributes("Tokens")
    assert (facts.get("Input"), facts.get("Output")) == _counts(made)
    row = view.row
    assert row is not None
    if row.n_spans - len(made.tools) <= 1:
        trip.traces.list.let_in()
        cell = {column: trip.traces.list.model.text(row, column) for column in Column}
        assert cell[Column.STATUS] == "ok"
        if made.input_tokens is not None and made.output_tokens is not None:
            assert cell[Column.TOKENS] == " → ".join(text or "–" for text in _counts(made))
            assert kind.provider == "groq" or cell[Column.COST] not in ("–", "$0"), "priced in the book, but no cost"


def _counts(made: Made) -> tuple[str | None, str | None]:
    def text(count: int | None) -> str | None:
        return None if count is None else format.tokens(count)

    return text(made.input_tokens), text(made.output_tokens)


def _flat(text: str) -> str:
    return "".join(text.split())
