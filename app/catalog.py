"""Who a call is going to: a provider's quirks and a model's traits, as its translation must know them.

Traits are data of `resources/models.toml`. It is read on the first question: nothing here costs at import.
"""

import fnmatch
import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from app.config import ProviderConfig, QuirksConfig
from app.models.target import Quirks, Target, Traits

_MOST_MODELS: Final = 4096
"""Names remembered: clients may ask for any name."""
_REGIONS: Final = re.compile(r"^(?:us-gov|us|eu|apac|global|jp|au|ca|sa|amer)\.(?=[a-z0-9]+\.)")
_MAKER: Final = re.compile(
    r"^(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot(?:ai)?|openai|qwen|writer|xai|zai)"
    r"\.(?=[a-z])"
)
_SNAPSHOT: Final = re.compile(
    r"(?:[-@](?:20\d{2}-?[01]\d-?[0-3]\d|latest|default)|-v\d+(?::\d+(?::\w+)?)?|:[\w.-]+|-maas)$"
)


def target_of(provider_name: str, provider: ProviderConfig, model: str, dialect: str) -> Target:
    """Return what is known of a provider's model, asked in a dialect."""
    return Target(model, provider_name, dialect, quirks_of(provider.quirks), traits_of(model))


def quirks_of(stated: QuirksConfig) -> Quirks:
    """Return quirks as translations take them. Fields that nobody stated keep their defaults."""
    if not stated.model_fields_set:
        return _PLAIN
    return msgspec.convert(stated.model_dump(include=stated.model_fields_set), Quirks)


@lru_cache(maxsize=_MOST_MODELS)
def traits_of(model: str) -> Traits:
    """Return what is known of a model by any of its names: `us.anthropic.claude-opus-4-7-v1:0`, `openai/gpt-5:free`.

    All rows whose pattern matches hold, a narrower one over a broader one.
    """
    name = bare_name(model)
    said: dict[str, Any] = {}
    for pattern, fields in _rows():
        if fnmatch.fnmatchcase(name, pattern):
            said |= fields
    return msgspec.convert(said, Traits) if said else _UNKNOWN


def bare_name(model: str) -> str:
    """Return a model's name as its maker has it, in small letters: no region, vendor, snapshot date or tag."""
    name = model.lower()
    if name.startswith("ft:"):  # OpenAI's own: ft:gpt-4o-mini-2024-07-18:org::id
        name = name.split(":")[1]
    name = _MAKER.sub("", _REGIONS.sub("", name.rpartition("/")[2]))
    while (shorter := _SNAPSHOT.sub("", name)) != name:
        name = shorter
    return name


@cache
def _rows() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return patterns and what they say, broadest first: the fewest letters that are no wildcard."""
    said = tomllib.loads(files("resources").joinpath("models.toml").read_text(encoding="utf-8"))
    rows = [(pattern, msgspec.to_builtins(fields)) for pattern, fields in said.items()]
    for _, fields in rows:
        msgspec.convert(fields, Traits)
    return tuple(sorted(rows, key=lambda row: (len(re.sub(r"\[[^]]*\]|[*?]", "", row[0])), row[0])))


_PLAIN: Final = Quirks()
_UNKNOWN: Final = Traits()
