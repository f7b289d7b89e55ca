"""The items of a conversation, both ways.

What the model said between two turns of others, in whatever items, is one turn of the assistant: its thoughts, its message,
its calls, and `Opaque` for what only vendors of this format understand (calls of tools that they run, compactions). A
second message begins a second turn, since `phase` and the like belong to a message.
"""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, merge, present, raw, read, rest
from yibu.dialects._scope import Scope
from yibu.dialects.openai_responses.calls import CALLS, RESULTS, decode_call, decode_result, encode_call, encode_result
from yibu.dialects.openai_responses.parts import decode_content, encode_content
from yibu.dialects.openai_responses.thoughts import decode_thoughts, encode_thoughts, unpack
from yibu.dialects.openai_responses.wire import ID, Item
from yibu.hub.chat import Role, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.media import FileRef
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall, ToolResult

INSTRUCTIONS = "instructions"
"""`Turn.member` of the system text that stands beside the items."""
STATE = frozenset(
    {"compaction", "item_reference", "compaction_trigger", "configuration_update", "mcp_approval_response"}
)
"""Items that stand for what only their vendor has: without them the conversation is another one."""

_MESSAGE = frozenset({"role", "content"})
_ROLES: dict[str, Role] = {"user": "user", "system": "system", "developer": "developer", "assistant": "assistant"}

_ITEM = msgspec.json.Decoder(Item)


