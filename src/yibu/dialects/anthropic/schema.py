"""JSON Schemas as this format takes them.

A tool's schema is an object at its root. Strict tools and structured answers know fewer keywords: those that they refuse
are told in the description instead, as the official SDKs do it. Source: Anthropic, *Structured outputs*, and
anthropic-sdk-python 2.12.0, read 2026-11-22.
"""

from typing import Any

import msgspec

from yibu.dialects._json import raw

_EMPTY = msgspec.Raw(b'{"type":"object","properties":{}}')
_COMBINED = ("anyOf", "oneOf", "allOf")
_KEPT = frozenset(
    {"type", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "definitions", "properties", "required", "items"}
    | {"title", "description", "default", "format", "minItems", "additionalProperties"}
)
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)
_NAMED = ("properties", "$defs", "definitions")
"""Members whose keys are names, not keywords."""


def rooted(schema: msgspec.Raw | None) -> tuple[msgspec.Raw, bool]:
    """The schema of a tool's arguments with an object at its root, and whether that needed more than a missing `type`."""
    if schema is None:
        return _EMPTY, False
    try:
        value = msgspec.json.decode(schema)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _EMPTY, True
    if not isinstance(value, dict):
        return _EMPTY, value is not True
    combined = [key for key in _COMBINED if key in value]
    if not combined and value.get("type") == "object":
        return schema, False
    if not combined:
        rest = {key: inner for key, inner in value.items() if key != "type"}
        return raw({"type": "object", **rest}), value.get("type") is not None
    return raw(_merged(value, combined)), True


def _merged(value: dict[str, Any], combined: list[str]) -> dict[str, Any]:
    """The alternatives of a root as one object: all their properties, required only what each of them requires."""
    properties = _properties(value)
    required = _required(value)
    for key in combined:
        branches = [branch for branch in value[key] if isinstance(branch, dict)] if isinstance(value[key], list) else []
        needs = [set(_required(branch)) for branch in branches]
        for branch in branches:
            properties = {**_properties(branch), **properties}
        shared = set[str]().union(*needs) if key == "allOf" else set[str].intersection(*needs) if needs else set[str]()
        required += sorted(shared - set(required))
    rest = {key: inner for key, inner in value.items() if key not in combined}
    return {**rest, "type": "object", "properties": properties, **({"required": required} if required else {})}


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema.get("properties")
    return dict(found) if isinstance(found, dict) else {}


def _required(schema: dict[str, Any]) -> list[str]:
    found = schema.get("required")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def strict(schema: msgspec.Raw | None) -> tuple[msgspec.Raw, bool]:
    """The schema for a strict tool or a structured answer, and whether something was moved into a description."""
    if schema is None:
        return raw({"type": "object", "properties": {}, "additionalProperties": False}), False
    try:
        value = msgspec.json.decode(schema)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return schema, False
    moved: list[str] = []
    return raw(_strict(value, moved)), bool(moved)


def _strict(value: Any, moved: list[str]) -> Any:
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _NAMED and isinstance(inner, dict):
            kept[key] = {name: _strict(one, moved) for name, one in inner.items()}
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(inner, list):
            kept["allOf" if key == "allOf" else "anyOf"] = [_strict(one, moved) for one in inner]
        elif key == "items":
            kept[key] = _strict(inner, moved)
        elif _is_taken(key, inner):
            kept[key] = inner
        elif key not in ("$schema", "$id", "additionalProperties"):
            notes[key] = inner
    if kept.get("type") == "object" or "properties" in kept:
        kept["additionalProperties"] = False
    if notes:
        moved += notes
        said = ", ".join(f"{key}: {msgspec.json.encode(inner).decode()}" for key, inner in notes.items())
        about = kept.get("description")
        kept["description"] = f"{about}\n\n{{{said}}}" if about and isinstance(about, str) else f"{{{said}}}"
    return kept


def _is_taken(key: str, inner: Any) -> bool:
    if key == "additionalProperties":
        return False
    if key == "format":
        return isinstance(inner, str) and inner in _FORMATS
    if key == "minItems":
        return inner in (0, 1)
    return key in _KEPT
