"""Recordings played to the vendors' SDKs: which to play, how an SDK sends one, and what the SDK made of the answer."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

CONFIG = """\
providers:
  openai: {{base_url: "http://127.0.0.1:{port}/p/openai/v1", api_key: env:TRIP_KEY}}
  anthropic: {{base_url: "http://127.0.0.1:{port}/p/anthropic", api_key: env:TRIP_KEY}}
  google: {{base_url: "http://127.0.0.1:{port}/p/google", api_key: env:TRIP_KEY}}
  deepseek: {{base_url: "http://127.0.0.1:{port}/p/deepseek", api_key: env:TRIP_KEY}}
  groq: {{base_url: "http://127.0.0.1:{port}/p/groq/openai/v1", api_key: env:TRIP_KEY}}
"""
FAILED = {"error", "midstream_error", "error_in_200"}
"""Features of recordings that end in an error."""
ERRORS = (openai.APIError, anthropic.APIError, genai_errors.APIError)


@dataclass(frozen=True)
class Wanted:
    """A kind of recording."""

    api: str
    provider: str
    features: frozenset[str] = frozenset()
    is_stream: bool = False

    @property
    def is_error(self) -> bool:
        """Whether it ends in an error."""
        return bool(self.features & FAILED)

    def fits(self, record: dict[str, Any]) -> bool:
        """Whether a recording is of this kind."""
        has = set(record["features"])
        return (
            record["provider"] == self.provider
            and record["stream"] == self.is_stream
            and (not self.is_stream or "sse" in record["response"] or self.is_error)
            and self.features <= has
            and bool(has & FAILED) == self.is_error
            and isinstance(record["request"].get("body"), dict)
        )


@dataclass
class Made:
    """What an SDK made of one answer."""

    request_id: str = ""
    text: str = ""
    reasoning: str = ""
    tools: list[tuple[str, Any]] = field(default_factory=list)
    """Name and parsed arguments of each tool call."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: Exception | None = None


def chosen(folder: Path, kinds: list[Wanted], most: int) -> Iterator[tuple[Wanted, dict[str, Any]]]:
    """Yield up to `most` recordings of each kind, each of a conversation of its own."""
    records: dict[str, list[dict[str, Any]]] = {}
    taken: set[str] = set()
    for kind in kinds:
        if kind.api not in records:
            with gzip.open(folder / f"{kind.api}.jsonl.gz", "rt", encoding="utf-8") as lines:
                records[kind.api] = [json.loads(line) for line in lines]
        found = 0
        for record in records[kind.api]:
            if found < most and kind.fits(record) and record["conversation"] not in taken:
                taken.add(record["conversation"])
                found += 1
                yield kind, record
        assert found, f"no recording of {kind}"


@contextmanager
def replay_upstream(folder: Path, apis: set[str]) -> Iterator[int]:
    """The recordings' own player as a child; yields its port."""
    data = [str(folder / f"{api}.jsonl.gz") for api in sorted(apis)]
    command = [sys.executable, str(folder / "replay_upstream.py"), "--port", "0", "--check-headers", "--data", *data]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        told = re.search(r":(\d+)$", child.stdout.readline().strip())
        assert told, "the player did not start"
        yield int(told[1])
    finally:
        child.terminate()
        child.communicate(timeout=10)


