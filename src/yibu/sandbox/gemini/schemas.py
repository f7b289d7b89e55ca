"""Google's `Schema`, a part of OpenAPI 3.0, checked and turned into a JSON Schema that the engines can fill.

Source: Google, *Schema* in *Caching*, *Structured output*, read 2026-11-22.
"""

from typing import Any

from yibu.sandbox.ask import Schema
from yibu.sandbox.gemini.messages import message
from yibu.sandbox.gemini.words import wrong
from yibu.sandbox.members import Members

_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_FORMATS = {
    "string": ("enum", "date-time"),
    "number": ("float", "double"),
    "integer": ("int32", "int64"),
}
_PLAIN = """title description enum minItems maxItems required minProperties maxProperties minimum maximum minLength
    maxLength pattern default"""
_KEPT = _PLAIN.split()


def read_schema(wire: Members) -> Schema:
    """The schema in JSON Schema's words. Raises `Refusal` 400 for what the subset does not have."""
    wire = message(wire.value, "Schema", wire.path)
    made: dict[str, Any] = {key: wire.value[key] for key in _KEPT if wire.has(key)}
    if wire.has("anyOf"):
        made["anyOf"] = [read_schema(item) for item in wire.objects("anyOf")]
    if not wire.has("type"):
        if "anyOf" in made or not wire.value:
            return made
        raise wire.wrong("type", "must be specified")
    value = wire.value["type"]
    kind = value.lower() if isinstance(value, str) else ""
    if kind not in _TYPES:
        raise wire.words.wrong_choice(wire.at("type"), str(value), _TYPES)
    made["type"] = [kind, "null"] if wire.flag("nullable", False) else kind
    form = wire.text("format", "")
    if form and form not in _FORMATS.get(kind, ()):
        allowed = " and ".join(f"'{name}'" for name in _FORMATS.get(kind, ())) or "none"
        raise wire.wrong("format", f"only {allowed} are supported for {kind.upper()} type")
    if form == "date-time":
        made["format"] = form
    wire.texts("enum")
    return made | _nested(wire, kind)


def _nested(wire: Members, kind: str) -> Schema:
    if kind == "array":
        if not wire.has("items"):
            raise wire.wrong("items", "missing field.")
        return {"items": read_schema(wire.object("items"))}
    if kind != "object":
        return {}
    names = wire.object("properties").value if wire.has("properties") else {}
    for number, name in enumerate(wire.texts("required")):
        if name not in names:
            raise wire.wrong(f"required[{number}]", "property is not defined")
    inside = wire.object("properties") if names else None
    return {"properties": {name: read_schema(inside.object(name)) for name in names}} if inside else {}


def read_json_schema(wire: Members, name: str) -> Schema:
    """A standard JSON Schema in the field `name`."""
    value = wire.value[name]
    if not isinstance(value, dict):
        raise wrong(f"Invalid value at '{wire.at(name)}': a JSON Schema is an object")
    return value
