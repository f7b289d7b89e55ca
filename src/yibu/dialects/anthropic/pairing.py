"""Which result belongs to which call, and what both are called.

Some models begin again with `call_0` in every answer, some hosts use ids of other alphabets: a call and its result get
the same new id, always the same for the same conversation.
"""

import msgspec

from yibu.dialects.anthropic.calls import legal_id
from yibu.hub.chat import Turn
from yibu.hub.parts import ToolCall, ToolResult

Place = tuple[int, int]


class Ids:
    """Ids of one conversation: legal, and each used once."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def of_call(self, call: ToolCall) -> ToolCall:
        """The call under its own id, which is a new one if the same was there before."""
        legal = own = legal_id(call.id)
        times = 1
        while own in self._used:
            times += 1
            own = legal_id(f"{legal}_{times}")
        self._used.add(own)
        return msgspec.structs.replace(call, id=own)


class Results:
    """The results of one conversation, each for one call. `place`: numbers of the turn and of the part in it."""

    def __init__(self, turns: tuple[Turn, ...]) -> None:
        self._places: dict[str, list[tuple[Place, ToolResult]]] = {}
        self._calls: dict[str, list[int]] = {}
        self._taken: set[Place] = set()
        for number, turn in enumerate(turns):
            for at, part in enumerate(turn.parts):
                if isinstance(part, ToolResult):
                    self._places.setdefault(part.call_id, []).append(((number, at), part))
                elif isinstance(part, ToolCall):
                    self._calls.setdefault(part.id, []).append(number)

    def take(self, call_id: str, after: int) -> ToolResult | None:
        """The first result for the call that the turn `after` made, wherever it stands before the id is used again."""
        again = next((number for number in self._calls.get(call_id, ()) if number > after), None)
        for place, result in self._places.get(call_id, ()):
            if place[0] > after and (again is None or place[0] < again) and place not in self._taken:
                self._taken.add(place)
                return result
        return None

    def is_taken(self, place: Place) -> bool:
        return place in self._taken
