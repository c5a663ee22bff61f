"""Google's Gen AI SDK for Python."""

import base64
from collections.abc import Sequence
from typing import Any

from google import genai
from google.genai import types
from talkers.talk import Result, Talk, Told

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}


class Talker:
    """One conversation."""

    path = "/v1beta/models"

    def __init__(self, url: str, key: str) -> None:
        self._client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
        self._contents: list[types.Content] = []
        self._config = types.GenerateContentConfig()
        self._model = ""

    def begin(self, model: str, talk: Talk) -> None:
        """Start over with this talk."""
        self._model, self._config = model, _settings(talk)
        parts = [types.Part(text=talk.prompt)]
        for data, media_type in ((talk.image, "image/png"), (talk.pdf, "application/pdf"), (talk.sound, "audio/wav")):
            if data:
                parts.append(types.Part.from_bytes(data=base64.b64decode(data), mime_type=media_type))
        self._contents = [types.Content(role="user", parts=parts)]

    async def ask(self, *, is_stream: bool) -> Told:
        """Send what stands and keep the answer in the history."""
        models = self._client.aio.models
        asked: Any = {"model": self._model, "contents": self._contents, "config": self._config}
        if is_stream:
            chunks = [chunk async for chunk in await models.generate_content_stream(**asked)]
        else:
            chunks = [await models.generate_content(**asked)]
        contents = [chunk.candidates[0].content for chunk in chunks if chunk.candidates]
        parts = [part for content in contents if content and content.parts for part in content.parts]
        self._contents.append(types.Content(role="model", parts=_joined(parts)))
        calls = [part.function_call for part in parts if part.function_call]
        finish = [str(chunk.candidates[0].finish_reason.value) for chunk in chunks if _has_finish(chunk)][-1]
        usage: Any = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata][-1]
        return Told(
            "".join(part.text for part in parts if part.text and not part.thought),
            "".join(part.text for part in parts if part.text and part.thought),
            tuple((call.id or "", call.name or "", dict(call.args or {})) for call in calls),
            "tool_calls" if calls else _FINISH.get(finish, finish),
            usage.prompt_token_count or 0,
            (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            usage.cached_content_token_count or 0,
            chunks[0].model_version or "",
        )

    def answer(self, results: Sequence[Result]) -> None:
        """Say what the tools said."""
        parts = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=result.call_id or None,
                    name=result.name,
                    response={"error" if result.is_error else "result": result.text},
                )
            )
            for result in results
        ]
        self._contents.append(types.Content(role="user", parts=parts))

    def say(self, text: str) -> None:
        """Go on with another question."""
        self._contents.append(types.Content(role="user", parts=[types.Part(text=text)]))

    async def close(self) -> None:
        """Hang up."""
        await self._client.aio.aclose()
        self._client.close()


def _has_finish(chunk: Any) -> bool:
    return bool(chunk.candidates) and chunk.candidates[0].finish_reason is not None


def _joined(parts: list[types.Part]) -> list[types.Part]:
    """The pieces of one text as one part, as a history has them."""
    whole: list[types.Part] = []
    for part in parts:
        last = whole[-1] if whole else None
        is_text = part.text is not None and part.thought_signature is None
        if last is not None and is_text and last.text is not None and last.thought == part.thought:
            whole[-1] = last.model_copy(update={"text": last.text + (part.text or "")})
        else:
            whole.append(part)
    return whole


def _settings(talk: Talk) -> types.GenerateContentConfig:
    options: dict[str, Any] = {
        "system_instruction": talk.system or None,
        "max_output_tokens": talk.max_tokens,
        "temperature": talk.temperature,
        "top_p": talk.top_p,
        "stop_sequences": list(talk.stop) or None,
        "seed": talk.seed,
        "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True),
    }
    if talk.thinks:
        options["thinking_config"] = types.ThinkingConfig(thinking_budget=2048, include_thoughts=True)
    if talk.tools:
        declared = [
            types.FunctionDeclaration(name=tool.name, description=tool.description, parameters_json_schema=tool.schema)
            for tool in talk.tools
        ]
        options["tools"] = [types.Tool(function_declarations=declared)]
    if talk.choice:
        mode = {"auto": "AUTO", "none": "NONE"}.get(talk.choice, "ANY")
        is_named = talk.choice not in ("auto", "none", "required")
        names = [talk.choice] if is_named else None
        calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode(mode), allowed_function_names=names)
        options["tool_config"] = types.ToolConfig(function_calling_config=calling)
    if talk.schema is not None:
        options |= {"response_mime_type": "application/json", "response_json_schema": talk.schema}
    return types.GenerateContentConfig(**options)
