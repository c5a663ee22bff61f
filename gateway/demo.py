"""The demo run: a small travel agent and a reviewer, as people write them, sent through the gateway over HTTP.

Nothing here tells the gateway what belongs together. The trees it shows are drawn from the calls alone.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from app.models.message import Message, ToolCall
from gateway.demo_sdk import Sdk

_CHAT: Final = "/v1/chat/completions"
_PLANNER: Final = (
    "You are a travel planner. Look things up with your tools before you answer, several at once where you can. "
    "Say where each fact comes from, and keep it short."
)
_RESEARCHER: Final = "You are a researcher. You read pages and answer with what they say."
_REVIEWER: Final = "You review travel plans. Check the timetable before you approve a plan."
_QUESTION: Final = "What should I pack for Lisbon this weekend, and what does the tram museum cost for three people?"


def run_demo(base_url: str, key: str, delay_ms: float | None = None) -> dict[str, object]:
    """Send the whole run and return what was done. Blocks for a few seconds. Raises UpstreamError.

    `key` is a virtual key or the desktop's token; `delay_ms` sets the pace of every answer.
    """
    began_s = time.monotonic()
    openai = Sdk(base_url, key, delay_ms=delay_ms)
    anthropic = Sdk(base_url, key, is_anthropic=True, delay_ms=delay_ms)
    plan = _plan_trip(openai)
    verdict = _review(anthropic, plan)
    _title(openai)
    return {
        "calls": openai.calls + anthropic.calls,
        "failures": openai.failures + anthropic.failures,
        "seconds": round(time.monotonic() - began_s, 2),
        "answer": plan,
        "review": verdict,
    }


def _plan_trip(sdk: Sdk) -> str:
    """Two turns of one conversation: one with tools, in parallel and in a row, and a short one after it."""
    tools: dict[str, Callable[[dict[str, Any]], str]] = {
        "get_weather": _weather,
        "ask_researcher": lambda given: _research(sdk, str(given["question"])),
        "multiply": _multiply,
    }
    messages: list[dict[str, Any]] = [{"role": "system", "content": _PLANNER}, {"role": "user", "content": _QUESTION}]
    answer = _run_agent(sdk, messages, _PLANNER_TOOLS, tools)
    messages += [answer, {"role": "user", "content": "Thanks! Now in one sentence, please."}]
    sdk.ask(_CHAT, {"messages": messages, "model": "demo/reasoning", "reasoning_effort": "low"} | _STREAM)
    return str(answer["content"])


def _run_agent(
    sdk: Sdk, messages: list[dict[str, Any]], tools: list[dict[str, Any]], run: dict[str, Callable[[Any], str]]
) -> dict[str, Any]:
    """Ask, run the tools asked for, side by side, and go on until there is an answer; return it as a message."""
    while True:
        body = {"messages": messages, "model": "demo/agent", "tools": tools}
        message = sdk.ask(_CHAT, body | _STREAM)
        if not message.tool_calls():
            return _openai_turn(message)
        messages.append(_openai_turn(message))
        with ThreadPoolExecutor(len(message.tool_calls())) as pool:
            for call, told in zip(
                message.tool_calls(), pool.map(lambda call: _told(call, run), message.tool_calls()), strict=True
            ):
                messages.append({"role": "tool", "tool_call_id": call.id, "content": told})


def _research(sdk: Sdk, question: str) -> str:
    """A tool that is an agent itself: it embeds its question, then reads a page."""
    sdk.send("/v1/embeddings", {"input": question, "model": "demo/embed", "encoding_format": "base64"})
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": _RESEARCHER},
        {"role": "user", "content": question},
    ]
    tools = {
        "read_page": lambda given: f"Museu do Carris ({given['url']}): adults 8 euros, open 10 to 18, closed Mondays."
    }
    return str(_run_agent(sdk, messages, _RESEARCHER_TOOLS, tools)["content"])


def _review(sdk: Sdk, plan: str) -> str:
    """The other dialect, not streamed; its tool fails and says so."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"Please review this plan: {plan}"}]
    body = {"max_tokens": 1024, "model": "demo/agent", "system": _REVIEWER, "tools": _REVIEWER_TOOLS}
    while True:
        message = sdk.ask("/v1/messages", body | {"messages": messages})
        calls = message.tool_calls()
        if not calls:
            return message.text()
        asked = [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
            for call in calls
        ]
        failed = "TimetableError: the service answered 503"
        told = [{"type": "tool_result", "tool_use_id": call.id, "content": failed, "is_error": True} for call in calls]
        messages += [{"role": "assistant", "content": asked}, {"role": "user", "content": told}]


def _title(sdk: Sdk) -> None:
    """A call that meets a rate limit at first; the SDK tries again."""
    words = f"Give this conversation a title of three words: {_QUESTION}"
    sdk.ask(_CHAT, {"messages": [{"role": "user", "content": words}], "model": "demo/flaky", "max_tokens": 20})


def _openai_turn(message: Message) -> dict[str, Any]:
    """Return an answer as programs send it back."""
    turn: dict[str, Any] = {"role": "assistant", "content": message.text() or None}
    calls = [
        {"id": call.id, "function": {"arguments": call.arguments, "name": call.name}, "type": "function"}
        for call in message.tool_calls()
    ]
    return turn | ({"tool_calls": calls} if calls else {})


def _told(call: ToolCall, run: dict[str, Callable[[Any], str]]) -> str:
    time.sleep(0.03 if call.name == "get_weather" else 0.01)
    return run[call.name](json.loads(call.arguments))


def _weather(given: dict[str, Any]) -> str:
    return json.dumps({"city": given["city"], "high_c": 24, "low_c": 16, "sky": "sunny, windy in the evening"})


def _multiply(given: dict[str, Any]) -> str:
    return str(given["a"] * given["b"])


def _tool(name: str, description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


_STREAM: Final = {"stream": True, "stream_options": {"include_usage": True}}
_PLANNER_TOOLS: Final = [
    _tool("get_weather", "The weather of a city for the coming days.", city={"type": "string", "examples": ["Lisbon"]}),
    _tool(
        "ask_researcher",
        "Have a researcher find something out on the web.",
        question={"type": "string", "examples": ["What does the tram museum in Lisbon cost for one adult?"]},
    ),
    _tool(
        "multiply",
        "Multiply two numbers.",
        a={"type": "number", "examples": [8]},
        b={"type": "number", "examples": [3]},
    ),
]
_RESEARCHER_TOOLS: Final = [
    _tool("read_page", "Read a web page.", url={"type": "string", "examples": ["https://museu.carris.example/prices"]})
]
_REVIEWER_TOOLS: Final = [
    {
        "name": "check_timetable",
        "description": "Check that the trams run.",
        "input_schema": {
            "type": "object",
            "properties": {"line": {"type": "string", "examples": ["28E"]}},
            "required": ["line"],
        },
    }
]