def decode_turns(items: list[Fields]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """The turns, and the paths of items that no other dialect's vendor could do anything with."""
    said = _Said()
    bound: list[str] = []
    for number, members in enumerate(items):
        where = f"$.input[{number}]"
        item = read(_ITEM, raw(members), where)
        kind = item.type or ("message" if item.role is not None else "")
        if kind == "message":
            _message(item, members, where, said)
        elif kind in CALLS:
            said.parts.append(decode_call(members, where))
        elif kind in RESULTS:
            said.close()
            said.turns.append(Turn(role="tool", parts=(decode_result(members, where),)))
        elif kind == "reasoning":
            _think(members, said)
        elif kind:
            said.parts.append(Opaque(dialect=ID, data=raw(members), member=kind))
            if kind in STATE:
                bound.append(where)
        else:
            raise InvalidRequest(f"Object missing required field `type` - at `{where}`.", param=f"{where}.type")
    said.close()
    return tuple(said.turns), tuple(bound)


class _Said:
    """The turns so far, and what the model said since the last one."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.parts: list[Part] = []
        self._message = Turn(role="assistant", parts=())
        self._has_message = False

    def say(self, message: Turn) -> None:
        if self._has_message:
            self.close()
        self._message, self._has_message = message, True
        self.parts += message.parts

    def close(self) -> None:
        if self.parts or self._has_message:
            self.turns.append(msgspec.structs.replace(self._message, parts=tuple(self.parts)))
        self._message, self._has_message, self.parts = Turn(role="assistant", parts=()), False, []


def _message(item: Item, members: Fields, where: str, said: _Said) -> None:
    role = _ROLES.get(item.role or "")
    if role is None:
        raise InvalidRequest(f"The role is none of {', '.join(_ROLES)} - at `{where}.role`.", param=f"{where}.role")
    if present(item.content) is None:
        raise InvalidRequest(f"Object missing required field `content` - at `{where}`.", param=f"{where}.content")
    parts, is_list = decode_content(item.content, f"{where}.content")
    turn = Turn(role=role, parts=parts, is_list=is_list, extras=rest(members, _MESSAGE))
    if role == "assistant":
        said.say(turn)
    else:
        said.close()
        said.turns.append(turn)


def _think(members: Fields, said: _Said) -> None:
    """A seal that travelled for a call goes back to it."""
    packed = unpack(members)
    if packed is None or not packed.call:
        said.parts += decode_thoughts(members)
        return
    seal = Seal(dialect=packed.dialect, data=msgspec.Raw(packed.data.encode()))
    for place, part in enumerate(said.parts):
        if isinstance(part, ToolCall) and part.id == packed.call:
            said.parts[place] = msgspec.structs.replace(part, seal=seal)


def encode_turns(turns: tuple[Turn, ...], scope: Scope) -> list[Any]:
    """The items of all turns but the one that stands in `instructions`."""
    customs = {part.id for turn in turns for part in turn.parts if isinstance(part, ToolCall) and part.is_custom}
    items: list[Any] = []
    for number, turn in enumerate(turns):
        where = f"$.turns[{number}]"
        if turn.member == INSTRUCTIONS:
            continue
        if turn.name:
            scope.lose(f"{where}.name", "this format has no names of participants")
        for part in turn.parts:
            if isinstance(part, ToolResult):
                is_custom = part.member == "custom" if scope.is_ours else part.call_id in customs
                items.append(encode_result(part, scope, where, is_custom=is_custom))
        if turn.role == "assistant":
            items += _Items(turn, scope, where).all()
        elif turn.role != "tool":
            parts: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
            if parts or len(parts) == len(turn.parts):
                content = encode_content(parts, scope, f"{where}.content", is_list=turn.is_list, is_model=False)
                items.append(merge({"role": turn.role, "content": content}, scope.extras(where, turn.extras)))
    return items


class _Items:
    """The items of one turn of the assistant."""

    def __init__(self, turn: Turn, scope: Scope, where: str) -> None:
        self._turn, self._scope, self._where = turn, scope, where
        self._items: list[Any] = []
        self._words: list[Part] = []
        self._thoughts: list[Thinking] = []
        self._shown: list[Part] = []
        self._has_message = False

    def all(self) -> list[Any]:
        for part in self._turn.parts:
            self._add(part)
        self._flush()
        if not self._items and not self._turn.parts:
            self._items.append(self._message([]))
        if self._shown:
            self._scope.lose(self._where, "pictures that the model made follow as the user's", "approximated")
            content = encode_content(self._shown, self._scope, self._where, is_list=True, is_model=False)
            self._items.append({"role": "user", "content": content})
        return self._items

    def _add(self, part: Part) -> None:
        match part:
            case Thinking():
                self._flush_words()
                self._thoughts.append(part)
                if part.seal is not None:
                    self._flush()
                return
            case Text() | Refusal() | Citation() | Opaque(member="content"):
                self._flush_thoughts()
                self._words.append(part)
                return
            case ToolCall():
                self._flush()
                self._items.append(encode_call(part, self._scope, self._where))
                if part.seal is not None:
                    self._scope.lose(
                        f"{self._where}.seal", f"a seal of {part.seal.dialect} means nothing to this vendor"
                    )
            case Opaque() if part.dialect == ID:
                self._flush()
                self._items.append(part.data)
            case Opaque():
                self._scope.lose(self._where, f"only {part.dialect} understands it")
            case Media() if part.kind == "image" and not isinstance(part.source, FileRef):
                self._shown.append(part)
            case Media():
                self._scope.lose(self._where, f"{part.kind} that the model made has no place in a request")
            case ToolResult():
                pass

    def _flush(self) -> None:
        self._flush_thoughts()
        self._flush_words()

    def _flush_thoughts(self) -> None:
        if self._thoughts:
            item = encode_thoughts(self._thoughts, self._scope, self._where)
            self._items += [] if item is None else [item]
            self._thoughts = []

    def _flush_words(self) -> None:
        if self._words:
            message = self._message(self._words)
            if message["content"] or self._scope.is_ours:
                self._items.append(message)
            self._words = []

    def _message(self, words: list[Part]) -> dict[str, Any]:
        where = f"{self._where}.content"
        content = encode_content(words, self._scope, where, is_list=self._turn.is_list, is_model=True)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if not self._has_message:
            merge(message, self._scope.extras(self._where, self._turn.extras))
        self._has_message = True
        return message
