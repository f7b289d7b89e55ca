"""Which result belongs to which call, and what both are called.

Some models begin again with `call_0` in every answer, some hosts use ids of other alphabets: a call and its result get
the same new id, always the same for the same conversation.
"""

import msgspec

from yibu.dialects.anthropic.calls import legal_id
from yibu.hub.chat import Turn
from yibu.hub.parts import ToolCall, ToolResult


class Ids:
    """Ids of one conversation: legal, and each used once."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._last: dict[str, str] = {}

    def of_call(self, call: ToolCall) -> ToolCall:
        """The call under its own id, which is a new one if the same was there before."""
        legal = legal_id(call.id)
        times = self._times[legal] = self._times.get(legal, 0) + 1
        own = legal if times == 1 else legal_id(f"{legal}_{times}")
        self._last[call.id] = own
        return msgspec.structs.replace(call, id=own)

    def last(self, id: str) -> str:
        """What the latest call with this id is called."""
        return self._last.get(id, legal_id(id))


class Results:
    """The results of one conversation, each for one call."""

    def __init__(self, turns: tuple[Turn, ...]) -> None:
        self._places: dict[str, list[tuple[int, ToolResult]]] = {}
        self._calls: dict[str, list[int]] = {}
        self._taken: set[int] = set()
        for number, turn in enumerate(turns):
            for part in turn.parts:
                if isinstance(part, ToolResult):
                    self._places.setdefault(part.call_id, []).append((number, part))
                elif isinstance(part, ToolCall):
                    self._calls.setdefault(part.id, []).append(number)

    def take(self, call_id: str, after: int) -> ToolResult | None:
        """The first result for the call that the turn `after` made, wherever it stands before the id is used again."""
        again = next((number for number in self._calls.get(call_id, ()) if number > after), None)
        for number, result in self._places.get(call_id, ()):
            if number > after and (again is None or number < again) and id(result) not in self._taken:
                self._taken.add(id(result))
                return result
        return None

    def is_taken(self, result: ToolResult) -> bool:
        return id(result) in self._taken