class Sdks:
    """The vendors' SDKs on one gateway; each `play` is one call. A thread's own."""

    def __init__(self, url: str, key: str) -> None:
        self.ids: list[str] = []
        self._http = httpx2.Client(event_hooks={"response": [self._note]}, timeout=30)
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, http_client=self._http)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, http_client=self._http)
        options = genai_types.HttpOptions(base_url=url, httpx_client=self._http)
        self.google = genai.Client(api_key=key, http_options=options)

    def close(self) -> None:
        """Hang up."""
        self.google.close()
        self._http.close()

    def play(self, record: dict[str, Any]) -> Made:
        """Send a recording's request through the SDK of its API and return what the SDK made of the answer."""
        made = Made()
        try:
            {
                "openai.chat": self._chat,
                "openai.responses": self._responses,
                "anthropic.messages": self._messages,
                "google.generate": self._generate,
            }[record["api"]](record, dict(record["request"]["body"]), made)
        except ERRORS as error:
            made.error = error
        made.request_id = self.ids[-1]
        return made

    def _note(self, response: httpx2.Response) -> None:
        self.ids.append(response.headers["x-gatescope-request-id"])

    def _chat(self, record: dict[str, Any], body: dict[str, Any], made: Made) -> None:
        model = body.pop("model")
        named = model if record["provider"] == "openai" else f"{record['provider']}/{model}"
        is_stream = body.pop("stream", False)
        sent: Any = {"model": named, "messages": body.pop("messages"), "extra_body": body}
        sent["extra_headers"] = {"x-wire-id": record["id"]}
        if not is_stream:
            whole = self.openai.chat.completions.create(**sent)
            message = whole.choices[0].message
            made.text = message.content or ""
            made.reasoning = _reasoning(message)
            made.tools = [(c.function.name, parsed(c.function.arguments)) for c in message.tool_calls or []]
            _count(made, whole.usage, "prompt_tokens", "completion_tokens")
            return
        calls: dict[int, list[str]] = {}
        for piece in self.openai.chat.completions.create(**sent, stream=True):
            for choice in piece.choices:
                made.text += choice.delta.content or ""
                made.reasoning += _reasoning(choice.delta)
                for call in choice.delta.tool_calls or []:
                    name_and_arguments = calls.setdefault(call.index, ["", ""])
                    name_and_arguments[0] += call.function.name or ""
                    name_and_arguments[1] += call.function.arguments or ""
            counted = piece.usage or (getattr(piece, "x_groq", None) or {}).get("usage")
            _count(made, counted, "prompt_tokens", "completion_tokens")
        made.tools = [(name, parsed(arguments)) for name, arguments in calls.values()]

    def _responses(self, record: dict[str, Any], body: dict[str, Any], made: Made) -> None:
        is_stream = body.pop("stream", False)
        sent: Any = {"model": body.pop("model"), "input": body.pop("input"), "extra_body": body}
        sent["extra_headers"] = {"x-wire-id": record["id"]}
        if is_stream:
            ends = ("response.completed", "response.incomplete", "response.failed")
            events = self.openai.responses.create(**sent, stream=True)
            [whole] = [event.response for event in events if event.type in ends]
        else:
            whole = self.openai.responses.create(**sent)
        made.text = whole.output_text
        for item in whole.output:
            if item.type == "function_call":
                made.tools.append((item.name, parsed(item.arguments)))
            elif item.type == "custom_tool_call":
                made.tools.append((item.name, parsed(item.input)))
            elif item.type == "reasoning":
                made.reasoning += "".join(part.text for part in [*item.summary, *(item.content or [])])
        _count(made, whole.usage, "input_tokens", "output_tokens")

    def _messages(self, record: dict[str, Any], body: dict[str, Any], made: Made) -> None:
        is_stream = body.pop("stream", False)
        sent: Any = {name: body.pop(name) for name in ("model", "max_tokens", "messages")} | {"extra_body": body}
        sent["extra_headers"] = {"x-wire-id": record["id"]}
        if is_stream:
            with self.anthropic.messages.stream(**sent) as events:
                whole: Any = events.get_final_message()
        else:
            whole = self.anthropic.messages.create(**sent)
        for block in whole.content:
            if block.type == "text":
                made.text += block.text
            elif block.type == "thinking":
                made.reasoning += block.thinking
            elif block.type == "tool_use":
                made.tools.append((block.name, block.input))
        usage = whole.usage
        cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        made.input_tokens, made.output_tokens = usage.input_tokens + cached, usage.output_tokens

    def _generate(self, record: dict[str, Any], body: dict[str, Any], made: Made) -> None:
        model = re.search(r"models/([^:/]+):", record["request"]["path"])
        assert model
        options = genai_types.HttpOptions(headers={"x-wire-id": record["id"]}, extra_body=body)
        sent: Any = {"model": model[1], "contents": "replaced", "config": {"http_options": options}}
        pieces: Any = (
            self.google.models.generate_content_stream(**sent)
            if record["stream"]
            else [self.google.models.generate_content(**sent)]
        )
        for piece in pieces:
            candidates = piece.candidates or []
            for part in (candidates[0].content.parts or []) if candidates and candidates[0].content else []:
                if part.text and part.thought:
                    made.reasoning += part.text
                elif part.text:
                    made.text += part.text
                elif part.function_call:
                    made.tools.append((part.function_call.name, part.function_call.args or {}))
            if usage := piece.usage_metadata:
                made.input_tokens = _sum(usage.prompt_token_count, usage.tool_use_prompt_token_count)
                made.output_tokens = _sum(usage.candidates_token_count, usage.thoughts_token_count)


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _count(made: Made, usage: Any, sent: str, got: str) -> None:
    if usage is not None:
        counts = usage if isinstance(usage, dict) else usage.model_dump()
        made.input_tokens, made.output_tokens = counts[sent], counts[got]


def _reasoning(message: Any) -> str:
    return getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None) or ""


def parsed(arguments: str) -> Any:
    """Return a tool call's arguments; where a model wrote no JSON, its text."""
    try:
        return json.loads(arguments) if arguments else {}
    except ValueError:
        return arguments
