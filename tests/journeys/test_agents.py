"""A tool-using agent on a vendor's plain SDK, nothing instrumented: ten turns are one session of ten correct trees."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from journeys.desktop_trip import Trip, travel
from journeys.upstream_thread import UpstreamThread, fake_upstream
from PySide6.QtWidgets import QApplication

from app.models.span import Status
from ui.kit.span_tree import SpanColumn
from ui.traces.columns import Column

N_TURNS = 10
CITY = '{"city":"Paris"}'
PRICE = "{model: %s, input_per_mtok: 2.0, output_per_mtok: 10.0}"
CALL_NUSD = 12 * 2000 + 7 * 10_000
"""The fake upstream counts 12 tokens in and 7 out for every call."""
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
Agent = Callable[[str, str], None]


def config(upstream: UpstreamThread) -> str:
    return f"""\
providers:
  oc: {{dialect: openai_chat, base_url: "{upstream.url}/v1", api_key: env:TRIP_KEY}}
  an: {{dialect: anthropic, base_url: "{upstream.url}", api_key: env:TRIP_KEY}}
models:
  gpt-house: {{targets: [{{provider: oc, model: gpt-house}}]}}
  claude-house: {{targets: [{{provider: an, model: claude-house}}]}}
prices:
  - {PRICE % "gpt-house"}
  - {PRICE % "claude-house"}
"""


def openai_agent(url: str, key: str) -> None:
    """Turns go by twos: one streams, one does not."""
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    messages: list[Any] = [{"role": "system", "content": "You know the weather."}]
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        for turn in range(N_TURNS):
            messages.append({"role": "user", "content": f"Question {turn}: how is the weather?"})
            while messages[-1]["role"] != "assistant":
                if turn % 2:
                    stream = client.chat.completions.stream(model="gpt-house", messages=messages, tools=tools)
                    with stream as events:
                        message = events.get_final_completion().choices[0].message
                else:
                    asked = client.chat.completions.create(model="gpt-house", messages=messages, tools=tools)
                    message = asked.choices[0].message
                messages.append(message.model_dump(exclude_none=True))
                for call in message.tool_calls or []:
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": f"sunny, {turn} degrees"})


def anthropic_agent(url: str, key: str) -> None:
    """Turns go by twos: one streams, one does not."""
    tools: Any = [{"name": "get_weather", "input_schema": SCHEMA}]
    messages: list[Any] = []
    shared: dict[str, Any] = {"model": "claude-house", "max_tokens": 500, "system": "You know the weather."}
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as client:
        for turn in range(N_TURNS):
            messages.append({"role": "user", "content": f"Question {turn}: how is the weather?"})
            while messages[-1]["role"] != "assistant":
                if turn % 2:
                    with client.messages.stream(**shared, messages=messages, tools=tools) as events:
                        message: Any = events.get_final_message()
                else:
                    message = client.messages.create(**shared, messages=messages, tools=tools)
                messages.append({"role": "assistant", "content": message.content})
                results = [
                    {"type": "tool_result", "tool_use_id": block.id, "content": f"sunny, {turn} degrees"}
                    for block in message.content
                    if block.type == "tool_use"
                ]
                if results:
                    messages.append({"role": "user", "content": results})


@pytest.mark.parametrize(("agent", "model"), [(openai_agent, "gpt-house"), (anthropic_agent, "claude-house")])
def test_ten_turns_of_a_plain_sdk_agent_are_one_session_of_ten_trees(
    qapp: QApplication, tmp_path: Path, agent: Agent, model: str
) -> None:
    async def journey(trip: Trip) -> None:
        key = await trip.new_key("agent")
        await asyncio.to_thread(agent, trip.url, key)
        rows = await trip.rows(N_TURNS, 2 * N_TURNS)
        assert len({row.session for row in rows}) == 1 and rows[0].session
        for turn, row in zip(reversed(range(N_TURNS)), rows, strict=True):
            cells = trip.cells(row)
            assert cells[Column.STATUS] == "ok"
            assert cells[Column.MODEL] == model
            assert cells[Column.INPUT] == f"Question {turn}: how is the weather?"
            assert cells[Column.OUTPUT].startswith("The capital of France is Paris.")
            assert cells[Column.TOKENS] == "24 → 14"
            assert row.cost_nusd == 2 * CALL_NUSD and cells[Column.COST] == "$0.00019"
            assert cells[Column.KEY] == "agent"
        for turn, row in zip(reversed(range(N_TURNS)), rows, strict=True):
            view = await trip.open(row.id)
            assert trip.kinds() == ["agent", "  llm", "  tool", "  llm"]
            assert [line.split()[-1] for line in trip.tree()[1:]] == [model, "get_weather", model]
            assert view.model.tree is not None and set(view.model.tree.status) == {Status.OK}
            assert view.model.text(0, SpanColumn.TOKENS) == "38"
            await see_turn(trip, turn)

    with fake_upstream() as upstream:
        travel(qapp, tmp_path, journey, config=config(upstream))


async def see_turn(trip: Trip, turn: int) -> None:
    """What the inspector says of the three spans of a turn."""
    await trip.choose(1)
    [called] = trip.answer()
    assert called.title == "Tool call  get_weather" and json.loads(called.text) == {"city": "Paris"}
    tool = await trip.choose(2)
    assert (await trip.attributes())["Kind"] == "tool" and trip.why() == ""
    assert json.loads(await trip.desk.reader.ask("body", tool.id, "input")) == {"city": "Paris"}
    assert await trip.desk.reader.ask("body", tool.id, "output") == f"sunny, {turn} degrees".encode()
    await trip.choose(3)
    cards = trip.cards()
    results = [card for card in cards if card.title == "Tool result  get_weather"]
    assert results[-1].text == f"sunny, {turn} degrees" and len(results) == turn + 1
    assert [card.text for card in cards if card.is_new and not card.is_answer][-1] == results[-1].text
    assert cards[-1].is_answer and cards[-1].text.startswith("The capital of France is Paris.")
