"""Messages without what only their own dialect reads: for tests that are about their meaning."""

from typing import Any

import msgspec


def bare(value: Any) -> Any:
    """The same value, every `extras` and `origin` in it gone."""
    if isinstance(value, tuple | list):
        return type(value)(bare(inner) for inner in value)
    if not isinstance(value, msgspec.Struct):
        return value
    changed = {name: bare(getattr(value, name)) for name in value.__struct_fields__}
    for name in ("extras", "origin", "is_redacted"):
        if name in changed:
            changed[name] = False if name == "is_redacted" else None
    return type(value)(**changed)
