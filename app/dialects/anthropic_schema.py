"""JSON schemas as Claude's structured outputs take them.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from typing import Any, Final

from app.dialects.wire import json_text

NO_FIELDS: Final[dict[str, Any]] = {"type": "object", "properties": {}}

_NAMED: Final = ("properties", "$defs", "definitions")
"""Keywords whose values are schemas by name."""
_LISTED: Final = ("anyOf", "allOf", "prefixItems")
_KEPT: Final = frozenset(
    [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
        "definitions",
        "description",
        "title",
        "default",
        "format",
        "minItems",
        "$schema",
        "$id",
    ]
)
_FORMATS: Final = frozenset(
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]
)
_COMBINED: Final = ("anyOf", "oneOf", "allOf")


def fitted(schema: object) -> tuple[object, bool]:
    """Return a schema that Claude can be held to, and whether that says less than it did.

    What Claude has no grammar for moves into the descriptions, where the model reads it: a caller checks the answer
    against the whole schema. Objects are closed, as Claude wants them.
    """
    if not isinstance(schema, dict):
        return schema, False
    fit = _Fit()
    return fit.schema(schema), fit.says_less


def tool_schema(schema: object) -> tuple[dict[str, Any], bool]:
    """Return a schema for a tool's input, which must be an object, and whether it was changed beyond that.

    Alternatives at the top are refused: they move into the description.
    https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
    """
    if not isinstance(schema, dict):
        return NO_FIELDS, False
    said = schema if schema.get("type") == "object" else {**schema, "type": "object"}
    moved = {name: said[name] for name in _COMBINED if name in said}
    if "properties" not in said:
        said = {**said, "properties": {}}
    if not moved:
        return said, False
    kept = {name: value for name, value in said.items() if name not in moved}
    return _described(kept, moved), True


class _Fit:
    """One schema on its way."""

    def __init__(self) -> None:
        self.says_less = False

    def schema(self, schema: Any) -> Any:
        """Return one schema, and those in it, fitted."""
        if not isinstance(schema, dict):
            return schema
        kept: dict[str, Any] = {}
        moved: dict[str, Any] = {}
        for name, value in schema.items():
            if name in _NAMED and isinstance(value, dict):
                kept[name] = {key: self.schema(inner) for key, inner in value.items()}
            elif name == "oneOf" and isinstance(value, list) and "anyOf" not in schema:
                kept["anyOf"] = [self.schema(inner) for inner in value]
                self.says_less = True
            elif name in _LISTED and isinstance(value, list):
                kept[name] = [self.schema(inner) for inner in value]
            elif name == "items":
                kept[name] = self.schema(value)
            elif name == "additionalProperties" and value is not False:
                if value is not True:
                    moved[name] = value
                else:
                    self.says_less = True
            elif _is_known(name, value):
                kept[name] = value
            else:
                moved[name] = value
        if kept.get("type") == "object" or "properties" in kept:
            kept["additionalProperties"] = False
        if moved:
            self.says_less = True
            return _described(kept, moved)
        return kept


def _is_known(name: str, value: object) -> bool:
    if name == "format":
        return value in _FORMATS if isinstance(value, str) else False
    return value in (0, 1) if name == "minItems" else name in _KEPT


def _described(schema: dict[str, Any], moved: dict[str, Any]) -> dict[str, Any]:
    rules = f"Must fit {json_text(moved)}."
    before = schema.get("description")
    return {**schema, "description": f"{before} {rules}" if isinstance(before, str) and before else rules}
