"""Dialects by name."""

from typing import Final

from app.dialects.anthropic import AnthropicReader
from app.dialects.bedrock_reader import BedrockReader
from app.dialects.cohere_reader import CohereReader
from app.dialects.dialect import DialectReader
from app.dialects.gemini import GeminiReader
from app.dialects.ollama_reader import OllamaReader
from app.dialects.openai_chat import MistralReader, OpenAiChatReader
from app.dialects.openai_completions import OpenAiCompletionsReader
from app.dialects.openai_embeddings import OpenAiEmbeddingsReader
from app.dialects.openai_responses import OpenAiResponsesReader

_READERS: Final[dict[str, DialectReader]] = {
    "anthropic": AnthropicReader(),
    "bedrock": BedrockReader(),
    "cohere": CohereReader(),
    "gemini": GeminiReader(),
    "ollama": OllamaReader(),
    "mistral": MistralReader(),
    "openai_chat": OpenAiChatReader(),
    "openai_completions": OpenAiCompletionsReader(),
    "openai_embeddings": OpenAiEmbeddingsReader(),
    "openai_responses": OpenAiResponsesReader(),
}


def reader_of(dialect: str) -> DialectReader | None:
    """Return what reads a dialect, None for one that nobody here reads."""
    return _READERS.get(dialect)
