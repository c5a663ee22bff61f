"""OpenAI's Python SDK on the Responses, which keeps its history itself and sends every item back."""

import json
from collections.abc import Sequence
from typing import Any

import openai
from talkers.talk import Result, Talk, Told


class Talker:
    """One conversation."""

    path = "/v1/responses"

    def __init__(self, url: str, key: str) -> None:
        self._client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self._items: list[Any] = []
        self._options: dict[str, Any] = {}

    def begin(self, model: str, talk: Talk) -> None:
        """Start over with this talk."""
        self._options = {"model": model, "store": False, "include": ["reasoning.encrypted_content"]} | _settings(talk)
        content: list[dict[str, Any]] = [{"type": "input_text", "text": talk.prompt}]
        if talk.image:
            url = f"data:image/png;base64,{talk.image}"
            content.append({"type": "input_image", "detail": "auto", "image_url": url})
        if talk.pdf:
            data = f"data:application/pdf;base64,{talk.pdf}"
            content.append({"type": "input_file", "filename": "a.pdf", "file_data": data})
        self._items = [{"role": "user", "content": content if len(content) > 1 else talk.prompt}]

    async def ask(self, *, is_stream: bool) -> Told:
        """Send what stands and keep the answer in the history."""
        if is_stream:
            async with self._client.responses.stream(input=self._items, **self._options) as events:
                said = [event async for event in events]
                # the SDK's own final response is for completed ones alone
                is_cut = said[-1].type == "response.incomplete"
                response: Any = said[-1].response if is_cut else await events.get_final_response()
        else:
            response = await self._client.responses.create(input=self._items, **self._options)
        self._items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
        for item in self._items:
            if isinstance(item, dict) and item.get("type") == "message":
                for part in item.get("content") or []:
                    if isinstance(part, dict):
                        part.pop("parsed", None)
        calls = [item for item in response.output if item.type == "function_call"]
        thoughts = [part.text for item in response.output if item.type == "reasoning" for part in item.summary]
        is_cut = response.status == "incomplete"
        return Told(
            response.output_text,
            "\n\n".join(thoughts),
            tuple((call.call_id, call.name, json.loads(call.arguments)) for call in calls),
            "length" if is_cut else "tool_calls" if calls else "stop",
            response.usage.input_tokens,
            response.usage.output_tokens,
            response.usage.input_tokens_details.cached_tokens,
            response.model,
        )

    def answer(self, results: Sequence[Result]) -> None:
        """Say what the tools said."""
        for result in results:
            output: Any = result.text
            if result.image:
                url = f"data:image/png;base64,{result.image}"
                output = [
                    {"type": "input_text", "text": result.text},
                    {"type": "input_image", "detail": "auto", "image_url": url},
                ]
            self._items.append({"type": "function_call_output", "call_id": result.call_id, "output": output})

    def say(self, text: str) -> None:
        """Go on with another question."""
        self._items.append({"role": "user", "content": text})

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _settings(talk: Talk) -> dict[str, Any]:
    options: dict[str, Any] = {
        "instructions": talk.system or None,
        "max_output_tokens": talk.max_tokens,
        "temperature": talk.temperature,
        "top_p": talk.top_p,
        "reasoning": {"effort": "medium", "summary": "auto"} if talk.thinks else None,
        "parallel_tool_calls": talk.has_parallel_calls,
        "safety_identifier": talk.user or None,
    }
    if talk.tools:
        options["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.schema,
                "strict": False,
            }
            for tool in talk.tools
        ]
    if talk.choice:
        is_word = talk.choice in ("auto", "none", "required")
        options["tool_choice"] = talk.choice if is_word else {"type": "function", "name": talk.choice}
    if talk.schema is not None:
        wanted = {"type": "json_schema", "name": "person", "schema": talk.schema, "strict": True}
        options["text"] = {"format": wanted}
    return {name: value for name, value in options.items() if value is not None}
