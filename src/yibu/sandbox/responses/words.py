"""What this API words in another way than Chat does. Source: OpenAI, *Responses*, read 2026-11-22; errors as recorded."""

from collections.abc import Collection
from typing import Any

from yibu.sandbox.members import Words
from yibu.sandbox.refusal import Refusal


class ResponsesWords(Words):
    def unknown(self, path: str, name: str) -> Refusal:
        place = self.at(path, name)
        return Refusal(400, f"Unknown parameter: '{place}'.", code="unknown_parameter", param=place)

    def wrong_choice(self, path: str, value: str, allowed: Collection[str]) -> Refusal:
        *some, last = map(repr, allowed)
        said = f"Invalid value: '{value}'. Supported values are: {', '.join(some)}{' and ' if some else ''}{last}."
        return Refusal(400, said, code="invalid_value", param=path)


def wrong_input(message: str) -> Refusal:
    """The items do not fit together."""
    return Refusal(400, message, param="input")


def not_found(response_id: str) -> Refusal:
    """No such response is kept."""
    return Refusal(404, f"Response with id '{response_id}' not found.")


def check_strict(name: str, schema: Any, param: str) -> None:
    """A strict schema closes each object and demands all its members. Raises `Refusal` 400."""
    if why := _loose(schema, "()"):
        raise Refusal(400, f"Invalid schema for {name}: {why}", code="invalid_function_parameters", param=param)


def _loose(schema: Any, context: str) -> str | None:
    if not isinstance(schema, dict):
        return None
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            return f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
        names = list(properties) if isinstance(properties, dict) else []
        required = schema.get("required", [])
        if missed := [one for one in names if one not in required]:
            return (
                f"In context={context}, 'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missed[0]}'."
            )
    if "oneOf" in schema:
        return f"In context={context}, 'oneOf' is not permitted."
    inner: list[tuple[str, Any]] = []
    for key in ("properties", "$defs"):
        group = schema.get(key)
        inner += [(f"('{key}', '{name}')", one) for name, one in (group.items() if isinstance(group, dict) else ())]
    inner += [("('items',)", schema.get("items"))]
    inner += [("('anyOf',)", one) for one in schema.get("anyOf") or () if isinstance(schema.get("anyOf"), list)]
    return next((why for place, one in inner if (why := _loose(one, place))), None)
