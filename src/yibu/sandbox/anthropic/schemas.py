"""Which JSON Schemas Anthropic takes: lenient for plain tools, strict for strict tools and for `output_config.format`.

Source: Anthropic, *Structured outputs*, *JSON Schema limitations*, read 2026-11-22.
"""

from typing import Any

from yibu.sandbox.anthropic.words import wrong
from yibu.sandbox.members import Members

_LIMITS = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "patternProperties"),
}


def check_tool_schema(schema: Members, *, is_strict: bool) -> None:
    """The root is a plain object. Raises `Refusal` 400."""
    for key in ("oneOf", "allOf", "anyOf"):
        if schema.has(key):
            raise schema.wrong("", "input_schema does not support oneOf, allOf, or anyOf at the top level")
    if not schema.has("type"):
        raise schema.words.missing(schema.at("type"))
    if schema.value["type"] != "object":
        raise schema.wrong("type", "Input should be 'object'")
    if schema.has("properties"):
        schema.object("properties")
    schema.texts("required")
    if is_strict:
        _check_strict(schema.value, schema.path)


def check_format(schema: Members) -> None:
    """Raises `Refusal` 400 for a keyword that cannot be enforced."""
    _check_strict(schema.value, schema.path)


def _check_strict(schema: Any, path: str) -> None:
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "object" in kinds and schema.get("additionalProperties") is not False:
        raise wrong(f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    for name in kinds:
        refused = [key for key in _LIMITS.get(str(name), ()) if key in schema]
        if refused:
            raise wrong(f"{path}: For '{name}' type, properties {', '.join(refused)} are not supported")
    if "oneOf" in schema:
        raise wrong(f"{path}: Schema type 'oneOf' is not supported")
    for key in ("properties", "$defs"):
        inner = schema.get(key)
        for name, one in inner.items() if isinstance(inner, dict) else ():
            _check_strict(one, f"{path}.{key}.{name}")
    _check_strict(schema.get("items"), f"{path}.items")
    for key in ("anyOf", "allOf"):
        many = schema.get(key)
        for number, one in enumerate(many if isinstance(many, list) else ()):
            _check_strict(one, f"{path}.{key}.{number}")
