"""What a request had to be called or dressed up as for a vendor that knows less, and how its answer is put right again.

A dialect derives its masks from the request that it encoded, and undoes them on the answer's events, so that streamed
and whole answers are treated by the same code.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    Metered,
    Opened,
    PartClosed,
    PartOpened,
    TextDelta,
)
from yibu.hub.fold import fold, unfold
from yibu.hub.parts import Text, ToolCall
from yibu.hub.reply import ChatReply, Finish
from yibu.hub.stops import Cutter


class Masks(msgspec.Struct, frozen=True):
    """`names`: what the vendor knows a tool by, to the caller's name; `customs`: the caller's names of tools that take free text and
    were told as functions with the one argument `input`; `answer`: the tool whose arguments are the answer, empty for none;
    `may_be_fenced`: a JSON answer may come inside a code fence; `stops`: strings at which the answer ends and the vendor was not told;
    `has_one_call`: the caller takes one call at a time, which the vendor was not told: the answer ends behind the first.
    """

    names: dict[str, str] = {}
    customs: frozenset[str] = frozenset()
    answer: str = ""
    may_be_fenced: bool = False
    stops: tuple[str, ...] = ()
    has_one_call: bool = False


NO_MASKS = Masks()

_FENCE = re.compile(r"\s*```[^\n]*\n")
_MAYBE_FENCE = re.compile(r"\s*(?:`{0,2}|```[^\n]*)")
_TAIL = re.compile(r"\s*`{0,3}\s*\Z")
_MOST_HELD = 200
"""Characters; a fence with its language is shorter."""


def unmask(reply: ChatReply, masks: Masks) -> ChatReply:
    """The whole answer put right."""
    return reply if masks == NO_MASKS else fold(Unmasking(masks).feed(unfold(reply)))


class Unmasking:
    """One answer while it is put right; events in and out are in normal form."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._calls: dict[int, int] = {}
        self._has_answer: set[int] = set()
        self._is_full: set[int] = set()
        self._custom: list[str] | None = None
        self._fence: _Fence | None = None
        self._is_answer = False
        self._cutter = Cutter(masks.stops) if masks.stops else None

    def feed(self, events: Iterable[Event]) -> list[Event]:
        if self._masks == NO_MASKS:
            return list(events)
        right = [out for event in events for out in self._one(event)]
        return self._cutter.feed(right) if self._cutter else right

    def _one(self, event: Event) -> list[Event]:
        if self._masks.has_one_call and self._is_beyond(event):
            return []
        match event:
            case PartOpened():
                return [self._open(event)]
            case ArgumentsDelta():
                return self._argue(event)
            case TextDelta() if self._fence is not None:
                text = self._fence.feed(event.text)
                return [msgspec.structs.replace(event, text=text)] if text else []
            case PartClosed():
                return [*self._close(event), event]
            case Finished():
                return [self._finish(event)]
            case _:
                return [event]

    def _is_beyond(self, event: Event) -> bool:
        if isinstance(event, Opened | Metered | Failed | Finished):
            return False
        if isinstance(event, PartOpened) and isinstance(event.head, ToolCall) and self._calls.get(event.choice):
            self._is_full.add(event.choice)
        return event.choice in self._is_full

    def _open(self, event: PartOpened) -> Event:
        head = event.head
        self._custom, self._fence, self._is_answer = None, None, False
        if isinstance(head, Text) and self._masks.may_be_fenced:
            self._fence = _Fence()
        if not isinstance(head, ToolCall):
            return event
        if self._masks.answer and head.name == self._masks.answer:
            self._is_answer = True
            self._has_answer.add(event.choice)
            return msgspec.structs.replace(event, head=Text(text=head.arguments))
        self._calls[event.choice] = self._calls.get(event.choice, 0) + 1
        name = self._masks.names.get(head.name, head.name)
        is_custom = name in self._masks.customs
        if is_custom:
            self._custom = []
        return msgspec.structs.replace(
            event, head=msgspec.structs.replace(head, name=name, is_custom=is_custom or head.is_custom)
        )

    def _argue(self, event: ArgumentsDelta) -> list[Event]:
        if self._is_answer:
            return [TextDelta(choice=event.choice, part=event.part, text=event.text)]
        if self._custom is not None:
            self._custom.append(event.text)
            return []
        return [event]

    def _close(self, event: PartClosed) -> list[Event]:
        if self._custom:
            text = _unwrap("".join(self._custom))
            return [ArgumentsDelta(choice=event.choice, part=event.part, text=text)] if text else []
        if self._fence is not None and (rest := self._fence.finish()):
            return [TextDelta(choice=event.choice, part=event.part, text=rest)]
        return []

    def _finish(self, event: Finished) -> Event:
        """An answer that was dressed up as a call ends as an answer does, unless the caller's tools were called beside it."""
        is_plain = event.choice in self._has_answer and not self._calls.get(event.choice)
        if not is_plain or event.finish.kind != "tool_calls":
            return event
        return msgspec.structs.replace(event, finish=Finish(kind="stop"))


def _unwrap(arguments: str) -> str:
    """The free text in the one argument; whatever else a model wrote stays as it is."""
    try:
        said: Any = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return arguments
    if isinstance(said, dict) and isinstance(said.get("input"), str):
        text: str = said["input"]
        return text
    return arguments


class _Fence:
    """Takes the code fence away that a model puts around JSON. Whatever may be the fence is held back until it is clear."""

    def __init__(self) -> None:
        self._held = ""
        self._is_open: bool | None = None

    def feed(self, text: str) -> str:
        self._held += text
        if self._is_open is None:
            if found := _FENCE.match(self._held):
                self._is_open, self._held = True, self._held[found.end() :]
            elif len(self._held) < _MOST_HELD and _MAYBE_FENCE.fullmatch(self._held):
                return ""
            else:
                self._is_open = False
        tail = _TAIL.search(self._held) if self._is_open else None
        at = tail.start() if tail else len(self._held)
        ready, self._held = self._held[:at], self._held[at:]
        return ready

    def finish(self) -> str:
        rest, self._held = self._held, ""
        return "" if self._is_open and "```" in rest else rest
