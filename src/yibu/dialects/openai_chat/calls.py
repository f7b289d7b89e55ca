"""Tool calls whose fragments a stream brings, put into the order that events have: one open at a time.

OpenAI joins fragments by `index`. Google's layer and others leave it out, repeat 0, or send whole calls without an id: there a
new id or a new name begins a new call. A call that starts while the one before it is not complete waits for it.
"""

from typing import Any

import msgspec

from yibu.hub.errors import Broken
from yibu.hub.parts import Extras


class Fragment(msgspec.Struct):
    """One element of `tool_calls` in a delta, whatever of it is there."""

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""
    is_custom: bool = False
    member: str = ""
    extras: Extras = {}


class Call:
    """A call on its way. `part`: its number among the parts, -1 until it is open."""

    __slots__ = ("extras", "id", "is_closed", "is_custom", "member", "name", "number", "part", "pieces", "waiting")

    def __init__(self, number: int, fragment: Fragment) -> None:
        self.number = number
        self.part = -1
        self.is_closed = False
        self.is_custom = fragment.is_custom
        self.member = fragment.member
        self.id = self.name = ""
        self.extras: Extras = {}
        self.pieces: list[str] = []
        self.waiting: list[str] = []

    def add(self, fragment: Fragment) -> None:
        """Raises `Broken` for words that come after the call was closed: they have no place any more."""
        self.id = self.id or fragment.id
        self.name = self.name or fragment.name
        self.is_custom = self.is_custom or fragment.is_custom
        self.extras = {**self.extras, **fragment.extras} if fragment.extras else self.extras
        if not fragment.arguments:
            return
        if self.is_closed:
            if fragment.arguments.strip():
                raise Broken(upstream_words="arguments went on after their call had ended")
            return
        self.pieces.append(fragment.arguments)
        self.waiting.append(fragment.arguments)

    def take(self) -> str:
        """What was added since it was last asked."""
        text = "".join(self.waiting)
        self.waiting.clear()
        return text

    @property
    def is_complete(self) -> bool:
        """The arguments are a whole JSON object; of free text nobody knows, so any will do."""
        text = "".join(self.pieces)
        if self.is_custom:
            return bool(text)
        if not text.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, ValueError, RecursionError):
            return False
        return True


class Calls:
    """The calls of one choice, in the order in which they began."""

    __slots__ = ("_by_index", "all")

    def __init__(self) -> None:
        self.all: list[Call] = []
        self._by_index: dict[int, Call] = {}

    def add(self, fragment: Fragment) -> Call:
        """Gives the fragment to its call, which may be a new one."""
        call = self._find(fragment)
        if call is None:
            call = Call(len(self.all), fragment)
            self.all.append(call)
            if fragment.index is not None:
                self._by_index[fragment.index] = call
        call.add(fragment)
        return call

    def _find(self, fragment: Fragment) -> Call | None:
        if fragment.index is not None:
            known = self._by_index.get(fragment.index)
        elif fragment.id:
            known = next((call for call in self.all if call.id == fragment.id), None)
        else:
            known = self.all[-1] if self.all else None
        if known is None:
            return None
        is_other = (
            (fragment.id and known.id and fragment.id != known.id)
            or known.member != fragment.member
            or (fragment.name and fragment.name != known.name and known.name)
            or (
                fragment.name
                and not fragment.id
                and (fragment.index is None or fragment.arguments)
                and known.is_complete
            )
        )
        return None if is_other else known
