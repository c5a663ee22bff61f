"""JSON schemas bent to what providers take of them.

Gemini's `Schema` is a part of OpenAPI 3.0 (https://ai.google.dev/api/caching#Schema). What a provider cannot compile is
said in the description instead, so that the model still reads it.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from app.dialects.wire import json_text

_DEEPEST: Final = 48
_MOST_NODES: Final = 20_000
_CHILDREN: Final = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_DEFINITIONS: Final = ("$defs", "definitions")
_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_NUMBERS: Final = ("minimum", "maximum")
_COUNTS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_FORMATS: Final = {
    "string": ("date-time", "enum"),
    "number": ("float", "double"),
    "integer": ("int32", "int64"),
}
"""Formats that Gemini knows; it refuses others."""
_NOTES: Final = frozenset({"$schema", "$comment", "examples", "readOnly", "writeOnly", "deprecated", "const"})
_IN_JSON: Final = frozenset({
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems",
    "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required",
    "propertyOrdering", "default", "minLength", "maxLength", "pattern", "uniqueItems",
})  # fmt: skip
"""Keywords that Gemini reads in a JSON schema."""
_SAID: Final = frozenset({
    "const", "default", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "uniqueItems", "format",
    "not", "if", "then", "else", "prefixItems", "contains", "patternProperties", "propertyNames", "dependentRequired",
    "dependentSchemas", "minContains", "maxContains", "contentMediaType", "contentEncoding",
})  # fmt: skip
"""Keywords that are told in the description."""


def inline_refs(schema: object) -> object:
    """Return a schema with every reference to its own definitions replaced by what stands there.

    A reference inside of what it refers to becomes `{}`, anything; so does one that leads nowhere.
    """
    if not isinstance(schema, dict) or not _has_refs(schema, 0):
        return schema
    return _Inliner(schema).inlined(schema, ())


def gemini_schema(schema: object) -> dict[str, Any]:
    """Return a JSON schema in Gemini's own words; what it has no words for is told in descriptions. Never raises."""
    try:
        return _subset(inline_refs(schema), 0)
    except RecursionError:
        return {"type": "OBJECT"}


def tidy_for_gemini(schema: object) -> dict[str, Any] | None:
    """Return a JSON schema as Gemini takes it in its fields for such (`parametersJsonSchema`), None where it would not.

    https://ai.google.dev/gemini-api/docs/structured-output#json_schema_support
    """
    if not isinstance(schema, dict):
        return None
    tidied = _mapped(schema, _tidy, 0)
    if not isinstance(tidied, dict) or not _keywords(tidied) <= _IN_JSON:
        return None
    return tidied


def json_schema(schema: object) -> object:
    """Return one of Gemini's schemas as the JSON schema that means the same; itself where it is one already."""
    return _as_json_schema(schema, 0)


def keywords_moved(schema: object, keywords: Collection[str]) -> tuple[object, bool]:
    """Return a schema with these keywords told in descriptions instead, and whether there were any."""
    moved = False

    def move(node: dict[str, Any]) -> dict[str, Any]:
        nonlocal moved
        found = {key: node[key] for key in node if key in keywords}
        if not found:
            return node
        moved = True
        kept = {key: field for key, field in node.items() if key not in keywords}
        return _described(kept, found)

    return _mapped(schema, move, 0), moved


