"""Anthropic's Python SDK on messages."""

from collections.abc import Sequence
from typing import Any

import anthropic
from talkers.talk import Result, Talk, Told

_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class Talker:
    """One conversation."""

    path = "/v1/messages"

    def __init__(self, url: str, key: str) -> None:
        self._client = anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0)
        self._messages: list[Any] = []
        self._options: dict[str, Any] = {}

    def begin(self, model: str, talk: Talk) -> None:
        """Start over with this talk."""
        self._options = {"model": model} | _settings(talk)
        parts: list[dict[str, Any]] = [{"type": "text", "text": talk.prompt}]
        if talk.image:
            parts.append({"type": "image", "source": _source("image/png", talk.image)})
        if talk.pdf:
            parts.append({"type": "document", "source": _source("application/pdf", talk.pdf)})
        if talk.marks_cache:
            parts[-1]["cache_control"] = {"type": "ephemeral"}
        has_more = len(parts) > 1 or talk.marks_cache
        self._messages = [{"role": "user", "content": parts if has_more else talk.prompt}]

    async def ask(self, *, is_stream: bool) -> Told:
        """Send what stands and keep the answer in the history."""
        if is_stream:
            async with self._client.messages.stream(messages=self._messages, **self._options) as events:
                async for _ in events:
                    pass
                message: Any = await events.get_final_message()
        else:
            message = await self._client.messages.create(messages=self._messages, **self._options)
        self._messages.append({"role": "assistant", "content": [_sent_back(block) for block in message.content]})
        usage = message.usage
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        return Told(
            "\n".join(block.text for block in message.content if block.type == "text"),
            "\n".join(block.thinking for block in message.content if block.type == "thinking"),
            tuple((block.id, block.name, block.input) for block in message.content if block.type == "tool_use"),
            _FINISH.get(message.stop_reason, message.stop_reason),
            usage.input_tokens + read + written,
            usage.output_tokens,
            read,
            message.model,
        )

    def answer(self, results: Sequence[Result]) -> None:
        """Say what the tools said."""
        blocks = []
        for result in results:
            content: list[dict[str, Any]] = [{"type": "text", "text": result.text}]
            if result.image:
                content.append({"type": "image", "source": _source("image/png", result.image)})
            blocks.append(
                {
                    "type": "tool_result",
                    "tool_use_id": result.call_id,
                    "content": content,
                    "is_error": result.is_error,
                }
            )
        self._messages.append({"role": "user", "content": blocks})

    def say(self, text: str) -> None:
        """Go on with another question."""
        self._messages.append({"role": "user", "content": text})

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _sent_back(block: Any) -> dict[str, Any]:
    sent: dict[str, Any] = block.model_dump(exclude_none=True)
    for own in ("parsed_output", "caller"):
        sent.pop(own, None)
    return sent


def _source(media_type: str, data: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": media_type, "data": data}


def _settings(talk: Talk) -> dict[str, Any]:
    options: dict[str, Any] = {
        "system": talk.system or None,
        "max_tokens": talk.max_tokens,
        "stop_sequences": list(talk.stop) or None,
        "thinking": {"type": "enabled", "budget_tokens": 2048} if talk.thinks else None,
        "metadata": {"user_id": talk.user} if talk.user else None,
    }
    sampling = {"temperature": talk.temperature, "top_p": talk.top_p}
    # the SDK's newest version has no arguments for them, the API still takes them for older models
    options["extra_body"] = {name: value for name, value in sampling.items() if value is not None} or None
    if talk.tools:
        options["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in talk.tools
        ]
    choice = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}.get(talk.choice)
    if talk.choice:
        options["tool_choice"] = choice or {"type": "tool", "name": talk.choice}
    if talk.has_parallel_calls is False:
        options["tool_choice"] = {**options.get("tool_choice", {"type": "auto"}), "disable_parallel_tool_use": True}
    if talk.schema is not None:
        options["output_config"] = {"format": {"type": "json_schema", "schema": talk.schema}}
    return {name: value for name, value in options.items() if value is not None}
