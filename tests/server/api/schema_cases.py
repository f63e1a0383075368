"""Values that a JSON schema describes, and some that it does not."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]

# What has broken servers before: half a surrogate, a zero byte, line ends, an emoji, words that are code elsewhere.
NASTY = ["", "\ud83d", "\x00", "\r\n", "😀", "null", "../..", "' OR 1=1 --", "%00", "{{role}}", "9" * 400, "\u202e"]
# Pieces of the text that the tests work on, so that some edits fit.
FITTING = ["greeting", "Say ", "😀", "e"]
texts = st.one_of(st.sampled_from(FITTING), st.text(max_size=30), st.sampled_from(NASTY))
junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


def values(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    """Answer values of a schema; about one place in thirty holds something else."""
    expected = _expected(schema, components)
    return st.integers(0, 29).flatmap(lambda roll: junk if roll == 29 else expected)


def _expected(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _expected(components[schema["$ref"].rpartition("/")[2]], components)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return st.one_of([_expected(each, components) for each in schema[key]])
    if "allOf" in schema:
        return _expected(schema["allOf"][0], components)
    return _of_type(schema, components)


def _of_type(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "string":
        return _strings(schema)
    if kind == "integer":
        low = schema.get("minimum", -(2**40))
        return st.integers(low, schema.get("maximum", schema.get("exclusiveMaximum", 2**53) - 1))
    if kind == "array":
        items = values(schema.get("items", {}), components)
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=4)
    if kind == "object":
        return _objects(schema, components)
    return {"number": st.floats(allow_nan=False), "boolean": st.booleans(), "null": st.none()}.get(str(kind), junk)


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10**9)
    return texts.map(lambda text: (text or "x").ljust(least, "x")[: min(most, 500)])


def _objects(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[dict[str, Any]]:
    properties = {name: values(each, components) for name, each in schema.get("properties", {}).items()}
    required = set(schema.get("required", []))
    return st.fixed_dictionaries(
        {name: each for name, each in properties.items() if name in required},
        optional={name: each for name, each in properties.items() if name not in required},
    )
