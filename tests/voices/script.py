"""What a test's provider is to say and what it heard, in words of no dialect.

Each module of this folder is one upstream dialect, written by hand from its vendor's documentation, with none of the
code under test: `whole` and `stream` say a script, `heard` tells what a request asks, `check` that the vendor would
take it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Call:
    """A tool call that the model makes."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Script:
    """One answer."""

    text: str = ""
    thought: str = ""
    proof: str = ""
    """The provider's signature of the thought (or of the first call, with Gemini)."""
    calls: tuple[Call, ...] = ()
    is_cut_short: bool = False
    """It ends for its length."""
    input_tokens: int = 100
    cached_tokens: int = 40
    output_tokens: int = 20
    """Thinking included."""
    thinking_tokens: int = 0

    def pieces(self) -> list[str]:
        """The text as a stream has it."""
        return [self.text[start : start + 7] for start in range(0, len(self.text), 7)]


@dataclass
class Heard:
    """What a request asks, as far as the tests compare it."""

    model: str = ""
    is_stream: bool = False
    system: str = ""
    turns: list[tuple[str, str]] = field(default_factory=list)
    """(user | assistant | tool, text), in order; parts without text are left out."""
    images: int = 0
    files: int = 0
    sounds: int = 0
    tools: list[str] = field(default_factory=list)
    choice: str = ""
    """auto, none, required, or a tool's name; "" where nothing is said."""
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """(id, name, arguments as sorted JSON) of the history."""
    results: list[tuple[str, str, bool]] = field(default_factory=list)
    """(call's id, text, is an error) of the history; Gemini's name its tool."""
    proofs: list[str] = field(default_factory=list)
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = field(default_factory=list)
    seed: int | None = None
    schema: Any = None
    """Of a structured output, native only."""
    thinks: bool = False
    """It asks the model to think."""
    cache_marks: int = 0


def sorted_json(value: Any) -> str:
    """JSON with one spelling."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def must_fit(adapter: TypeAdapter[Any], value: Any) -> None:
    """Fail where a value is not of a vendor's type; lists that are checked lazily are checked to their end."""
    _walk(adapter.validate_python(value))


def _walk(value: Any) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _walk(inner)
    elif isinstance(value, (list | tuple, Iterator)) or type(value).__name__ == "ValidatorIterator":
        for inner in value:
            _walk(inner)


def event(value: object, name: str | None = None, *, end: str = "\n") -> bytes:
    """One server-sent event."""
    line = f"event: {name}{end}" if name else ""
    return f"{line}data: {json.dumps(value, ensure_ascii=False)}{end}{end}".encode()
