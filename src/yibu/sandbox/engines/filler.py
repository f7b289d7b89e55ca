"""Makes a value that a JSON Schema accepts, out of what a text says where that is obvious.

Knows $ref and $defs (recursive ones too), anyOf, oneOf, allOf, const, enum, type lists, the limits of numbers, strings
and arrays, common formats and simple patterns. Optional members are filled only when the text says something for them.
"""

import math
import re
from typing import Any

from yibu.sandbox.engines.hints import Hints
from yibu.sandbox.engines.pattern import example

MOST = 200  # items or extra members of one value, whatever the schema asks for
VALUES = 5_000  # values in all, nested ones counted
LONGEST = 20_000  # characters of one string
DEEP = 5  # beyond this depth recursion is closed: null, empty arrays, no optional members

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_PLACE_NAMES = re.compile(r"city|location|place|town|destination|origin|where|城市|地点", re.IGNORECASE)
_TEXT_NAMES = re.compile(r"query|question|text|prompt|input|message|content|body|keyword|关键词|内容", re.IGNORECASE)
_SUM_NAMES = re.compile(r"expr|formula|equation|sum|表达式", re.IGNORECASE)
_DATE_NAMES = re.compile(r"date|day|日期", re.IGNORECASE)

Schema = dict[str, Any]


class WrongSchema(Exception):
    """The schema is not a JSON Schema, such as one whose `minItems` is a string."""


def fill(schema: Schema, hints: Hints) -> Any:
    """A value for the schema; the same for the same schema and text. Raises `WrongSchema`."""
    try:
        return _Filler(schema, hints).value(schema, "", 0)
    except RecursionError:  # a schema that only an endless value would satisfy
        return {}
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError, re.error) as exc:
        raise WrongSchema(str(exc)) from exc


