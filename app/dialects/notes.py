"""What stands in `extras` only to write a thing again as it was: ids, states and spellings, no loss elsewhere."""

from collections.abc import Mapping
from typing import Final

_NOTES: Final = frozenset({
    "id", "status", "type", "item", "derived", "instructions", "index", "caller", "summary", "display",
    "reasoning_effort", "reasoning", "reasoning_content", "reasoning_details", "thinking_blocks",
    "of", "is_bare", "legacy", "whole", "word", "mode", "tools", "annotations", "audio", "function_call",
    "under", "parameters", "responseSchema", "responseMimeType", "thinkingBudget",
})  # fmt: skip


def meaning(extras: Mapping[str, object] | None) -> list[str]:
    """Return the names of the fields that mean something to another dialect too."""
    return [name for name in extras if name not in _NOTES] if extras else []
