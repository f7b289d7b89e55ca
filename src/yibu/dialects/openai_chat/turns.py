"""The messages of a conversation, both ways."""

from collections.abc import Iterator
from typing import Any

import msgspec

from yibu.dialects._json import Fields, merge, rest
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.history import arrange
from yibu.dialects.openai_chat.parts import decode_content, encode_content
from yibu.dialects.openai_chat.reasoning import decode_thinking, encode_thinking
from yibu.dialects.openai_chat.tools import decode_call, encode_call
from yibu.dialects.openai_chat.wire import ID, Message
from yibu.hub.chat import Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.media import FileRef
from yibu.hub.parts import Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult

_BASE = frozenset({"role", "content", "name"})
_ASSISTANT = _BASE | {"tool_calls", "refusal", "audio", "function_call"}
_RESULT = _BASE | {"tool_call_id"}
_LEGACY_ID = "call_legacy_"
"""Legacy calls have no id; other dialects need one."""

_CALLS = msgspec.json.Decoder(list[Fields])


def decode_turns(messages: list[Message], members: list[Fields]) -> tuple[Turn, ...]:
    """`members`: the same messages, their values not parsed."""
    turns: list[Turn] = []
    legacy = 0
    for number, (message, own) in enumerate(zip(messages, members, strict=True)):
        if message.role == "assistant":
            legacy += message.function_call is not None
            turns.append(_assistant(message, own, f"{_LEGACY_ID}{legacy}"))
        elif message.role == "tool" or message.role == "function":
            turns.append(_result(message, own, f"{_LEGACY_ID}{legacy}", f"$.messages[{number}]"))
        else:
            parts = decode_content(message.content, own.get("content"))
            is_list = isinstance(message.content, list)
            extras = rest(own, _BASE)
            turns.append(Turn(role=message.role, parts=parts, name=message.name or "", is_list=is_list, extras=extras))
    return tuple(turns)


def _assistant(message: Message, members: Fields, legacy_id: str) -> Turn:
    thoughts, taken = decode_thinking(members, keep_empty=True)
    parts: list[Part] = [*thoughts, *decode_content(message.content, members.get("content"))]
    if message.refusal is not None:
        parts.append(Refusal(text=message.refusal))
    known = _ASSISTANT | taken
    if message.audio is not None:
        parts.append(Media(kind="audio", source=FileRef(id=message.audio.id)))
    if message.function_call is not None:
        call = message.function_call
        parts.append(ToolCall(id=legacy_id, name=call.name, arguments=call.arguments or "", member="function_call"))
    if message.tool_calls:
        own = _CALLS.decode(members["tool_calls"])
        for wire, call_members in zip(message.tool_calls, own, strict=True):
            parts.append(decode_call(wire, call_members, id=wire.id or "", keep=frozenset({"index"})))
    return Turn(
        role="assistant",
        parts=tuple(parts),
        name=message.name or "",
        is_list=isinstance(message.content, list),
        extras=rest(members, known),
    )


def _result(message: Message, members: Fields, legacy_id: str, where: str) -> Turn:
    is_legacy = message.role == "function"
    call_id = legacy_id if is_legacy else message.tool_call_id
    needed = "name" if is_legacy else "tool_call_id"
    if call_id is None or (is_legacy and message.name is None):
        raise InvalidRequest(f"Object missing required field `{needed}` - at `{where}`.", param=f"{where}.{needed}")
    content = decode_content(message.content, members.get("content"))
    parts = tuple(part for part in content if isinstance(part, Text | Media | Opaque))
    result = ToolResult(
        call_id=call_id,
        parts=parts,
        name=message.name or "",
        is_list=isinstance(message.content, list),
        member="function" if is_legacy else "",
    )
    return Turn(role="tool", parts=(result,), extras=rest(members, _RESULT))


def encode_turns(turns: tuple[Turn, ...], scope: Scope) -> list[dict[str, Any]]:
    """One message a turn, and one a tool result.

    Pictures that a tool returned in another dialect follow in a message of the user, after the last result of the group.
    """
    messages: list[dict[str, Any]] = []
    lifted: list[Part] = []
    turns = turns if scope.is_ours else arrange(turns, scope)
    for number, turn in enumerate(turns):
        where = f"$.turns[{number}]"
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        for result in results:
            messages.append(_encode_result(result, turn, scope, where, lifted))
        if results and len(results) == len(turn.parts):
            continue
        messages += _lifted(lifted, scope)
        if turn.role == "assistant":
            _append(messages, _encode_assistant(turn, scope, where), scope)
        else:
            parts: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
            content = encode_content(parts, scope, where, is_list=turn.is_list)
            messages.append(
                _message(turn, {"role": turn.role, "content": "" if content is None else content}, scope, where)
            )
    return [*messages, *_lifted(lifted, scope)]


