"""A call's bodies, and what its request would become."""

import asyncio
from typing import Any, cast

import msgspec
from made_desk import make_desk
from made_traces import FakeReader, span_detail
from pytestqt.qtbot import QtBot

from ui.traces.body_tab import RequestTab, translation_text

SAID: dict[str, Any] = {
    "provider": "anthropic",
    "model": "claude-sonnet-4-5",
    "dialect": "anthropic",
    "is_translated": True,
    "url": "https://api.anthropic.com/v1/messages",
    "headers": {"anthropic-version": "2023-06-01"},
    "body": {"model": "claude-sonnet-4-5", "max_tokens": 4096},
    "losses": [{"field": "seed", "reason": "Anthropic has no seed", "kind": "dropped"}],
}


class OneBody(FakeReader):
    """Has one request."""

    async def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        if method == "body":
            return b'{"model": "gpt-4o", "messages": []}'
        return '{"model": "gpt-4o"}' if method == "text" else await super().ask(method, *arguments, **named)


def test_a_request_is_shown_as_it_would_be_for_another_model(qtbot: QtBot) -> None:
    desk, asked = make_desk(OneBody()), []

    async def post(path: str, value: object) -> Any:
        asked.append((path, msgspec.json.decode(msgspec.json.encode(value))))
        return SAID

    cast(Any, desk.client).post = post
    tab = RequestTab(desk)
    qtbot.addWidget(tab)
    span = span_detail(dialect="openai_chat", operation="chat")
    asyncio.run(tab.load(span, is_same=False))
    assert "gpt-4o" in tab.view.text()
    tab._translator.show()
    tab._model = "claude-sonnet-4-5"
    asyncio.run(tab.load(span, is_same=False))
    shown = tab.view.text()
    assert "POST https://api.anthropic.com/v1/messages" in shown
    assert "seed: Anthropic has no seed (dropped)" in shown
    assert '"max_tokens": 4096' in shown
    request = {"model": "gpt-4o", "messages": []}
    assert asked == [("translate", {"dialect": "openai_chat", "model": "claude-sonnet-4-5", "request": request})]


def test_what_no_dialect_of_clients_is_cannot_be_translated(qtbot: QtBot) -> None:
    tab = RequestTab(make_desk(OneBody()))
    qtbot.addWidget(tab)
    asyncio.run(tab.load(span_detail(dialect="", operation="other"), is_same=False))
    assert tab._translate.isHidden()


def test_a_translation_without_losses_says_so() -> None:
    assert "Everything is carried." in translation_text(SAID | {"losses": []})
    assert "nothing changes" in translation_text(SAID | {"losses": [], "is_translated": False})
