"""A small memory of one process: what was asked for last, for a limited time. Whatever lives here may be lost without harm."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """Keeps at most `size` values, those that were asked for last, each for `life_s` seconds. `clock`: monotonic seconds."""

    def __init__(self, size: int, life_s: float, clock: Callable[[], float]) -> None:
        self._size = size
        self._life_s = life_s
        self._clock = clock
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, name: str) -> T | None:
        found = self._values.get(name)
        if found is None:
            return None
        until, value = found
        if self._clock() >= until:
            del self._values[name]
            return None
        self._values.move_to_end(name)
        return value

    def put(self, name: str, value: T) -> None:
        self._values[name] = (self._clock() + self._life_s, value)
        self._values.move_to_end(name)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def clear(self) -> None:
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)
