"""Dialects by name."""

from typing import Final

from app.dialects.anthropic import AnthropicReader
from app.dialects.dialect import DialectReader
from app.dialects.openai_chat import OpenAiChatReader

_READERS: Final[dict[str, DialectReader]] = {
    "anthropic": AnthropicReader(),
    "openai_chat": OpenAiChatReader(),
}


def reader_of(dialect: str) -> DialectReader | None:
    """Return what reads a dialect, None for one that nobody here reads."""
    return _READERS.get(dialect)
