"""Arguments of a call that arrive one by one.

Google Cloud, *Function calling*, `streamFunctionCallArguments`, read 2026-11-22: the first piece names the function and
says `willContinue`; the next ones say in `partialArgs` which value (`jsonPath`, such as `$.city` or `$.days[0].name`)
gets what, strings bit by bit; the last is without `willContinue`.
"""

import re
from itertools import pairwise
from typing import Any

import msgspec

from yibu.dialects._json import raw
from yibu.dialects.gemini.wire import Members

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,6})\]|\[['\"]([^'\"\]]*)['\"]\]")
_MOST_INDEX = 10_000
_VALUES = ("stringValue", "numberValue", "boolValue")


class Arguments:
    """One call while its arguments come."""

    def __init__(self, outer: Members, call: Members) -> None:
        self._outer = dict(outer.left)
        self._call: dict[str, msgspec.Raw] = {}
        self._made: dict[str, Any] = {}
        self.goes_on = True
        self._take(call)

    @classmethod
    def begin(cls, value: msgspec.Raw, path: str) -> "Arguments | None":
        """None when the part is no piece of a call."""
        outer = Members(value, path)
        call = outer.inner("functionCall")
        if call is None or not ({"partialArgs", "partial_args", "willContinue", "will_continue"} & call.left.keys()):
            return None
        return cls(outer, call)

    def add(self, value: msgspec.Raw, path: str) -> bool:
        """Whether the part goes on with this call; one that names a function is another."""
        outer = Members(value, path)
        call = outer.inner("functionCall")
        if call is None or call.left.get("name") is not None:
            return False
        self._outer |= outer.left
        self._take(call)
        return True

    def _take(self, call: Members) -> None:
        self.goes_on = bool(call.flag("willContinue"))
        for piece in call.each("partialArgs"):
            self._set(piece)
        self._call |= call.left

    def _set(self, piece: Members) -> None:
        steps: list[str | int] = [
            int(found[2]) if found[2] else found[1] or found[3] or ""
            for found in _STEP.finditer(piece.text("jsonPath") or "")
        ]
        value: Any = None
        for key in _VALUES:
            if (told := piece.take(key)) is not None:
                value = msgspec.json.decode(told)
        if steps and isinstance(steps[0], str):
            _put(self._made, steps, value)

    def whole(self) -> msgspec.Raw:
        """The part as it would have come in one piece."""
        call: dict[str, Any] = {**self._call}
        if "args" not in call:
            call["args"] = self._made
        return raw({**self._outer, "functionCall": call})


def _put(place: Any, steps: list[str | int], value: Any) -> None:
    """Sets the value at the end of the path; a text goes on where one is."""
    for step, after in pairwise(steps):
        empty: Any = [] if isinstance(after, int) else {}
        place = _at(place, step, empty)
        if place is None:
            return
    last = steps[-1]
    known = _at(place, last, None)
    if isinstance(known, str) and isinstance(value, str):
        value = known + value
    match place, last:
        case dict(), str():
            place[last] = value
        case list(), int() if last < len(place):
            place[last] = value
        case _:
            return


def _at(place: Any, step: str | int, empty: Any) -> Any:
    """What is at the step, made if nothing is; None where the path does not fit."""
    if isinstance(place, dict) and isinstance(step, str):
        if place.get(step) is None:
            place[step] = empty
        return place[step]
    if isinstance(place, list) and isinstance(step, int) and step <= min(len(place), _MOST_INDEX):
        if step == len(place):
            place.append(empty)
        return place[step]
    return None
