"""What a test's client asks and what it is told, in words of no dialect.

Each module of this folder is one vendor's own SDK, used as its users do: `Talker(url, key)` keeps the conversation in
the SDK's own objects and sends them back as they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel, base64."""
PDF = "JVBERi0xLjQKJcfsj6IKMSAwIG9iago8PD4+CmVuZG9iagp0cmFpbGVyPDw+PgolJUVPRgo="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="

WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Where"}},
    "required": ["city"],
    "additionalProperties": False,
}
PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Tool:
    """A function that the client has."""

    name: str = "get_weather"
    description: str = "The weather of a city"
    schema: dict[str, Any] = field(default_factory=lambda: WEATHER)


@dataclass(frozen=True)
class Talk:
    """How a conversation begins, and its settings."""

    prompt: str = "What is the weather in Paris?"
    system: str = ""
    image: str = ""
    pdf: str = ""
    sound: str = ""
    tools: tuple[Tool, ...] = ()
    choice: str = ""
    """auto, none, required, or a tool's name."""
    has_parallel_calls: bool | None = None
    max_tokens: int | None = 4096
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    schema: dict[str, Any] | None = None
    thinks: bool = False
    marks_cache: bool = False
    user: str = ""


@dataclass(frozen=True)
class Told:
    """What the client was told."""

    text: str
    thought: str
    calls: tuple[tuple[str, str, dict[str, Any]], ...]
    """(id, name, arguments)"""
    finish: str
    """In the words of OpenAI's chat: stop, length, tool_calls."""
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    model: str


@dataclass(frozen=True)
class Result:
    """What a tool answered."""

    call_id: str
    name: str
    text: str
    is_error: bool = False
    image: str = ""


class Talker(Protocol):
    """One conversation on one SDK."""

    def begin(self, model: str, talk: Talk) -> None:
        """Start over with this talk."""

    async def ask(self, *, is_stream: bool) -> Told:
        """Send what stands and keep the answer in the history."""

    def answer(self, results: Sequence[Result]) -> None:
        """Say what the tools said."""

    def say(self, text: str) -> None:
        """Go on with another question."""

    async def close(self) -> None:
        """Hang up."""
