"""How many tokens a request would send: asked of the provider where it counts, else estimated here.

Clients ask as Anthropic's `/v1/messages/count_tokens`, Gemini's `:countTokens` or OpenAI's
`/v1/responses/input_tokens`. Cohere only counts bare texts and Ollama nothing: theirs are estimates.
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import msgspec

from app.dialects.wire import UNREADABLE, count, decode_any, fields, json_text
from app.dialects.writers import upstream_writer
from app.dialects.writing import Written
from app.models.chat import ChatRequest
from app.models.message import Media, Part, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.target import Target
from app.pricing.tokens import estimate_tokens

_ANTHROPIC: Final = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control"}
    | {"mcp_servers", "context_management"}
)
_RESPONSES: Final = frozenset(
    {"model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls"}
    | {"truncation", "previous_response_id", "conversation"}
)
_CONVERSE: Final = frozenset({"messages", "system", "toolConfig", "additionalModelRequestFields"})
_VERTEX: Final = frozenset({"contents", "systemInstruction", "tools", "generationConfig"})
"""Of a request's fields, those that are counted."""
_ANSWERS: Final = {
    "anthropic": "input_tokens",
    "openai_responses": "input_tokens",
    "gemini": "totalTokens",
    "bedrock": "inputTokens",
}
_CLAUDE: Final = "anthropic."
_TOKENS_A_MESSAGE: Final = 4
_TOKENS_AN_IMAGE: Final = 1000
"""About what a picture of a screen costs; a rough word for a rough count."""
_CHARS_A_FILE_TOKEN: Final = 8
"""Base64 of a document: three quarters of it are bytes, and not all of them are words."""
_to_json: Final = msgspec.json.Encoder().encode


def count_request(request: ChatRequest, target: Target) -> Written | None:
    """Return what asks the target's provider to count; None where it does not, and an estimate must do.

    Raises InputError for what the target's dialect cannot carry.
    """
    if target.dialect == "anthropic":
        written, body = _written(request, target, "anthropic")
        return _asking(written, _only(body, _ANTHROPIC), "/v1/messages/count_tokens")
    if target.dialect == "gemini":
        written, body = _written(request, target, "gemini")
        return _asking(written, _gemini(body, target), f"/v1beta/models/{_bare(target.model)}:countTokens")
    if target.dialect == "openai_responses" or (target.dialect == "openai_chat" and target.provider == "openai"):
        written, body = _written(request, target, "openai_responses")
        return _asking(written, _only(body, _RESPONSES), "/v1/responses/input_tokens")
    if target.dialect == "bedrock" and _CLAUDE in target.model:
        written, body = _written(request, target, "bedrock")
        model = target.model[target.model.rindex(_CLAUDE) :]  # profiles of regions are not counted for
        path = f"/model/{quote(model, safe='')}/count-tokens"
        return _asking(written, {"input": {"converse": _only(body, _CONVERSE)}}, path)
    return None


def read_count(dialect: str, body: bytes) -> int | None:
    """Return how many tokens an upstream of `dialect` counted, None where its answer does not say."""
    try:
        answer = fields(decode_any(body))
    except UNREADABLE:
        return None
    name = "input_tokens" if dialect == "openai_chat" else _ANSWERS.get(dialect)
    return count(answer.get(name)) if name is not None else None


def write_count(client_dialect: str, n_tokens: int) -> bytes:
    """Return the answer for a client of `client_dialect`. None has a field for an estimate: a header must say that."""
    if client_dialect == "gemini":
        return _to_json({"totalTokens": n_tokens})
    if client_dialect == "openai_responses":
        return _to_json({"object": "response.input_tokens", "input_tokens": n_tokens})
    return _to_json({"input_tokens": n_tokens})


def estimate_request(request: ChatRequest) -> int:
    """Return a rough count of what a request would send."""
    texts: list[str] = []
    n_tokens = _TOKENS_A_MESSAGE * len(request.messages)
    for message in request.messages:
        for part in message.parts:
            texts += _texts(part)
            n_tokens += sum(_media_tokens(media) for media in _media(part))
    for tool in request.tools:
        texts += [tool.name, tool.description or "", json_text(tool.schema) if tool.schema is not None else ""]
    output = request.settings.output
    if output is not None and output.schema is not None:
        texts.append(json_text(output.schema))
    return n_tokens + estimate_tokens(texts)


def _written(request: ChatRequest, target: Target, dialect: str) -> tuple[Written, dict[str, Any]]:
    writer = upstream_writer(dialect)
    assert writer is not None
    written = writer.write_request(msgspec.structs.replace(request, is_stream=False), target)
    return written, fields(decode_any(written.body))


def _asking(written: Written, body: dict[str, Any], path: str) -> Written:
    """Return the question; nothing of an answer must be restored."""
    return Written(_to_json(body), path, written.headers, written.losses)


def _only(body: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in names}


def _gemini(body: dict[str, Any], target: Target) -> dict[str, Any]:
    """Return the body: Gemini counts a whole request inside, Vertex (known by the provider's name) its fields.

    https://ai.google.dev/api/tokens and
    https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
    """
    if "vertex" in target.provider:
        return _only(body, _VERTEX)
    return {"generateContentRequest": {"model": f"models/{_bare(target.model)}", **body}}


def _bare(model: str) -> str:
    return model.removeprefix("models/")


def _texts(part: Part) -> Iterator[str]:
    if isinstance(part, Text | Reasoning | Refusal):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.name
        yield part.arguments
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _texts(inner)
    elif isinstance(part, Raw):
        yield json_text(part.value)


def _media(part: Part) -> Iterator[Media]:
    if isinstance(part, Media):
        yield part
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _media(inner)


def _media_tokens(media: Media) -> int:
    if media.modality == "image" or media.data is None:
        return _TOKENS_AN_IMAGE
    return len(media.data) // _CHARS_A_FILE_TOKEN