class _Inliner:
    """Replaces references; every definition is entered at most once on a path, and the whole stays of a size."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._n_nodes = 0

    def inlined(self, node: object, path: tuple[str, ...]) -> Any:
        self._n_nodes += 1
        if len(path) > _DEEPEST or self._n_nodes > _MOST_NODES:
            return {}
        if isinstance(node, list):
            return [self.inlined(entry, path) for entry in node]
        if not isinstance(node, dict):
            return node
        ref = node.get("$ref")
        rest = {key: field for key, field in node.items() if key not in ("$ref", *_DEFINITIONS)}
        if not isinstance(ref, str):
            return self._fields(rest, path)
        beside = self._fields(rest, path)
        target = None if ref in path else self._found(ref)
        if target is None:
            return beside
        return {**fields_of(self.inlined(target, (*path, ref))), **beside}

    def _fields(self, node: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        """`enum`, `const` and the like are values, no schemas."""
        whole: dict[str, Any] = {}
        for key, field in node.items():
            if key in _MAPS and isinstance(field, dict):
                whole[key] = {name: self.inlined(inner, path) for name, inner in field.items()}
            elif key in _LISTS or key in _CHILDREN:
                whole[key] = self.inlined(field, path)
            else:
                whole[key] = field
        return whole

    def _found(self, ref: str) -> object:
        if not ref.startswith("#"):
            return None
        at: object = self._root
        for step in ref[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            at = at.get(name) if isinstance(at, dict) else None
        return at


def fields_of(value: object) -> dict[str, Any]:
    """Return a schema's keywords; `true` has none."""
    return value if isinstance(value, dict) else {}


def _has_refs(node: object, depth: int) -> bool:
    if depth > 2 * _DEEPEST:
        return True
    if isinstance(node, dict):
        return "$ref" in node or any(_has_refs(field, depth + 1) for field in node.values())
    return isinstance(node, list) and any(_has_refs(entry, depth + 1) for entry in node)


