"""Reads the members of a JSON object and refuses wrong ones in the vendor's words, naming the path.

A member that is null counts as absent, as on the vendors' APIs.
"""

from collections.abc import Collection, Iterator
from typing import Any

from yibu.sandbox.refusal import Refusal, missing, wrong_type, wrong_value


class Words:
    """How a vendor names a place in the body and tells what is wrong there; these are OpenAI's."""

    def at(self, path: str, name: str) -> str:
        """The path of the member `name` of the object at `path`."""
        return f"{path}.{name}" if path else name

    def item(self, path: str, number: int) -> str:
        """The path of an item of the array at `path`."""
        return f"{path}[{number}]"

    def missing(self, path: str) -> Refusal:
        """A required member is absent."""
        return missing(path)

    def wrong_type(self, path: str, wanted: str, value: object) -> Refusal:
        """`wanted`: a phrase such as "a string"."""
        return wrong_type(path, wanted, value)

    def wrong_value(self, path: str, why: str) -> Refusal:
        """`why`: a sentence."""
        return wrong_value(path, why)

    def wrong_choice(self, path: str, value: str, allowed: Collection[str]) -> Refusal:
        """A string that is none of `allowed`."""
        return wrong_value(path, f"'{value}'. Supported values are: {', '.join(map(repr, allowed))}.")

    def unknown(self, path: str, name: str) -> Refusal:
        """A member that the object at `path` does not have."""
        message = f"Unrecognized request argument supplied: {name}"
        return Refusal(400, message, code="unknown_parameter", param=self.at(path, name))

    def too_low(self, path: str, value: float, least: float) -> Refusal:
        """A number below its range."""
        kind = "decimal" if isinstance(least, float) else "integer"
        message = f"Invalid '{path}': below minimum value. Expected a value >= {least}, but got {value} instead."
        return Refusal(400, message, code=f"{kind}_below_min_value", param=path)

    def too_high(self, path: str, value: float, most: float) -> Refusal:
        """A number above its range."""
        kind = "decimal" if isinstance(most, float) else "integer"
        message = f"Invalid '{path}': above maximum value. Expected a value <= {most}, but got {value} instead."
        return Refusal(400, message, code=f"{kind}_above_max_value", param=path)

    def too_long(self, path: str, kind: str, most: int) -> Refusal:
        """`kind`: string or array."""
        message = f"Invalid '{path}': {kind} too long. Expected {'a' if kind == 'string' else 'an'} {kind} with maximum length {most}."
        return Refusal(400, message, code=f"{kind}_above_max_length", param=path)


OPENAI = Words()


class Members:
    """`path`: where the object stands in the body, such as `messages[0]`; empty for the body itself."""

    def __init__(self, value: dict[str, Any], path: str = "", words: Words = OPENAI) -> None:
        self.value = value
        self.path = path
        self.words = words

    def at(self, name: str) -> str:
        """The path of the member `name`."""
        return self.words.at(self.path, name)

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self.value.get(name) is not None

    def only(self, known: Collection[str]) -> None:
        """Refuse members outside `known`."""
        for name in self.value:
            if name not in known:
                raise self.words.unknown(self.path, name)

    def text(self, name: str, default: str | None = None, *, longest: int | None = None) -> str:
        """A string. Without a default it is required."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self.words.wrong_type(self.at(name), "a string", value)
        if longest is not None and len(value) > longest:
            raise self.words.too_long(self.at(name), "string", longest)
        return value

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """A string out of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise self.words.wrong_choice(self.at(name), value, allowed)
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self.words.wrong_type(self.at(name), "a boolean", value)
        return value

    def integer(self, name: str, least: int, most: int) -> int | None:
        """An integer in [least, most], or None when absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.words.wrong_type(self.at(name), "an integer", value)
        self._check_range(name, value, least, most)
        return value

    def number(self, name: str, least: float, most: float) -> float | None:
        """A number in [least, most], or None when absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.words.wrong_type(self.at(name), "a decimal number", value)
        self._check_range(name, value, least, most)
        return float(value)

    def object(self, name: str) -> "Members":
        """An object. It is required: ask `has` first when it is not."""
        value = self._get(name, None)
        if not isinstance(value, dict):
            raise self.words.wrong_type(self.at(name), "an object", value)
        return Members(value, self.at(name), self.words)

    def objects(self, name: str, *, most: int | None = None) -> "Iterator[Members]":
        """The objects of an array; an absent one is empty."""
        value = self.value.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise self.words.wrong_type(self.at(name), "an array of objects", value)
        if most is not None and len(value) > most:
            raise self.words.too_long(self.at(name), "array", most)
        for number, item in enumerate(value):
            path = self.words.item(self.at(name), number)
            if not isinstance(item, dict):
                raise self.words.wrong_type(path, "an object", item)
            yield Members(item, path, self.words)

    def texts(self, name: str, *, most: int | None = None) -> tuple[str, ...]:
        """The strings of an array; an absent one is empty."""
        value = self.value.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.words.wrong_type(self.at(name), "an array of strings", value)
        if most is not None and len(value) > most:
            raise self.words.too_long(self.at(name), "array", most)
        return tuple(value)

    def wrong(self, name: str, why: str) -> Refusal:
        """The refusal of the member `name` for a reason of its own."""
        return self.words.wrong_value(self.at(name) if name else self.path, why)

    def _get(self, name: str, default: Any) -> Any:
        value = self.value.get(name)
        if value is not None:
            return value
        if default is None:
            raise self.words.missing(self.at(name))
        return default

    def _check_range(self, name: str, value: float, least: float, most: float) -> None:
        if value < least:
            raise self.words.too_low(self.at(name), value, least)
        if value > most:
            raise self.words.too_high(self.at(name), value, most)
