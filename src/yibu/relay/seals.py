"""Vendor state for customers whose format has no place for it, or whose tool does not send it back.

Some vendors sign what their model thought and what it called, and want the signature back with the next turn. Here it is
kept for an hour under the id of the tool call, which every format carries; when it is lost, the dialect declares that.
"""

import time
from collections.abc import Callable

import msgspec

from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.events import Event, PartClosed, PartOpened, ThinkingDelta
from yibu.hub.parts import Part, Seal, Thinking, ToolCall
from yibu.hub.reply import ChatReply
from yibu.kit.memory import Memory

LIFE_S = 3600.0
SIZE = 10_000
"""Calls of one process; the state of one is 1 to 20 KB."""
MOST_BYTES = 64 * 1024
"""State beyond this is not kept."""


class Kept(msgspec.Struct, frozen=True):
    """`thoughts`: the sealed ones before the call, in order; `seal`: the call's own."""

    thoughts: tuple[Thinking, ...]
    seal: Seal | None


class Seals:
    """`wallet` in every method: nobody's state is given to anybody else."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: monotonic seconds."""
        self._memory: Memory[Kept] = Memory(SIZE, LIFE_S, clock)

    def remember(self, wallet: int, parts: tuple[Part, ...]) -> None:
        """Keeps the seals of one choice, if it has any and calls a tool."""
        thoughts: list[Thinking] = []
        for part in parts:
            if isinstance(part, Thinking) and part.seal:
                thoughts.append(part)
            elif isinstance(part, ToolCall) and part.id and (thoughts or part.seal):
                kept = Kept(tuple(thoughts), part.seal)
                if _size(kept) <= MOST_BYTES:
                    self._memory.put(f"{wallet}:{part.id}", kept)

    def remember_reply(self, wallet: int, reply: ChatReply) -> None:
        for choice in reply.choices:
            self.remember(wallet, choice.parts)

    def restore(self, wallet: int, request: ChatRequest, dialect: str) -> ChatRequest:
        """The request with the state that `dialect` gave, wherever the customer has left it out."""
        if not len(self._memory):
            return request
        turns = tuple(self._turn(wallet, turn, dialect) for turn in request.turns)
        return msgspec.structs.replace(request, turns=turns) if turns != request.turns else request

    def _turn(self, wallet: int, turn: Turn, dialect: str) -> Turn:
        if turn.role != "assistant":
            return turn
        has_thoughts = any(isinstance(part, Thinking) and _is_of(part.seal, dialect) for part in turn.parts)
        parts: list[Part] = []
        thoughts: tuple[Thinking, ...] = ()
        for part in turn.parts:
            kept = self._memory.get(f"{wallet}:{part.id}") if isinstance(part, ToolCall) else None
            if isinstance(part, ToolCall) and kept:
                thoughts = thoughts or tuple(one for one in kept.thoughts if _is_of(one.seal, dialect))
                if not part.seal and _is_of(kept.seal, dialect):
                    part = msgspec.structs.replace(part, seal=kept.seal)
            parts.append(part)
        if thoughts and not has_thoughts:
            parts = [*thoughts, *(part for part in parts if not isinstance(part, Thinking))]
        return msgspec.structs.replace(turn, parts=tuple(parts))


class Gatherer:
    """Picks thoughts and calls out of the events of a stream."""

    def __init__(self) -> None:
        self._heads: dict[int, Part] = {}
        self._texts: dict[int, list[str]] = {}
        self._parts: dict[int, list[Part]] = {}

    def listen(self, event: Event) -> None:
        match event:
            case PartOpened(head=Thinking() | ToolCall()):
                self._heads[event.choice] = event.head
                self._texts[event.choice] = []
            case ThinkingDelta():
                self._texts.setdefault(event.choice, []).append(event.text)
            case PartClosed() if event.choice in self._heads:
                self._close(event)
            case _:
                pass

    @property
    def choices(self) -> list[tuple[Part, ...]]:
        return [tuple(parts) for parts in self._parts.values()]

    def _close(self, event: PartClosed) -> None:
        head = self._heads.pop(event.choice)
        text = "".join(self._texts.pop(event.choice, []))
        match head:
            case Thinking():
                head = msgspec.structs.replace(head, text=head.text + text, seal=event.seal or head.seal)
            case ToolCall():
                head = msgspec.structs.replace(head, seal=event.seal or head.seal)
            case _:
                return
        self._parts.setdefault(event.choice, []).append(head)


def _is_of(seal: Seal | None, dialect: str) -> bool:
    return seal is not None and seal.dialect == dialect


def _size(kept: Kept) -> int:
    seals = [one.seal for one in kept.thoughts] + [kept.seal]
    return sum(len(one.text) for one in kept.thoughts) + sum(len(bytes(seal.data)) for seal in seals if seal)
