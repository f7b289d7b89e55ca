"""Whatever the schema, the filler's value validates."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from yibu.sandbox.engines.filler import WrongSchema, fill
from yibu.sandbox.engines.hints import Hints
from yibu.sandbox.engines.pattern import example

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "minLength": 5, "maxLength": 6},
    {"type": "string", "pattern": "^[A-Z]{2}-\\d{3,5}$"},
    {"type": "string", "pattern": "^(foo|bar)_(\\w+)$"},
    {"type": "integer", "minimum": 7, "maximum": 9},
    {"type": "integer", "exclusiveMinimum": 7, "multipleOf": 5},
    {"type": "number", "exclusiveMaximum": 0},
    {"enum": [3, None, "x"]},
    {"const": {"a": [1]}},
    {"type": ["null", "integer"]},
    {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "boolean"}, "minItems": 3}]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "items": False},
    {"type": "object", "additionalProperties": {"type": "integer"}, "required": ["a", "b"]},
    {"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["b"]}], "type": "object"},
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "string", "format": "date"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["value", "children", "next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
    {
        "type": "object",
        "properties": {
            "matrix": {
                "type": "array",
                "minItems": 2,
                "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
            },
            "email": {"type": "string", "format": "email"},
        },
        "required": ["matrix", "email"],
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("text", ["", 'Set "alpha" to 42 in Paris, x', "北京 3.5 度"])
def test_the_value_is_valid(schema: dict[str, Any], text: str) -> None:
    """The value validates with and without hints in the text."""
    Draft202012Validator(schema).validate(fill(schema, Hints(text)))


def test_the_text_fills_what_it_can() -> None:
    """Numbers, quotes, places, enum members, dates and addresses of the text find their members."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "title": {"type": "string"},
            "unit": {"enum": ["metric", "imperial"]},
            "date": {"type": "string", "format": "date"},
            "mail": {"type": "string", "format": "email"},
            "note": {"type": "string"},
        },
        "required": ["city", "days", "title", "date", "mail"],
    }
    value = fill(schema, Hints('3 days in Lisbon, call it "Summer", imperial, from 2026-07-01, to me@x.org'))

    assert value == {
        "city": "Lisbon",
        "days": 3,
        "title": "Summer",
        "unit": "imperial",
        "date": "2026-07-01",
        "mail": "me@x.org",
    }


def test_an_endless_schema_is_given_up() -> None:
    """A schema that only an endless value satisfies gives an empty object instead of an error."""
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}

    assert fill(schema, Hints("")) == {}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": "many"},
        {"type": "string", "pattern": "("},
        {"type": "array", "minItems": 200, "items": {"type": "array", "minItems": 200, "items": {"type": "null"}}},
        {"type": "object", "required": 3},
    ],
)
def test_what_is_no_usable_schema_is_said(schema: dict[str, Any]) -> None:
    """A malformed schema, or one that asks for too much, raises WrongSchema and nothing else."""
    with pytest.raises(WrongSchema):
        fill(schema, Hints("x"))


@given(st.text())
def test_any_pattern_gives_a_string(pattern: str) -> None:
    """No pattern, however broken, raises."""
    assert isinstance(example(pattern), str)
