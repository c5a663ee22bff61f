"""Agents as their SDKs speak: a conversation that can ask for tools, in every dialect, as records of a gateway."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from factories import START_NS, call_record

from app.models.call import CallRecord

_ids = itertools.count(1)
_STEP_NS = 1_000_000_000
_CALL_NS = 400_000_000


class Clock:
    """The time of a whole test: every call begins a second after the one before."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def tick(self, ns: int = _STEP_NS) -> int:
        self.now_ns += ns
        return self.now_ns


class Agent:
    """One conversation with one model. `ask` and `results` add to the history, `call` makes the next record."""

    dialect = ""
    path = ""

    def __init__(self, clock: Clock, *, system: str = "You help.", client: str = "c", ids: str = "", **fields: Any):
        self.clock, self.system, self.client, self.fields = clock, system, client, fields
        self.history: list[Any] = []
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.tools: list[dict[str, Any]] = []
        self._id_prefix = ids
        self._made = itertools.count(1)

    def ask(self, text: str) -> None:
        raise NotImplementedError

    def results(self, *texts: str) -> None:
        raise NotImplementedError

    def body(self) -> dict[str, Any]:
        raise NotImplementedError

    def reply(self, text: str, tools: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        """The answer's body; the history then holds the answer, as the SDK sends it back."""
        raise NotImplementedError

    def new_id(self) -> str:
        return f"{self._id_prefix}{next(self._made)}" if self._id_prefix else f"call_x{next(_ids):06d}"

    def call(self, text: str = "", *tools: tuple[str, dict[str, Any]], **fields: Any) -> CallRecord:
        """The next call, answered with a text or with tool calls."""
        request = json.dumps(self.body()).encode()
        response = json.dumps(self.reply(text, list(tools))).encode()
        start_ns = self.clock.tick()
        return call_record(**{
            "dialect": self.dialect, "path": self.path, "request": request, "response": response, "client": self.client,
            "start_ns": start_ns, "end_ns": start_ns + _CALL_NS, **self.fields, **fields,
        })  # fmt: skip


class OpenAiChat(Agent):
    dialect, path = "openai_chat", "/v1/chat/completions"

    def ask(self, text: str) -> None:
        self.history.append({"role": "user", "content": text})

    def results(self, *texts: str) -> None:
        for (call_id, _, _), text in zip(self.calls, texts, strict=True):
            self.history.append({"role": "tool", "tool_call_id": call_id, "content": text})

    def body(self) -> dict[str, Any]:
        messages = [{"role": "system", "content": self.system}, *self.history]
        return {"model": "gpt-4o-mini", "messages": messages, "tools": self.tools}

    def reply(self, text: str, tools: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        self.calls = [(self.new_id(), name, arguments) for name, arguments in tools]
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        if tools:
            message["tool_calls"] = [
                {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
                for i, n, a in self.calls
            ]
        self.history.append({key: value for key, value in message.items() if value is not None})
        reason = "tool_calls" if tools else "stop"
        return {
            "id": f"chatcmpl-{next(_ids)}", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": {**message, "refusal": None}, "finish_reason": reason}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }  # fmt: skip


class Anthropic(Agent):
    dialect, path = "anthropic", "/v1/messages"

    def ask(self, text: str) -> None:
        self.history.append({"role": "user", "content": text})

    def results(self, *texts: str) -> None:
        blocks = [
            {"type": "tool_result", "tool_use_id": call_id, "content": text}
            for (call_id, _, _), text in zip(self.calls, texts, strict=True)
        ]
        self.history.append({"role": "user", "content": blocks})

    def body(self) -> dict[str, Any]:
        messages = json.loads(json.dumps(self.history))
        last = messages[-1]
        if isinstance(last["content"], str):
            last["content"] = [{"type": "text", "text": last["content"]}]
        last["content"][-1]["cache_control"] = {"type": "ephemeral"}
        return {"model": "claude-sonnet-5", "max_tokens": 1000, "system": self.system, "messages": messages}

    def reply(self, text: str, tools: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        self.calls = [(self.new_id(), name, arguments) for name, arguments in tools]
        blocks: list[dict[str, Any]] = [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]
        blocks += [{"type": "text", "text": text}] if text else []
        blocks += [{"type": "tool_use", "id": i, "name": n, "input": a} for i, n, a in self.calls]
        self.history.append({"role": "assistant", "content": blocks})
        return {
            "id": f"msg_{next(_ids)}", "type": "message", "role": "assistant", "model": "claude-sonnet-5",
            "content": blocks, "stop_reason": "tool_use" if tools else "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }  # fmt: skip


class Responses(Agent):
    """OpenAI Responses with its items sent again each time."""

    dialect, path = "openai_responses", "/v1/responses"

    def ask(self, text: str) -> None:
        self.history.append({"role": "user", "content": text})

    def results(self, *texts: str) -> None:
        for (call_id, _, _), text in zip(self.calls, texts, strict=True):
            self.history.append({"type": "function_call_output", "call_id": call_id, "output": text})

    def body(self) -> dict[str, Any]:
        return {"model": "gpt-5", "instructions": self.system, "input": self.history}

    def reply(self, text: str, tools: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        self.calls = [(self.new_id(), name, arguments) for name, arguments in tools]
        items: list[dict[str, Any]] = [{"type": "reasoning", "id": f"rs_{next(_ids)}", "summary": []}]
        if text:
            part = {"type": "output_text", "text": text, "annotations": []}
            items.append({
                "type": "message", "id": f"msg_{next(_ids)}", "role": "assistant", "status": "completed",
                "content": [part],
            })  # fmt: skip
        items += [
            {
                "type": "function_call", "id": f"fc_{next(_ids)}", "call_id": i, "name": n,
                "arguments": json.dumps(a), "status": "completed",
            }
            for i, n, a in self.calls
        ]  # fmt: skip
        self.remember(items)
        self.last_id = f"resp_{next(_ids):08d}"
        return {
            "id": self.last_id, "object": "response", "status": "completed", "model": "gpt-5-2025-08-07",
            "output": items, "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        }  # fmt: skip

    def remember(self, items: list[dict[str, Any]]) -> None:
        self.history += items


class StatefulResponses(Responses):
    """OpenAI Responses that names the response before instead of sending it again."""

    last_id = ""

    def body(self) -> dict[str, Any]:
        before = {"previous_response_id": self.last_id} if self.last_id else {}
        body = super().body() | before
        self.history = []
        return body

    def remember(self, items: list[dict[str, Any]]) -> None:
        pass


class Gemini(Agent):
    dialect, path = "gemini", "/v1beta/models/gemini-2.5-flash:generateContent"

    def ask(self, text: str) -> None:
        self.history.append({"role": "user", "parts": [{"text": text}]})

    def results(self, *texts: str) -> None:
        parts = [
            {"functionResponse": {"name": name, "response": {"result": text}}}
            for (_, name, _), text in zip(self.calls, texts, strict=True)
        ]
        self.history.append({"role": "user", "parts": parts})

    def body(self) -> dict[str, Any]:
        return {"systemInstruction": {"parts": [{"text": self.system}]}, "contents": self.history}

    def reply(self, text: str, tools: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        self.calls = [("", name, arguments) for name, arguments in tools]
        parts: list[dict[str, Any]] = [{"text": text}] if text else []
        parts += [{"functionCall": {"name": n, "args": a}, "thoughtSignature": "c2ln"} for _, n, a in self.calls]
        content = {"role": "model", "parts": parts}
        self.history.append(content)
        return {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
            "modelVersion": "gemini-2.5-flash", "responseId": f"r{next(_ids)}",
        }  # fmt: skip


KINDS: dict[str, type[Agent]] = {
    "openai_chat": OpenAiChat,
    "anthropic": Anthropic,
    "responses_resent": Responses,
    "responses_stateful": StatefulResponses,
    "gemini": Gemini,
}


def ten_turns(agent: Agent, about: str) -> Iterator[CallRecord]:
    """Ten questions; each takes two tools at once, then one more, then an answer: three calls and three tools."""
    for turn in range(10):
        agent.ask(f"Question {turn} about {about}?")
        yield agent.call("", ("search", {"q": f"{about} {turn}"}), ("weather", {"city": about}))
        agent.results(f"found {about} {turn}", "sunny")
        yield agent.call("Let me look closer.", ("read", {"page": turn}))
        agent.results(f"page {turn} of {about}")
        yield agent.call(f"Answer {turn} about {about}.")
