"""Stop strings that a vendor could not be told: the answer is cut here, at the first of them that stands in its text."""

from collections.abc import Iterable

import msgspec

from yibu.hub.events import Event, Failed, Finished, Metered, Opened, PartClosed, PartOpened, TextDelta
from yibu.hub.parts import Text, ToolCall
from yibu.hub.reply import Finish, FinishKind

UNTOLD = "the answer is cut here, and what the vendor wrote behind it is counted"
"""The detail of the loss."""


class Cutter:
    """One answer, of which nothing gets out from a stop string on; events in and out are in normal form."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        """`stops`: not empty, and none of them is."""
        self._stops = stops
        self._held: dict[int, str] = {}
        self._met: dict[int, str] = {}
        self._has_calls: set[int] = set()

    def feed(self, events: Iterable[Event]) -> list[Event]:
        return [out for event in events for out in self._one(event)]

    def _one(self, event: Event) -> list[Event]:
        match event:
            case Opened() | Metered() | Failed():
                return [event]
            case Finished():
                return [self._finish(event)]
            case _ if event.choice in self._met:
                return []
            case PartOpened(head=ToolCall()):
                self._has_calls.add(event.choice)
                return [event]
            case PartOpened(head=Text()):
                self._held[event.choice] = ""
                return [event]
            case TextDelta() if event.choice in self._held:
                return self._text(event)
            case PartClosed():
                rest = self._held.pop(event.choice, "")
                last = TextDelta(choice=event.choice, part=event.part, text=rest)
                return [last, event] if rest else [event]
            case _:
                return [event]

    def _text(self, event: TextDelta) -> list[Event]:
        text = self._held[event.choice] + event.text
        met = min((stop for stop in self._stops if stop in text), key=text.index, default=None)
        at = text.index(met) if met is not None else len(text) - self._doubtful(text)
        self._held[event.choice] = text[at:]
        out: list[Event] = [msgspec.structs.replace(event, text=text[:at])] if at else []
        if met is not None:
            self._met[event.choice] = met
            del self._held[event.choice]
            out.append(PartClosed(choice=event.choice, part=event.part))
        return out

    def _doubtful(self, text: str) -> int:
        """Characters at the end that may be the beginning of a stop string."""
        longest = max(map(len, self._stops)) - 1
        for length in range(min(longest, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stops):
                return length
        return 0

    def _finish(self, event: Finished) -> Finished:
        met = self._met.get(event.choice)
        if met is None:
            return event
        kind: FinishKind = "tool_calls" if event.choice in self._has_calls else "stop"
        return msgspec.structs.replace(event, finish=Finish(kind=kind, stop_sequence=met), logprobs=None)
