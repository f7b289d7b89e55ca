"""What stands in the JSON of generateContent, and how wrong input is told.

Source: google-genai 3.4.0 type definitions, Google's reference of `models.generateContent` and the JSON mapping of
protocol buffers (each member has a camelCase and a snake_case name, integers may be written as strings, a list of one may
be written as the one), read 2026-11-22.
"""

import re
from functools import cache
from math import isfinite
from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present
from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import Extras

ID = "gemini"

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_WHOLE = re.compile(r"-?\d{1,19}")
_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


class Members:
    """The members of one JSON object, taken one by one under either of their names; `left` is what nobody took.

    `path`: of the object, for error messages. Each method raises `InvalidRequest` for a value of another type; a null is the
    same as no member.
    """

    __slots__ = ("_left", "path")

    def __init__(self, text: bytes | msgspec.Raw, path: str = "$") -> None:
        self.path = path
        if path != "$" and not bytes(text).lstrip().startswith(b"{"):
            raise wrong(path, "an object")
        self._left: Fields = fields(text)

    def take(self, name: str) -> msgspec.Raw | None:
        """The value as JSON text; `name` is the camelCase one."""
        usual, other = self._left.pop(name, None), self._left.pop(_snake(name), None)
        return present(usual) or present(other)

    def put(self, name: str, value: msgspec.Raw) -> None:
        """Leaves `value` to the extras again."""
        self._left[name] = value

    @property
    def left(self) -> Extras:
        return {key: value for key, value in self._left.items() if bytes(value) != b"null"}

    def text(self, name: str) -> str | None:
        value = self._value(name)
        if value is None or isinstance(value, str):
            return value
        raise wrong(f"{self.path}.{name}", "a string")

    def flag(self, name: str) -> bool | None:
        value = self._value(name)
        if value is None or isinstance(value, bool):
            return value
        raise wrong(f"{self.path}.{name}", "true or false")

    def number(self, name: str) -> float | None:
        value = self._value(name)
        if isinstance(value, str):
            value = _number(value)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise wrong(f"{self.path}.{name}", "a number")

    def whole(self, name: str, least: int = -(2**63), most: int = 2**63 - 1) -> int | None:
        value = self._value(name)
        if value is None:
            return None
        found = whole(value)
        if found is None or not least <= found <= most:
            between = "" if (least, most) == (-(2**63), 2**63 - 1) else f" between {least} and {most}"
            raise wrong(f"{self.path}.{name}", f"an integer{between}")
        return found

    def strings(self, name: str) -> list[str] | None:
        value = self._value(name)
        if isinstance(value, str):
            return [value]
        if value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            return value
        raise wrong(f"{self.path}.{name}", "a list of strings")

    def inner(self, name: str) -> "Members | None":
        value = self.take(name)
        return None if value is None else Members(value, f"{self.path}.{name}")

    def elements(self, name: str) -> list[tuple[msgspec.Raw, str]]:
        """The elements of a list with the path of each; something that is no list counts as a list of one."""
        value = self.take(name)
        path = f"{self.path}.{name}"
        if value is None:
            return []
        if not bytes(value).lstrip().startswith(b"["):
            return [(value, path)]
        return [(one, f"{path}[{number}]") for number, one in enumerate(_LIST.decode(value))]

    def each(self, name: str) -> "list[Members]":
        return [Members(value, path) for value, path in self.elements(name)]

    def _value(self, name: str) -> Any:
        value = self.take(name)
        try:
            return None if value is None else msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise wrong(f"{self.path}.{name}", "another value") from error


def wrong(path: str, wanted: str) -> InvalidRequest:
    """The error for a value that is not what stands there."""
    return InvalidRequest(f"Invalid value: `{path}` has to be {wanted}.", param=path)


def whole(value: Any) -> int | None:
    """A count, also one that was written as a string or with `.0`."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def enum(value: str | None) -> str:
    """The name of an enum value; Google takes any case of it."""
    return (value or "").upper()


@cache
def _snake(name: str) -> str:
    return _UPPER.sub(lambda found: f"_{found[1].lower()}", name)


def _number(text: str) -> Any:
    """The number that a string holds; the string itself if it holds none."""
    try:
        found = float(text)
    except ValueError:
        return text
    return found if isfinite(found) else text
