import json
from typing import Any

import pytest
from agents import KINDS, Clock

from app.dialects.registry import reader_of
from app.linking.reading import is_form, without_messages


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("is_first", [True, False], ids=["ids first", "ids last"])
def test_the_fields_beside_a_long_history_say_the_same_without_it(
    kind: str, indent: int | None, is_first: bool
) -> None:
    agent = KINDS[kind](Clock(), system="S" * 20_000)
    for number in range(20):
        agent.ask(f"Question {number} " + "x" * 1000)
        agent.reply("Fine.", [])
    agent.ask("And now?")
    ids = {"metadata": {"session_id": "s1"}, "conversation": "c1", "user": "u"}
    body = agent.body()
    request = json.dumps(ids | body if is_first else body | ids, indent=indent).encode()
    reader = reader_of(agent.dialect)
    assert reader is not None

    short = without_messages(request, tuple(reader.split_messages(request)))

    assert reader.stated(short) == reader.stated(request)
    assert len(short) < len(request) or kind == "responses_stateful"


def test_a_short_request_is_left_alone() -> None:
    assert without_messages(b'{"messages":[{}]}', (b"{}",)) == b'{"messages":[{}]}'


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tools": [tool("a"), tool("b")]}, False),
        ({"tools": [tool("a"), tool("b")], "tool_choice": "auto"}, False),
        ({"tools": [tool("a"), tool("b")], "tool_choice": {"type": "auto"}}, False),
        ({"tools": [tool("a"), tool("b")], "tool_choice": "required"}, True),
        ({"tools": [tool("a"), tool("b")], "tool_choice": {"type": "any"}}, True),
        ({"tools": [tool("a"), tool("b")], "tool_choice": {"type": "function", "function": {"name": "a"}}}, True),
        ({"tools": [tool("a")]}, True),
        ({"tools": [tool("a"), tool("b")], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, True),
    ],
)
def test_a_form_is_the_models_only_choice(fields: dict[str, Any], expected: bool) -> None:
    assert is_form(json.dumps(fields).encode()) is expected
    assert is_form(json.dumps({"messages": ["x" * 50_000], **fields}).encode()) is expected
