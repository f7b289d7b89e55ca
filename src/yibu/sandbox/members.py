"""Reads the members of a JSON object and refuses wrong ones in OpenAI's words, naming the path.

A member that is null counts as absent, as on OpenAI's API.
"""

from collections.abc import Collection, Iterator
from typing import Any

from yibu.sandbox.refusal import Refusal, missing, wrong_type, wrong_value


class Members:
    """`path`: where the object stands in the body, such as `messages[0]`; empty for the body itself."""

    def __init__(self, value: dict[str, Any], path: str = "") -> None:
        self.value = value
        self.path = path

    def at(self, name: str) -> str:
        """The path of the member `name`."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self.value.get(name) is not None

    def only(self, known: Collection[str]) -> None:
        """Refuse members outside `known`."""
        for name in self.value:
            if name not in known:
                raise Refusal(
                    400,
                    f"Unrecognized request argument supplied: {name}",
                    code="unknown_parameter",
                    param=self.at(name),
                )

    def text(self, name: str, default: str | None = None, *, longest: int | None = None) -> str:
        """A string. Without a default it is required."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise wrong_type(self.at(name), "a string", value)
        if longest is not None and len(value) > longest:
            raise Refusal(
                400,
                f"Invalid '{self.at(name)}': string too long. Expected a string with maximum length {longest}.",
                code="string_above_max_length",
                param=self.at(name),
            )
        return value

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """A string out of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise wrong_value(self.at(name), f"'{value}'. Supported values are: {', '.join(map(repr, allowed))}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise wrong_type(self.at(name), "a boolean", value)
        return value

    def integer(self, name: str, least: int, most: int) -> int | None:
        """An integer in [least, most], or None when absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(self.at(name), "an integer", value)
        self._check_range(name, value, least, most)
        return value

    def number(self, name: str, least: float, most: float) -> float | None:
        """A number in [least, most], or None when absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(self.at(name), "a decimal number", value)
        self._check_range(name, value, least, most)
        return float(value)

    def object(self, name: str) -> "Members":
        """An object. It is required: ask `has` first when it is not."""
        value = self._get(name, None)
        if not isinstance(value, dict):
            raise wrong_type(self.at(name), "an object", value)
        return Members(value, self.at(name))

    def objects(self, name: str, *, most: int | None = None) -> "Iterator[Members]":
        """The objects of an array; an absent one is empty."""
        value = self.value.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise wrong_type(self.at(name), "an array of objects", value)
        if most is not None and len(value) > most:
            raise Refusal(
                400,
                f"Invalid '{self.at(name)}': array too long. Expected an array with maximum length {most}.",
                code="array_above_max_length",
                param=self.at(name),
            )
        for number, item in enumerate(value):
            path = f"{self.at(name)}[{number}]"
            if not isinstance(item, dict):
                raise wrong_type(path, "an object", item)
            yield Members(item, path)

    def _get(self, name: str, default: Any) -> Any:
        value = self.value.get(name)
        if value is not None:
            return value
        if default is None:
            raise missing(self.at(name))
        return default

    def _check_range(self, name: str, value: float, least: float, most: float) -> None:
        if value < least:
            raise Refusal(
                400,
                f"Invalid '{self.at(name)}': below minimum value. Expected a value >= {least}, but got {value} instead.",
                code="decimal_below_min_value" if isinstance(least, float) else "integer_below_min_value",
                param=self.at(name),
            )
        if value > most:
            raise Refusal(
                400,
                f"Invalid '{self.at(name)}': above maximum value. Expected a value <= {most}, but got {value} instead.",
                code="decimal_above_max_value" if isinstance(most, float) else "integer_above_max_value",
                param=self.at(name),
            )
