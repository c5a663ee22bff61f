"""In which dialect a provider is asked for a model, where that depends on the model.

Clouds keep many vendors' models under one roof: Claude is asked in Anthropic's dialect there, and nothing else is.
"""

from typing import Final

from app.config import DialectName, ProviderConfig
from app.dialects.bedrock_models import vendor_of

_ALONE: Final = ("vertex", "azure")
"""Kinds whose Claude understands nothing but Anthropic's dialect; Bedrock's Converse asks it as well."""


def dialects_for(provider: ProviderConfig, model: str | None) -> tuple[DialectName, ...]:
    """Return the dialects that a provider answers in for a model, best first; all of them where no model is named.

    Empty where none of the provider's dialects reaches the model: Claude on Vertex without `anthropic` in `also`.
    """
    every = tuple(dict.fromkeys((provider.dialect, *provider.also)))
    if provider.kind is None or model is None:
        return every
    vendor = vendor_of(model)
    if vendor == "claude":
        own = tuple(dialect for dialect in every if dialect == "anthropic")
        return own if provider.kind in _ALONE else own + tuple(dialect for dialect in every if dialect != "anthropic")
    if vendor == "unknown" and provider.kind == "bedrock":
        return every
    others = tuple(dialect for dialect in every if dialect != "anthropic")
    if provider.kind != "vertex":
        return others
    return tuple(sorted(others, key=lambda dialect: (dialect == "gemini") != _is_googles(model)))


def _is_googles(model: str) -> bool:
    """Whether it is a model of Google's own on Vertex: others' names begin with their maker's, as in `meta/llama-4`."""
    return "/" not in model or model.startswith(("google/", "publishers/", "models/"))
