"""Whether two JSON bodies mean the same, written without any of the code under test."""

import json
from typing import Any


def without_empty(value: Any) -> Any:
    """Return a value without fields that hold nothing: null, "", [] and {}."""
    if isinstance(value, dict):
        kept = {key: without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in (None, "", [], {})}
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


def differences(one: Any, other: Any, *, ignoring: tuple[str, ...] = ()) -> list[str]:
    """Return where two values differ, as `path: one != other`; [] where they mean the same.

    Alike: null and absent; a text and a list of one text part; JSON in a string and the same JSON spelled otherwise;
    1 and 1.0. `ignoring` names paths (without list indices, `*` for any key) that are not compared.
    """
    return list(_differ(_folded(one), _folded(other), "", ignoring))


def _differ(one: Any, other: Any, path: str, ignoring: tuple[str, ...]) -> Any:
    if any(_matches(path, pattern) for pattern in ignoring):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _differ(one.get(key), other.get(key), f"{path}.{key}" if path else key, ignoring)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for first, second in zip(one, other, strict=True):
            yield from _differ(first, second, path, ignoring)
    elif one != other:
        yield f"{path}: {json.dumps(one, ensure_ascii=False)[:160]} != {json.dumps(other, ensure_ascii=False)[:160]}"


def _matches(path: str, pattern: str) -> bool:
    steps, wanted = path.split("."), pattern.split(".")
    return len(steps) == len(wanted) and all(want in ("*", step) for step, want in zip(steps, wanted, strict=True))


def _folded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: found for key, inner in value.items() if (found := _folded(inner)) is not None}
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], dict) and set(value[0]) == {"type", "text"}:
            return value[0]["text"]
        return [_folded(inner) for inner in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
