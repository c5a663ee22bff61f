"""What the demo provider says: the same to the same question, whatever the dialect. Pure."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.models.chat import ChatRequest, FinishReason, Tool
from app.models.message import Message, Text, ToolCall, ToolResult
from app.pricing.tokens import estimate_tokens

_CACHE_FROM_TOKENS: Final = 1024
_CACHE_STEP_TOKENS: Final = 128
_FIRST_CALLS: Final = 2
"""Tools the agent calls side by side at first; then one after the other."""
_QUOTED_CHARS: Final = 160
_WORD: Final = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Say:
    """One answer, ready to be written in any dialect."""

    id: str
    """A few letters that no other answer has, to make the dialect's ids of."""
    model: str
    text: str
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: FinishReason = "stop"
    input_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


def answer_to(request: ChatRequest, model: str, seed: str) -> Say:
    """Return what the demo model `model` says to a request; `seed` makes its ids unlike any other's."""
    asked = _newest_question(request.messages)
    results = _new_results(request.messages)
    mark = hashlib.blake2b(seed.encode(), digest_size=12).hexdigest()
    reasoning = _reasoning(asked) if model == "reasoning" else ""
    calls = _calls(request, asked, results, mark) if model == "agent" else ()
    text = "" if calls else _closing(asked, results) if results else _greeting(asked, model)
    limit = _limit(request)
    words = _WORD.findall(text)
    is_cut = limit is not None and estimate_tokens([text]) > limit
    if is_cut and limit is not None:
        text = "".join(words[: max(1, limit * len(words) // max(1, estimate_tokens([text])))])
    arguments = [call.name + call.arguments for call in calls]
    counts = [estimate_tokens(_texts(message)) + 4 for message in request.messages]
    reasoning_tokens = estimate_tokens([reasoning])
    return Say(
        id=mark,
        model=f"demo-{model}",
        text=text,
        reasoning=reasoning,
        calls=calls,
        finish="tool_calls" if calls else "length" if is_cut else "stop",
        input_tokens=sum(counts) + _tool_tokens(request.tools),
        cache_read_tokens=_cached(sum(counts[:-1])),
        output_tokens=estimate_tokens([text, *arguments]) + reasoning_tokens + 1,
        reasoning_tokens=reasoning_tokens,
    )


def pieces_of(text: str) -> list[str]:
    """Return the text as a stream gives it: word by word."""
    return _WORD.findall(text)


def _greeting(asked: str, model: str) -> str:
    if model == "reasoning":
        return f"Having thought it through: the honest answer to “{_quoted(asked)}” is that it depends, and on what."
    return (
        f"You asked: “{_quoted(asked)}” — and this is the demo model's answer. It comes from the gateway itself, so no "
        "provider was called and nothing was spent, but the call was recorded, timed and priced like any other. "
        "Open its trace to see the messages, the tokens and when each piece of this text arrived."
    )


def _closing(asked: str, results: list[ToolResult]) -> str:
    told = []
    for result in results:
        said = " ".join(part.text for part in result.parts if isinstance(part, Text))
        told.append(f"- {'It failed: ' if result.is_error else ''}{_quoted(said)}")
    return f"Here is what I found for “{_quoted(asked)}”:\n" + "\n".join(told)


def _reasoning(asked: str) -> str:
    return (
        f"The question is “{_quoted(asked)}”. First, what is given and what is wanted. Then the simplest case, to see "
        "whether the obvious answer holds there. It does not quite, so the assumption behind it has to be named. "
        "With that named, the answer follows, and it is short."
    )


def _calls(request: ChatRequest, asked: str, results: list[ToolResult], mark: str) -> tuple[ToolCall, ...]:
    """Return the next calls of the tools given: two side by side at first, then those not called yet, one by one."""
    tools = [tool for tool in request.tools if tool.kind == "function"]
    called = _called_since_question(request.messages)
    todo = [tool for tool in tools if tool.name not in called]
    if not results and called:
        return ()
    chosen = todo[:1] if results else todo[:_FIRST_CALLS]
    return tuple(
        ToolCall(f"{mark}{number}", tool.name, msgspec.json.encode(_example(tool.schema, asked)).decode())
        for number, tool in enumerate(chosen)
    )


def _example(schema: object, asked: str) -> Any:
    """Return a value that fits a JSON schema: its example, default or first choice, else something of its type."""
    if not isinstance(schema, dict):
        return {}
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            wanted = schema.get("required") or list(properties)
            return {name: _example(properties.get(name), asked) for name in wanted}
        case "array":
            return [_example(schema.get("items"), asked)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _quoted(asked)


def _newest_question(messages: tuple[Message, ...]) -> str:
    for message in reversed(messages):
        if message.role == "user" and (text := message.text().strip()):
            return text
    return "nothing at all"


def _since_question(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user" and messages[index].text().strip():
            return messages[index + 1 :]
    return messages


def _new_results(messages: tuple[Message, ...]) -> list[ToolResult]:
    return [result for message in _since_question(messages) for result in message.tool_results()]


def _called_since_question(messages: tuple[Message, ...]) -> set[str]:
    return {call.name for message in _since_question(messages) for call in message.tool_calls()}


def _texts(message: Message) -> list[str]:
    texts = [message.text()]
    texts += [call.name + call.arguments for call in message.tool_calls()]
    for result in message.tool_results():
        texts += [part.text for part in result.parts if isinstance(part, Text)]
    return texts


def _tool_tokens(tools: tuple[Tool, ...]) -> int:
    return sum(estimate_tokens([tool.name, tool.description or "", repr(tool.schema)]) for tool in tools)


def _cached(tokens: int) -> int:
    """Return how much of a resent beginning a provider would have in its prompt cache."""
    return tokens // _CACHE_STEP_TOKENS * _CACHE_STEP_TOKENS if tokens >= _CACHE_FROM_TOKENS else 0


def _limit(request: ChatRequest) -> int | None:
    if request.settings.max_tokens:
        return request.settings.max_tokens
    for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        limit = request.params.get(name)
        if isinstance(limit, int) and limit > 0:
            return limit
    return None


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED_CHARS else line[: _QUOTED_CHARS - 1] + "…"
