"""JSON Schema and the subset of OpenAPI 3.0 that Google's older members take, both ways.

Source: Google, reference of `Schema`, and google-genai 3.4.0, read 2026-11-22. Newer members (`parametersJsonSchema`,
`responseJsonSchema`) take JSON Schema itself. A property may be called `title` or `$ref`: names of properties are never keywords.
"""

from collections.abc import Callable
from typing import Any

import msgspec

Schema = dict[str, Any]

_KEPT = (
    "description", "format", "items", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum",
    "minLength", "maxLength", "pattern", "propertyOrdering", "required",
)  # fmt: skip
_FORMATS = frozenset({"enum", "date-time", "int32", "int64", "float", "double"})
_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONES = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_DEEPEST = 24
"""Levels to which references are followed; what lies deeper is a plain object."""


def for_json_schema(schema: msgspec.Raw) -> msgspec.Raw:
    """Without `$schema` and `$id`, which Google refuses; the same text when they are not in it."""
    text = bytes(schema)
    if b'"$schema"' not in text and b'"$id"' not in text:
        return schema
    return msgspec.Raw(msgspec.json.encode(_walk(msgspec.json.decode(text), _nameless)))


def _nameless(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("$schema", "$id")}


def _walk(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """`change` on each schema in the schema, and on nothing that is data."""
    if not isinstance(schema, dict):
        return schema
    made = change(schema)
    for key in _MAPS:
        if isinstance(made.get(key), dict):
            made[key] = {name: _walk(inner, change) for name, inner in made[key].items()}
    for key in _LISTS:
        if isinstance(made.get(key), list):
            made[key] = [_walk(inner, change) for inner in made[key]]
    for key in _ONES:
        if key in made:
            inner = made[key]
            made[key] = [_walk(one, change) for one in inner] if isinstance(inner, list) else _walk(inner, change)
    return made


def from_openapi(schema: msgspec.Raw) -> msgspec.Raw:
    """JSON Schema for what a caller wrote in `parameters` or `responseSchema`."""
    return msgspec.Raw(msgspec.json.encode(_walk(msgspec.json.decode(schema), _as_json_schema)))


_CAMEL = {
    "any_of": "anyOf", "max_items": "maxItems", "min_items": "minItems", "max_length": "maxLength",
    "min_length": "minLength", "max_properties": "maxProperties", "min_properties": "minProperties",
    "property_ordering": "propertyOrdering", "additional_properties": "additionalProperties", "ref": "$ref", "defs": "$defs",
}  # fmt: skip
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def _as_json_schema(schema: Schema) -> Schema:
    made = {_CAMEL.get(key, key): value for key, value in schema.items()}
    if isinstance(made.get("type"), str):
        made["type"] = made["type"].lower()
    for key in _COUNTS:  # 64-bit integers are strings in this JSON
        if isinstance(made.get(key), str) and made[key].isdigit():
            made[key] = int(made[key])
    if made.pop("nullable", None) is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        elif isinstance(made.get("anyOf"), list):
            made["anyOf"] = [*made["anyOf"], {"type": "null"}]
    if made.get("type") == "type_unspecified":
        del made["type"]
    return made


def to_own_openapi(schema: msgspec.Raw) -> msgspec.Raw:
    """The reverse of `from_openapi`, for a schema that came from a caller of Google's format."""
    return msgspec.Raw(msgspec.json.encode(_walk(msgspec.json.decode(schema), _as_openapi)))


def _as_openapi(schema: Schema) -> Schema:
    made = dict(schema)
    kind = made.get("type")
    if isinstance(kind, list) and kind:
        made["type"], made["nullable"] = kind[0], True
    if isinstance(made.get("type"), str):
        made["type"] = made["type"].upper()
    choices = made.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices and "type" not in made:
        made["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
        made["nullable"] = True
    return made


def to_openapi(schema: msgspec.Raw) -> Schema | None:
    """The subset that models before 2.5 take; None for an object without members, for which they want nothing."""
    whole = msgspec.json.decode(schema)
    if not isinstance(whole, dict):
        return None
    made = _Subset(whole).of(whole, ())
    return None if made.get("properties") == _ANY_MEMBERS else made


_ANY_MEMBERS: Schema = {"_": {"type": "STRING", "description": "Any members, as JSON.", "nullable": True}}
"""An object has to have properties."""


class _Subset:
    """One schema on its way into the subset; `whole` is where references lead."""

    def __init__(self, whole: Schema) -> None:
        self._whole = whole

    def of(self, schema: Any, trail: tuple[str, ...]) -> Schema:
        """`trail`: the references that were followed to come here."""
        if not isinstance(schema, dict):
            return {"type": "STRING"}
        schema, trail = self._follow(_sane(schema), trail)
        schema = self._merged(_sane(schema), trail)
        schema, is_nullable = _without_null(schema)
        made = {key: schema[key] for key in _KEPT if key in schema}
        if made.get("format") not in _FORMATS:
            made.pop("format", None)
        self._bounds(schema, made)
        self._kind(schema, made, trail)
        if is_nullable:
            made["nullable"] = True
        return made

    def _follow(self, schema: Schema, trail: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        reference = schema.get("$ref")
        while isinstance(reference, str):
            beside = {key: value for key, value in schema.items() if key not in ("$ref", "$defs", "definitions")}
            if reference in trail or len(trail) >= _DEEPEST:
                return {
                    "type": "object",
                    **{key: value for key, value in beside.items() if key == "description"},
                }, trail
            trail = (*trail, reference)
            target = self._at(reference)
            schema = {**target, **beside}
            reference = target.get("$ref")
        return schema, trail

    def _at(self, reference: str) -> Schema:
        found: Any = self._whole
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _merged(self, schema: Schema, trail: tuple[str, ...]) -> Schema:
        """`allOf` as one schema."""
        pieces = schema.get("allOf")
        if not isinstance(pieces, list):
            return schema
        made = {key: value for key, value in schema.items() if key != "allOf"}
        for piece in pieces:
            inner = self._follow(piece, trail)[0] if isinstance(piece, dict) else {}
            inner = self._merged(_sane(inner), trail)
            for key, value in inner.items():
                if key == "properties" and isinstance(value, dict):
                    made[key] = {**value, **made.get(key, {})}
                elif key == "required" and isinstance(value, list):
                    made[key] = list(dict.fromkeys([*made.get(key, []), *value]))
                else:
                    made.setdefault(key, value)
        return made

    def _bounds(self, schema: Schema, made: Schema) -> None:
        for key, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            value = schema.get(exclusive)
            if key not in made and isinstance(value, int | float) and not isinstance(value, bool):
                made[key] = value

    def _kind(self, schema: Schema, made: Schema, trail: tuple[str, ...]) -> None:
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        choices = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(values, list) and values:
            made |= {"type": "STRING", "enum": [value if isinstance(value, str) else _json(value) for value in values]}
            if not all(isinstance(value, str) for value in values):
                made["format"] = "enum"
            return
        if isinstance(choices, list) and choices:
            made["anyOf"] = [self.of(choice, trail) for choice in choices]
            if "properties" not in schema:
                for key in ("items", "required"):
                    made.pop(key, None)
                return
        match _type(schema):
            case "object":
                self._object(schema, made, trail)
            case "array":
                items = schema.get("items", schema.get("prefixItems"))
                if isinstance(items, list):
                    items = items[0] if len(items) == 1 else {"anyOf": items} if items else {}
                made |= {"type": "ARRAY", "items": self.of({} if items is None else items, trail)}
            case kind:
                made.pop("items", None)
                made["type"] = kind.upper()

    def _object(self, schema: Schema, made: Schema, trail: tuple[str, ...]) -> None:
        made["type"] = "OBJECT"
        properties = schema.get("properties")
        if isinstance(properties, dict) and properties:
            made["properties"] = {name: self.of(inner, trail) for name, inner in properties.items()}
            required = [name for name in schema.get("required") or () if name in properties]
            made["required"] = required
        else:
            made["properties"] = _ANY_MEMBERS
            made.pop("required", None)
        if not made.get("required"):
            made.pop("required", None)


_SHAPES: dict[str, type] = {
    **dict.fromkeys(("properties", "$defs", "definitions"), dict),
    **dict.fromkeys(("required", "enum", "anyOf", "oneOf", "allOf", "prefixItems", "propertyOrdering"), list),
}


def _sane(schema: Schema) -> Schema:
    """Without keywords whose values cannot be theirs: whatever a caller wrote there, no vendor could read it either."""
    made: Schema = {key: value for key, value in schema.items() if isinstance(value, _SHAPES.get(key, object))}
    for key in ("required", "propertyOrdering"):
        if key in made:
            made[key] = [name for name in made[key] if isinstance(name, str)]
    if isinstance(made.get("type"), list):
        made["type"] = [kind for kind in made["type"] if isinstance(kind, str)]
    return made


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    """The schema as it is for values, and whether null is one, too."""
    made = dict(schema)
    is_nullable = made.pop("nullable", None) is True
    kinds = made.get("type")
    if isinstance(kinds, list):
        others = [kind for kind in kinds if kind != "null"]
        is_nullable = is_nullable or len(others) < len(kinds)
        if len(others) == 1:
            made["type"] = others[0]
        else:
            del made["type"]
            made["anyOf"] = [{**_lone(made), "type": kind} for kind in others]
    for key in ("anyOf", "oneOf"):
        choices = made.get(key)
        if isinstance(choices, list):
            others = [
                choice for choice in choices if choice not in ({"type": "null"}, {"const": None}, {"enum": [None]})
            ]
            is_nullable = is_nullable or len(others) < len(choices)
            made[key] = others
            if len(others) == 1 and isinstance(others[0], dict) and len(choices) > 1:
                del made[key]
                made = {**others[0], **made}
    if isinstance(made.get("enum"), list) and None in made["enum"]:
        made["enum"] = [value for value in made["enum"] if value is not None]
        is_nullable = True
    return made, is_nullable


def _lone(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "description", "type")}


def _type(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, str) and kind.lower() in ("string", "number", "integer", "boolean", "array", "object"):
        return kind.lower()
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