def _append(messages: list[dict[str, Any]], message: dict[str, Any], scope: Scope) -> None:
    """Of another dialect, where a turn of the model may come in several: one message, because results of calls have to
    follow right after it; and none for a turn of which nothing could be carried."""
    before = messages[-1] if messages else {}
    is_empty = message.keys() == {"role", "content"} and not message["content"]
    if scope.is_ours or (before.get("role") != "assistant" and not (is_empty and before)):
        messages.append(message)
        return
    if before.get("role") != "assistant":
        return
    for key, value in message.items():
        known = before.get(key)
        if isinstance(value, list) and isinstance(known, list):
            before[key] = known + value
        elif key in ("content", "reasoning_content") and known and value:
            is_text = isinstance(known, str) and isinstance(value, str)
            before[key] = f"{known}\n\n{value}" if is_text else [*_parts(known), *_parts(value)]
        elif not known:
            before[key] = value


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _message(turn: Turn, members: dict[str, Any], scope: Scope, where: str) -> dict[str, Any]:
    if turn.name:
        members["name"] = turn.name
    return merge(members, scope.extras(where, turn.extras))


def _lifted(lifted: list[Part], scope: Scope) -> Iterator[dict[str, Any]]:
    if lifted:
        yield {"role": "user", "content": encode_content(lifted, scope, "$.turns", is_list=True)}
        lifted.clear()


def _encode_result(result: ToolResult, turn: Turn, scope: Scope, where: str, lifted: list[Part]) -> dict[str, Any]:
    parts: list[Part] = list(result.parts)
    if not scope.is_ours:
        pictures = [part for part in parts if isinstance(part, Media)]
        if pictures:
            scope.lose(where, "a tool returns text only: what it showed follows as the user's", "approximated")
            lifted += pictures
            parts = [part for part in parts if not isinstance(part, Media)] or [Text(text="(see the next message)")]
        if result.is_error:
            scope.lose(where, "marked as an error by the words `Error: `", "approximated")
            first = parts[0] if parts and isinstance(parts[0], Text) else None
            parts = [Text(text=f"Error: {first.text if first else ''}"), *parts[1 if first else 0 :]]
    content = encode_content(parts, scope, where, is_list=result.is_list)
    members: dict[str, Any] = {"role": "tool", "tool_call_id": result.call_id}
    if result.member == "function":
        members = {"role": "function"}
    if result.name and (scope.is_ours or result.member == "function"):
        members["name"] = result.name
    members["content"] = "" if content is None else content
    return merge(members, scope.extras(where, turn.extras))


def _encode_assistant(turn: Turn, scope: Scope, where: str) -> dict[str, Any]:
    thoughts: list[Thinking] = []
    content: list[Part] = []
    calls: list[Any] = []
    members: dict[str, Any] = {"role": "assistant", "content": None}
    for part in turn.parts:
        match part:
            case Thinking() if part.member != "content":
                thoughts.append(part)
            case ToolCall(member="function_call"):
                members["function_call"] = {"name": part.name, "arguments": part.arguments}
            case ToolCall():
                calls.append(encode_call(part, scope, f"{where}.tool_calls[{len(calls)}]", to_caller=False))
            case Opaque(member="tool_calls") if part.dialect == ID:
                calls.append(part.data)
            case Refusal() if not turn.is_list:
                members["refusal"] = part.text
            case Media(kind="audio", source=FileRef(id=id)):
                members["audio"] = {"id": id}
            case ToolResult():
                pass
            case _:
                content.append(part)
    members["content"] = encode_content(content, scope, f"{where}.content", is_list=turn.is_list)
    members |= encode_thinking(thoughts, scope, where, to_caller=False)
    if calls:
        members["tool_calls"] = calls
    if members["content"] is None and len(members) == 2:
        members["content"] = ""
    return _message(turn, members, scope, where)