def _tidy(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without notes to readers, and with a constant as a choice of one."""
    if not any(key in node for key in _NOTES):
        return node
    kept = {key: field for key, field in node.items() if key not in _NOTES}
    if "const" in node and "enum" not in kept:
        kept["enum"] = [node["const"]]
    return kept


def _keywords(node: object) -> set[str]:
    found: set[str] = set()

    def note(one: dict[str, Any]) -> dict[str, Any]:
        found.update(one)
        return one

    _mapped(node, note, 0)
    return found


def _mapped(node: object, change: Callable[[dict[str, Any]], dict[str, Any]], depth: int) -> object:
    """Return a schema with `change` applied to each schema in it, outermost first; the same where nothing changed."""
    if not isinstance(node, dict) or depth > _DEEPEST:
        return node
    changed = change(node)
    kept = changed
    for key, field in changed.items():
        inner = field
        if key in _MAPS and isinstance(field, dict):
            inner = {name: _mapped(one, change, depth + 1) for name, one in field.items()}
            inner = field if all(inner[name] is field[name] for name in field) else inner
        elif key in _LISTS and isinstance(field, list):
            inner = [_mapped(one, change, depth + 1) for one in field]
            inner = field if all(one is other for one, other in zip(inner, field, strict=True)) else inner
        elif key in _CHILDREN:
            inner = _mapped(field, change, depth + 1)
        if inner is not field:
            kept = {**kept, key: inner} if kept is changed else kept | {key: inner}
    return kept


def _described(node: dict[str, Any], told: Mapping[str, object]) -> dict[str, Any]:
    """Return a schema whose description tells these keywords too."""
    words = "; ".join(f"{key}: {value if isinstance(value, str) else json_text(value)}" for key, value in told.items())
    said = node.get("description")
    description = f"{said} ({words})" if isinstance(said, str) and said else words
    return {**node, "description": description}


def _subset(node: object, depth: int) -> dict[str, Any]:
    if not isinstance(node, dict) or depth > _DEEPEST:
        return {}
    node, is_nullable = _without_null(_flattened(node))
    told = {key: field for key, field in node.items() if key in _SAID}
    out: dict[str, Any] = {}
    kind = node.get("type")
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one in _TYPES]
    options = [_subset(option, depth + 1) for option in _options(node)]
    if len(kinds) == 1:
        out["type"] = kinds[0].upper()
    elif len(kinds) > 1 and not options:
        options = [_subset({"type": one}, depth + 1) for one in kinds]
    elif not kinds and not options:
        out["type"] = _guessed(node)
    _copy_words(node, out, told)
    _copy_enum(node, out, told, kinds)
    if out.get("type") == "OBJECT" or "properties" in node:
        _copy_object(node, out, depth)
    if out.get("type") == "ARRAY":
        out["items"] = _items(node, depth)
    if options:
        out["anyOf"] = options
    if is_nullable:
        out["nullable"] = True
    return _described(out, told) if told else out


def _flattened(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its `allOf` put into it, and with a `oneOf` as what it nearly is, an `anyOf`."""
    parts = node.get("allOf")
    if isinstance(parts, list):
        whole = {key: field for key, field in node.items() if key != "allOf"}
        for part in parts:
            whole = _both(whole, _flattened(fields_of(part)))
        node = whole
    if isinstance(node.get("oneOf"), list):
        node = {key: field for key, field in node.items() if key != "oneOf"} | {
            "anyOf": [*(node["anyOf"] if isinstance(node.get("anyOf"), list) else ()), *node["oneOf"]]
        }
    return node


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    whole = {**other, **one}
    for key in ("properties", "required"):
        first, second = one.get(key), other.get(key)
        if isinstance(first, dict) and isinstance(second, dict):
            whole[key] = {**second, **first}
        elif isinstance(first, list) and isinstance(second, list):
            whole[key] = [*second, *(name for name in first if name not in second)]
    return whole


def _without_null(node: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return a schema without null among its types and choices, and whether null was there."""
    is_nullable = node.get("nullable") is True
    kind = node.get("type")
    if isinstance(kind, list) and "null" in kind:
        is_nullable = True
        kept = [one for one in kind if one != "null"]
        node = {**node, "type": kept[0] if len(kept) == 1 else kept}
    options = node.get("anyOf")
    if isinstance(options, list):
        rest = [option for option in options if not _is_null(option)]
        if len(rest) < len(options):
            is_nullable = True
            node = {key: field for key, field in node.items() if key != "anyOf"}
            if len(rest) == 1 and isinstance(rest[0], dict):
                inner, _ = _without_null(_flattened(rest[0]))
                node = _both(node, inner)
            elif rest:
                node["anyOf"] = rest
    if isinstance(node.get("enum"), list) and None in node["enum"]:
        is_nullable = True
        node = {**node, "enum": [value for value in node["enum"] if value is not None]}
    return node, is_nullable


def _is_null(option: object) -> bool:
    return isinstance(option, dict) and (option.get("type") in ("null", ["null"]) or option.get("enum") == [None])


def _options(node: dict[str, Any]) -> list[object]:
    options = node.get("anyOf")
    return options if isinstance(options, list) else []


def _guessed(node: dict[str, Any]) -> str:
    """Return a type for a schema that names none: Gemini wants one."""
    if "items" in node or "prefixItems" in node:
        return "ARRAY"
    values = node.get("enum") if isinstance(node.get("enum"), list) else [node["const"]] if "const" in node else []
    if values:
        return _type_of(values)
    if "minimum" in node or "maximum" in node:
        return "NUMBER"
    is_empty = not any(key in node for key in ("properties", "required", "minProperties", "additionalProperties"))
    return "STRING" if is_empty and node.get("type") != "object" else "OBJECT"


def _type_of(values: list[Any]) -> str:
    if all(isinstance(value, bool) for value in values):
        return "BOOLEAN"
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "INTEGER"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "NUMBER"
    return "STRING"


def _copy_words(node: dict[str, Any], out: dict[str, Any], told: dict[str, object]) -> None:
    if isinstance(node.get("description"), str) and node["description"]:
        out["description"] = node["description"]
    for key in _NUMBERS:
        if isinstance(node.get(key), int | float) and not isinstance(node[key], bool):
            out[key] = node[key]
    for key in _COUNTS:
        if type(node.get(key)) is int and node[key] >= 0:
            out[key] = node[key]
    pattern = node.get("pattern")
    if isinstance(pattern, str) and out.get("type") == "STRING":
        out["pattern"] = pattern
        told.pop("pattern", None)
    known = _FORMATS.get(str(out.get("type", "")).lower(), ())
    if node.get("format") in known:
        out["format"] = node["format"]
        told.pop("format", None)


def _copy_enum(node: dict[str, Any], out: dict[str, Any], told: dict[str, object], kinds: list[str]) -> None:
    """Gemini's choices are texts; of other values it is told."""
    values = [node["const"]] if "const" in node else node.get("enum")
    told.pop("const", None)
    if not isinstance(values, list) or not values:
        return
    if all(isinstance(value, str) for value in values) and (not kinds or kinds == ["string"]):
        out["type"] = "STRING"
        if all(values):  # it refuses empty ones
            out["enum"] = values
            return
    told["one of"] = values


def _copy_object(node: dict[str, Any], out: dict[str, Any], depth: int) -> None:
    out["type"] = "OBJECT"
    properties = node.get("properties")
    if not isinstance(properties, dict) or not properties:
        return
    out["properties"] = {str(name): _subset(inner, depth + 1) for name, inner in properties.items()}
    required = node.get("required")
    if isinstance(required, list):
        listed = [name for name in required if isinstance(name, str) and name in properties]
        if listed:
            out["required"] = list(dict.fromkeys(listed))
    order = node.get("propertyOrdering")
    if isinstance(order, list) and order and all(isinstance(name, str) and name in properties for name in order):
        out["propertyOrdering"] = order


def _items(node: dict[str, Any], depth: int) -> dict[str, Any]:
    items = node.get("items")
    if isinstance(items, dict):
        return _subset(items, depth + 1)
    listed = items if isinstance(items, list) else node.get("prefixItems")
    if isinstance(listed, list) and listed:
        kinds = [_subset(entry, depth + 1) for entry in listed]
        unique = [kind for place, kind in enumerate(kinds) if kind not in kinds[:place]]
        return unique[0] if len(unique) == 1 else {"anyOf": unique}
    return _subset({}, depth + 1)


_JSON_NAMES: Final = {"any_of": "anyOf", "min_items": "minItems", "max_items": "maxItems", "min_length": "minLength",
    "max_length": "maxLength", "min_properties": "minProperties", "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering", "defs": "$defs", "ref": "$ref",
    "additional_properties": "additionalProperties"}  # fmt: skip


def _as_json_schema(node: object, depth: int) -> Any:
    if not isinstance(node, dict) or depth > _DEEPEST:
        return node
    whole: dict[str, Any] = {}
    for key, field in node.items():
        name = _JSON_NAMES.get(str(key), str(key))
        if name in _MAPS and isinstance(field, dict):
            field = {inner: _as_json_schema(one, depth + 1) for inner, one in field.items()}
        elif name in _LISTS and isinstance(field, list):
            field = [_as_json_schema(one, depth + 1) for one in field]
        elif name in _CHILDREN:
            field = _as_json_schema(field, depth + 1)
        elif key == "type" and isinstance(field, str):
            field = field.lower()
        elif name in _COUNTS and isinstance(field, str) and field.isdecimal():
            field = int(field)  # 64-bit numbers are texts in Google's JSON
        whole[name] = field
    whole.pop("propertyOrdering", None)
    if whole.get("type") == "type_unspecified":
        del whole["type"]
    if whole.pop("nullable", None) is True:
        whole = _nullable(whole)
    return node if whole == node else whole


def _nullable(whole: dict[str, Any]) -> dict[str, Any]:
    if isinstance(whole.get("type"), str):
        whole["type"] = [whole["type"], "null"]
        if isinstance(whole.get("enum"), list) and None not in whole["enum"]:
            whole["enum"] = [*whole["enum"], None]
    elif isinstance(whole.get("anyOf"), list):
        whole["anyOf"] = [*whole["anyOf"], {"type": "null"}]
    return whole
