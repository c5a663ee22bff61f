import json

from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.schema import gemini_schema, inline_refs, json_schema, keywords_moved, tidy_for_gemini


def _valid(schema):
    """Whether Google's SDK takes it, and so does its protobuf: unknown fields and wrong types are refused."""
    types.Schema.model_validate(json.loads(json.dumps(schema)))
    return schema


def test_references_are_replaced_by_what_they_refer_to():
    schema = {"$defs": {"P": {"type": "string"}}, "type": "object", "properties": {"p": {"$ref": "#/$defs/P"}}}
    assert inline_refs(schema) == {"type": "object", "properties": {"p": {"type": "string"}}}


def test_words_beside_a_reference_win():
    schema = {"definitions": {"P": {"type": "string", "description": "a"}}, "items": {"$ref": "#/definitions/P"}}
    schema["items"]["description"] = "b"
    assert inline_refs(schema) == {"items": {"type": "string", "description": "b"}}


def test_a_schema_that_refers_to_itself_ends():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}, "name": {"type": "string"}}}
    inlined = inline_refs({"$defs": {"N": node}, "$ref": "#/$defs/N"})
    assert inlined["properties"]["next"] == {}
    assert inline_refs({"$ref": "#"}) == {}
    _valid(gemini_schema({"$defs": {"N": node}, "$ref": "#/$defs/N"}))


def test_a_reference_that_leads_nowhere_is_anything():
    assert inline_refs({"items": {"$ref": "https://elsewhere/x"}, "not": {"$ref": "#/$defs/none"}}) == {
        "items": {},
        "not": {},
    }


def test_a_schema_that_multiplies_itself_stays_of_a_size():
    defs = {f"D{n}": {"anyOf": [{"$ref": f"#/$defs/D{n + 1}"}] * 4} for n in range(20)}
    written = json.dumps(inline_refs({"$defs": defs, "$ref": "#/$defs/D0"}))
    assert len(written) < 1_000_000


def test_a_schema_without_references_stays_the_same_object():
    schema = {"type": "object"}
    assert inline_refs(schema) is schema


def test_what_gemini_has_no_words_for_is_left_out():
    schema = {
        "$schema": "x",
        "title": "T",
        "type": "object",
        "properties": {"a": {"type": "string", "title": "A", "examples": ["x"]}},
        "additionalProperties": False,
        "required": ["a", "gone"],
    }
    assert gemini_schema(schema) == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}},
        "required": ["a"],
    }


def test_null_among_the_types_is_nullable():
    for schema in (
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"type": "string"}, {"type": "null"}]},
    ):
        assert gemini_schema(schema) == {"type": "STRING", "nullable": True}


def test_several_types_are_a_choice():
    assert gemini_schema({"type": ["string", "integer", "null"]}) == {
        "anyOf": [{"type": "STRING"}, {"type": "INTEGER"}],
        "nullable": True,
    }


def test_a_constant_is_a_choice_of_one():
    assert gemini_schema({"const": "a"}) == {"type": "STRING", "enum": ["a"]}
    assert gemini_schema({"type": "integer", "enum": [1, 2]}) == {"type": "INTEGER", "description": "one of: [1,2]"}


def test_an_object_without_properties_is_allowed():
    assert gemini_schema({"type": "object", "properties": {}}) == {"type": "OBJECT"}


def test_all_of_is_put_together():
    schema = {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"required": ["a"]}]}
    assert gemini_schema(schema) == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}},
        "required": ["a"],
    }


def test_what_cannot_be_compiled_is_told_in_the_description():
    schema = {"type": "integer", "description": "Age", "exclusiveMinimum": 0, "multipleOf": 2}
    assert gemini_schema(schema) == {
        "type": "INTEGER",
        "description": "Age (exclusiveMinimum: 0; multipleOf: 2)",
    }


def test_a_list_of_fixed_entries_has_items():
    schema = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}
    assert _valid(gemini_schema(schema))["items"] == {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}


def test_named_keywords_move_to_descriptions_wherever_they_stand():
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^x", "description": "A"}}}
    moved, was_moved = keywords_moved(schema, {"pattern", "minimum"})
    assert moved == {"type": "object", "properties": {"a": {"type": "string", "description": "A (pattern: ^x)"}}}
    assert was_moved
    assert keywords_moved(moved, {"pattern"}) == (moved, False)


def test_a_property_that_is_named_like_a_keyword_stays():
    schema = {"type": "object", "properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}}}
    assert keywords_moved(schema, {"pattern"}) == (schema, False)
    assert set(_valid(gemini_schema(schema))["properties"]) == {"pattern", "$ref"}


def test_a_plain_schema_is_taken_as_it_is():
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "$schema": "x"}
    assert tidy_for_gemini(schema) == {"type": "object", "properties": {"a": {"enum": [1]}}}
    assert tidy_for_gemini({"allOf": []}) is None
    assert tidy_for_gemini({"not": {}}) is None


def test_geminis_own_schema_becomes_json_schema():
    own = {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING", "nullable": True}, "b": {"type": "ARRAY", "min_items": "1"}},
        "property_ordering": ["a", "b"],
    }
    assert json_schema(own) == {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "array", "minItems": 1}},
    }
    plain = {"type": "object", "properties": {"type": {"type": "string"}}}
    assert json_schema(plain) is plain


_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
_REFS = st.sampled_from(["#/$defs/A", "#/$defs/B", "#", "#/nowhere", "http://x", ""])


def _fields(inner):
    kinds = st.sampled_from(_TYPES)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | st.lists(kinds, max_size=3) | _VALUES,
            "enum": st.lists(_VALUES, max_size=3),
            "const": _VALUES,
            "description": st.text(max_size=5) | st.integers(),
            "properties": st.dictionaries(st.text(max_size=3), inner, max_size=2),
            "required": st.lists(st.text(max_size=3), max_size=2) | st.booleans(),
            "items": inner | st.lists(inner, max_size=2),
            "prefixItems": st.lists(inner, max_size=2),
            "anyOf": st.lists(inner, max_size=3),
            "oneOf": st.lists(inner, max_size=2),
            "allOf": st.lists(inner, max_size=2),
            "not": inner,
            "additionalProperties": inner | st.booleans(),
            "minimum": st.integers() | st.text(max_size=2),
            "minItems": st.integers() | st.none(),
            "pattern": st.text(max_size=3),
            "format": st.sampled_from(["date-time", "uri", "int32"]),
            "nullable": st.booleans(),
            "$ref": _REFS,
        },
    )


_SCHEMAS = st.recursive(st.booleans() | _VALUES | st.just({}), _fields, max_leaves=8)
_WITH_DEFS = st.builds(
    lambda schema, one, two: {**schema, "$defs": {"A": one, "B": two}} if isinstance(schema, dict) else schema,
    _SCHEMAS,
    _SCHEMAS,
    _SCHEMAS,
)


@given(_WITH_DEFS)
def test_any_schema_becomes_one_that_gemini_takes(schema):
    _valid(gemini_schema(schema))
    tidy_for_gemini(schema)
    json_schema(schema)
    keywords_moved(schema, {"pattern", "minimum"})


@given(_WITH_DEFS)
def test_equal_schemas_become_equal_ones(schema):
    assert json.dumps(gemini_schema(schema)) == json.dumps(gemini_schema(json.loads(json.dumps(schema))))
