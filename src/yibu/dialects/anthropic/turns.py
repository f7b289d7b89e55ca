"""The messages of a conversation, both ways, for requests that were written in this format.

The system text stands outside the list; it becomes the first turn. A message of the user may hold results of tools beside
other blocks: each run of them is a turn, and those that go on with a message say so (`member` is `joined`), so that the
same messages come out again. What other formats hold is put in order by `conversation`.
"""

from itertools import groupby
from typing import Any

from yibu.dialects._json import Fields, merge, rest
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.blocks import decode_content, encode_blocks
from yibu.dialects.anthropic.wire import Content, Message
from yibu.hub.chat import Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.media import FileRef
from yibu.hub.parts import Media, Opaque, Part, Text, Thinking, ToolCall, ToolResult

SYSTEM = "system"
"""`member` of the turn that holds the top-level system text."""
JOINED = "joined"

_STRANGERS = {"user": (ToolCall, Thinking), "assistant": (ToolResult,), "system": (ToolCall, Thinking, ToolResult)}
_MESSAGE = frozenset({"role", "content"})


def decode_turns(system: Content | None, messages: list[Message], members: list[Fields]) -> tuple[Turn, ...]:
    """`members`: the same messages, their values not parsed."""
    turns: list[Turn] = []
    if system:
        parts = tuple(decode_content(system, "$.system"))
        _check_places("system", parts, "$.system")
        turns.append(Turn(role="system", parts=parts, is_list=isinstance(system, list), member=SYSTEM))
    for number, (message, own) in enumerate(zip(messages, members, strict=True)):
        parts = tuple(decode_content(message.content, f"$.messages[{number}].content"))
        _check_places(message.role, parts, f"$.messages[{number}].content")
        is_list = isinstance(message.content, list)
        extras = rest(own, _MESSAGE)
        if message.role != "user":
            turns.append(Turn(role=message.role, parts=parts, is_list=is_list, extras=extras))
            continue
        runs = [list(run) for _, run in groupby(parts, key=lambda part: isinstance(part, ToolResult))] or [[]]
        for place, run in enumerate(runs):
            has_results = bool(run) and isinstance(run[0], ToolResult)
            turns.append(
                Turn(
                    role="tool" if has_results else "user",
                    parts=tuple(run),
                    is_list=is_list,
                    member=JOINED if place else "",
                    extras={} if place else extras,
                )
            )
    return tuple(turns)


def _check_places(role: str, parts: tuple[Part, ...], where: str) -> None:
    """Calls and thoughts are the assistant's, results the user's. Raises `InvalidRequest`, as Anthropic answers 400."""
    if any(isinstance(part, _STRANGERS[role]) for part in parts):
        raise InvalidRequest(f"A message of the role `{role}` holds blocks of another role.", param=where)


def bound_of(turns: tuple[Turn, ...]) -> tuple[str, ...]:
    """Paths of what the user showed that only the vendor has it was sent to: uploaded files."""
    found: list[str] = []
    for number, turn in enumerate(turns):
        for part in turn.parts:
            inner: tuple[Part, ...] = part.parts if isinstance(part, ToolResult) else (part,)
            for one in inner:
                is_file = isinstance(one, Media) and isinstance(one.source, FileRef)
                if is_file or (isinstance(one, Opaque) and b'"container_upload"' in bytes(one.data)):
                    found.append(f"$.turns[{number}]")
    return tuple(found)


def encode_native(turns: tuple[Turn, ...], scope: Scope) -> tuple[Any, list[dict[str, Any]]]:
    """The system text (None for none) and the messages, as they came."""
    system: Any = None
    messages: list[dict[str, Any]] = []
    for number, turn in enumerate(turns):
        where = f"$.turns[{number}]"
        content = encode_content(turn, scope, f"{where}.content")
        if turn.member == SYSTEM:
            system = content
        elif turn.member == JOINED and messages and isinstance(messages[-1]["content"], list):
            messages[-1]["content"] += content
        else:
            role = "user" if turn.role == "tool" else "system" if turn.role == "developer" else turn.role
            messages.append(merge({"role": role, "content": content}, scope.extras(where, turn.extras)))
    return system, messages


def encode_content(turn: Turn, scope: Scope, where: str) -> Any:
    """A string where the caller wrote one and it says it all."""
    only = turn.parts[0] if len(turn.parts) == 1 else None
    if isinstance(only, Text) and not turn.is_list and not only.cache and not only.extras:
        return only.text
    return encode_blocks(list(turn.parts), scope, where, to_caller=False)
