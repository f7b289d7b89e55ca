"""What Google refuses in a request, checked without any of the gateway's own code.

Sources: Google's error answers, reference of `Schema` and *Function calling*, read 2026-11-22.
"""

import re
from collections.abc import Iterator
from typing import Any

_GEMINI_NAME = re.compile(r"[A-Za-z_][\w.:-]{0,63}", re.ASCII)

Found = Iterator[str]


def gemini(body: Any) -> Found:
    functions = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
    names = [function["name"] for function in functions]
    if len(set(names)) < len(names):
        yield "tools: a name twice"
    for function in functions:
        if not _GEMINI_NAME.fullmatch(function["name"]):
            yield f"tools: the name {function['name']!r}"
        if "parameters" in function and "parametersJsonSchema" in function:
            yield f"tools: two schemas of {function['name']}"
        if "parameters" in function:
            yield from openapi(function["parameters"], function["name"])
        yield from _no_names(function.get("parametersJsonSchema"), function["name"])
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if set(calling.get("allowedFunctionNames") or ()) - set(names):
        yield f"toolConfig: {calling}"
    if calling and not functions:
        yield "toolConfig without functions"
    config = body.get("generationConfig") or {}
    if "responseSchema" in config:
        yield from openapi(config["responseSchema"], "responseSchema")
    if len(config.get("stopSequences") or ()) > 5:
        yield "stopSequences"
    system = body.get("systemInstruction")
    if system is not None and not all("text" in part for part in system["parts"]):
        yield "systemInstruction: something else than text"
    yield from _contents(body["contents"])


def _contents(contents: list[Any]) -> Found:
    if not contents or contents[0]["role"] != "user":
        yield "contents do not begin with the user"
    calls: list[tuple[Any, str]] = []
    before = ""
    for number, content in enumerate(contents):
        where, role, parts = f"contents[{number}]", content["role"], content["parts"]
        if role == before or role not in ("user", "model"):
            yield f"{where}: role {role} after {before}"
        before = role
        if not parts:
            yield f"{where}: no parts"
        for part in parts:
            data = part.keys() & {"text", "inlineData", "fileData", "functionCall", "functionResponse"}
            if len(data) != 1:
                yield f"{where}: a part of {sorted(part)}"
            if part.get("text") == "" and "thoughtSignature" not in part:
                yield f"{where}: an empty text"
        results = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if [(result.get("id"), result["name"]) for result in results] != calls:
            yield f"{where}: results {[result['name'] for result in results]} for calls {calls}"
        if not all(isinstance(result["response"], dict) for result in results):
            yield f"{where}: a response that is no object"
        made = [part["functionCall"] for part in parts if "functionCall" in part]
        calls = [(call.get("id"), call["name"]) for call in made]
        if made and role != "model":
            yield f"{where}: a call of the user's"
        if not all(isinstance(call.get("args", {}), dict) for call in made):
            yield f"{where}: args that are no object"
        if any(not _GEMINI_NAME.fullmatch(call["name"]) for call in made):
            yield f"{where}: a call of {made}"
    if calls:
        yield "calls without results at the end"


_OPENAPI = frozenset(
    {
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "items",
        "maxItems",
        "minItems",
        "properties",
        "required",
    }
    | {"minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering"}
    | {"default", "minimum", "maximum"}
)
_TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"})


def openapi(schema: Any, where: str) -> Found:
    """The subset that older models take."""
    if not isinstance(schema, dict):
        yield f"{where}: a schema {schema!r}"
        return
    if others := schema.keys() - _OPENAPI:
        yield f"{where}: {sorted(others)}"
    if "anyOf" not in schema and schema.get("type") not in _TYPES:
        yield f"{where}: the type {schema.get('type')}"
    if schema.get("type") == "OBJECT" and not schema.get("properties"):
        yield f"{where}: an object without properties"
    if schema.get("type") == "ARRAY" and "items" not in schema:
        yield f"{where}: an array of what?"
    if "enum" in schema and not all(isinstance(value, str) for value in schema["enum"]):
        yield f"{where}: an enum of {schema['enum']}"
    if set(schema.get("required") or ()) - set(schema.get("properties") or ()):
        yield f"{where}: requires what is no property"
    for name, inner in (schema.get("properties") or {}).items():
        yield from openapi(inner, f"{where}.{name}")
    if "items" in schema:
        yield from openapi(schema["items"], f"{where}[]")
    for inner in schema.get("anyOf") or ():
        yield from openapi(inner, f"{where}|")


def _no_names(schema: Any, where: str) -> Found:
    if isinstance(schema, dict) and schema.keys() & {"$schema", "$id"}:
        yield f"{where}: $schema"