class _Filler:
    def __init__(self, root: Schema, hints: Hints) -> None:
        self.root = root
        self.hints = hints
        self.left = VALUES

    def value(self, schema: Any, name: str, depth: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ValueError("the schema asks for too many values")
        schema = self.resolve(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self.mentioned(schema["enum"]) or schema["enum"][0]
        match self.kind(schema, depth):
            case "object":
                return self.members(schema, depth)
            case "array":
                return self.items(schema, name, depth)
            case "integer" | "number" as kind:
                return self.number(schema, kind)
            case "boolean":
                return bool(schema.get("default", True))
            case "null":
                return None
            case _:
                return self.text(schema, name)

    def resolve(self, schema: Any, depth: int) -> Schema:
        """Follow $ref, take one branch of anyOf and oneOf, and merge allOf, until a plain schema is left."""
        for _ in range(50):
            if not isinstance(schema, dict):
                return {}
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = self.pointer(schema["$ref"]) | rest
            elif schema.get("anyOf") or schema.get("oneOf"):
                key = "anyOf" if schema.get("anyOf") else "oneOf"
                rest = {other: value for other, value in schema.items() if other != key}
                schema = _merge(rest, self.branch(schema[key], depth))
            elif schema.get("allOf"):
                merged = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    merged = _merge(merged, self.resolve(part, depth))
                schema = merged
            else:
                return schema
        return {}

    def pointer(self, ref: str) -> Schema:
        target: Any = self.root
        for step in ref.removeprefix("#").strip("/").split("/"):
            if step:
                target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
        return target if isinstance(target, dict) else {}

    def branch(self, branches: list[Any], depth: int) -> Schema:
        plain = [branch for branch in branches if isinstance(branch, dict)]
        nulls = [branch for branch in plain if branch.get("type") == "null"]
        if depth >= DEEP and nulls:
            return nulls[0]
        for branch in plain:
            if branch.get("enum") and self.mentioned(branch["enum"]) is not None:
                return branch
        return next((branch for branch in plain if branch not in nulls), nulls[0] if nulls else {})

    def kind(self, schema: Schema, depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            if "null" in kind and depth >= DEEP:
                return "null"
            kind = next((name for name in kind if name != "null"), "null")
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        return str(kind)

    def members(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        made: dict[str, Any] = {}
        for name, inner in properties.items():
            if name in required or (depth < DEEP and self.says(inner, name)):
                made[name] = self.value(inner, name, depth + 1)
        rest = schema.get("additionalProperties", {})
        extra = [name for name in required if name not in properties]
        extra += [
            f"item{number}" for number in range(1, min(MOST, int(schema.get("minProperties", 0))) - len(made) + 1)
        ]
        for name in extra:
            made[name] = self.value(rest, name, depth + 1)
        return made

    def says(self, schema: Any, name: str) -> bool:
        """Whether the text says something for an optional member."""
        schema = self.resolve(schema, 0)
        if schema.get("enum"):
            return self.mentioned(schema["enum"]) is not None
        match self.kind(schema, 0):
            case "integer" | "number":
                return bool(self.hints.numbers)
            case "string":
                return bool(self.hints.places if _PLACE_NAMES.search(name) else self.hints.quotes)
            case _:
                return False

    def items(self, schema: Schema, name: str, depth: int) -> list[Any]:
        least = min(MOST, int(schema.get("minItems", 0)))
        most = int(schema.get("maxItems", max(least, 1)))
        first = schema.get("prefixItems", [])
        inner = schema.get("items", {})
        count = least if depth >= DEEP else max(least, min(most, max(1, len(first))))
        made: list[Any] = []
        for number in range(count):
            item = self.value(first[number] if number < len(first) else inner, name, depth + 1)
            if schema.get("uniqueItems") and item in made:
                item = self.another(inner, item, made)
            made.append(item)
        return made

    def another(self, schema: Any, item: Any, made: list[Any]) -> Any:
        options = self.resolve(schema, 0).get("enum", [])
        if options:
            return next((option for option in options if option not in made), item)
        if isinstance(item, int | float) and not isinstance(item, bool):
            step = self.resolve(schema, 0).get("multipleOf") or 1
            return next(item + step * more for more in range(1, len(made) + 2) if item + step * more not in made)
        return f"{item}{len(made) + 1}" if isinstance(item, str) else item

    def number(self, schema: Schema, kind: str) -> float | int:
        said = self.hints.number()
        value = said if said is not None else schema.get("default", 1)
        step = schema.get("multipleOf") or (1 if kind == "integer" else None)
        gap = step or 0.001
        lows = [schema[key] + extra for key, extra in (("minimum", 0), ("exclusiveMinimum", gap)) if _real(schema, key)]
        highs = [
            schema[key] - extra for key, extra in (("maximum", 0), ("exclusiveMaximum", gap)) if _real(schema, key)
        ]
        value = max([value, *lows])
        value = min([value, *highs])
        if step:
            value = (math.ceil(value / step) if lows and value == max(lows) else math.floor(value / step)) * step
        return int(value) if kind == "integer" or float(value).is_integer() else float(value)

    def text(self, schema: Schema, name: str) -> str:
        if schema.get("pattern"):
            words = [*self.hints.quotes, *re.findall(r"[^\s,;，；。]+", self.hints.text)]
            return next((word for word in words if re.search(schema["pattern"], word)), example(schema["pattern"]))
        value = self.phrase(schema, name)
        least = min(LONGEST, int(schema.get("minLength", 0)))
        return (value + "x" * (least - len(value)))[: int(schema.get("maxLength", 4000))]

    def phrase(self, schema: Schema, name: str) -> str:
        hints = self.hints
        match schema.get("format"):
            case "email":
                return hints.email() or _FORMATS["email"]
            case "uri" | "url":
                return hints.link() or _FORMATS["uri"]
            case "date":
                return hints.date() or _FORMATS["date"]
            case str(known) if known in _FORMATS:
                return _FORMATS[known]
        if _PLACE_NAMES.search(name):
            said = hints.place() or hints.quote()
        elif _SUM_NAMES.search(name):
            said = hints.sum() or hints.quote()
        elif _DATE_NAMES.search(name):
            said = hints.date() or hints.quote()
        elif _TEXT_NAMES.search(name):
            said = hints.quote() or hints.text.strip()
        else:
            said = hints.quote()
        return said or str(schema.get("default") or name or "text")

    def mentioned(self, options: list[Any]) -> Any:
        """The option that the text names as a word, the longest first; None when it names none."""
        text = self.hints.text.lower()
        for option in sorted((option for option in options if isinstance(option, str)), key=len, reverse=True):
            if option and re.search(rf"(?<![a-z0-9]){re.escape(option.lower())}(?![a-z0-9])", text):
                return option
        return None


def _merge(left: Schema, right: Schema) -> Schema:
    merged = left | right
    if "properties" in left and "properties" in right:
        merged["properties"] = left["properties"] | right["properties"]
    if "required" in left and "required" in right:
        merged["required"] = [*left["required"], *right["required"]]
    return merged


def _real(schema: Schema, key: str) -> bool:
    return isinstance(schema.get(key), int | float) and not isinstance(schema.get(key), bool)
