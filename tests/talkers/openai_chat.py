"""OpenAI's Python SDK on chat completions."""

import json
from collections.abc import Sequence
from typing import Any

import openai
from openai.lib.streaming.chat import ChatCompletionStreamState
from talkers.talk import Result, Talk, Told


class Talker:
    """One conversation."""

    path = "/v1/chat/completions"

    def __init__(self, url: str, key: str) -> None:
        self._client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self._messages: list[Any] = []
        self._options: dict[str, Any] = {}

    def begin(self, model: str, talk: Talk) -> None:
        """Start over with this talk."""
        self._options = {"model": model} | _settings(talk)
        self._messages = [{"role": "system", "content": talk.system}] if talk.system else []
        parts: list[dict[str, Any]] = [{"type": "text", "text": talk.prompt}]
        if talk.image:
            parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{talk.image}"}})
        if talk.pdf:
            file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{talk.pdf}"}
            parts.append({"type": "file", "file": file})
        if talk.sound:
            parts.append({"type": "input_audio", "input_audio": {"data": talk.sound, "format": "wav"}})
        self._messages.append({"role": "user", "content": parts if len(parts) > 1 else talk.prompt})

    async def ask(self, *, is_stream: bool) -> Told:
        """Send what stands and keep the answer in the history."""
        create = self._client.chat.completions.create
        if is_stream:
            options = {"stream": True, "stream_options": {"include_usage": True}}
            state = ChatCompletionStreamState()
            async for chunk in await create(messages=self._messages, **self._options, **options):
                state.handle_chunk(chunk)
            completion: Any = state.current_completion_snapshot  # the final one refuses a cut answer
        else:
            completion = await create(messages=self._messages, **self._options)
        message = completion.choices[0].message
        self._messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        usage = completion.usage
        details = usage.prompt_tokens_details
        return Told(
            message.content or "",
            (message.model_extra or {}).get("reasoning_content") or "",
            tuple(
                (call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []
            ),
            completion.choices[0].finish_reason,
            usage.prompt_tokens,
            usage.completion_tokens,
            details.cached_tokens or 0 if details else 0,
            completion.model,
        )

    def answer(self, results: Sequence[Result]) -> None:
        """Say what the tools said; OpenAI's chat has no word for an error or an image there."""
        self._messages += [
            {"role": "tool", "tool_call_id": result.call_id, "content": result.text} for result in results
        ]

    def say(self, text: str) -> None:
        """Go on with another question."""
        self._messages.append({"role": "user", "content": text})

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _settings(talk: Talk) -> dict[str, Any]:
    options: dict[str, Any] = {
        "max_completion_tokens": talk.max_tokens,
        "temperature": talk.temperature,
        "top_p": talk.top_p,
        "stop": list(talk.stop) or None,
        "seed": talk.seed,
        "reasoning_effort": "medium" if talk.thinks else None,
        "parallel_tool_calls": talk.has_parallel_calls,
        "user": talk.user or None,
    }
    if talk.tools:
        options["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
            }
            for tool in talk.tools
        ]
    if talk.choice:
        is_word = talk.choice in ("auto", "none", "required")
        options["tool_choice"] = talk.choice if is_word else {"type": "function", "function": {"name": talk.choice}}
    if talk.schema is not None:
        wanted = {"name": "person", "schema": talk.schema, "strict": True}
        options["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return {name: value for name, value in options.items() if value is not None}
