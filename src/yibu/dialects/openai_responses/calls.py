"""Calls of tools and what came of them, both ways.

What joins a call and its result is `call_id`; the `id` of an item is its vendor's record, and one that another vendor made
is refused, so none is written on items of other dialects.
"""

from hashlib import sha256
from typing import Any

from yibu.dialects._arguments import whole_arguments
from yibu.dialects._json import Fields, merge, present, rest, text_of
from yibu.dialects._openai_names import alias
from yibu.dialects._scope import Scope
from yibu.dialects.openai_responses.parts import decode_content, encode_content
from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import Media, Opaque, Part, Text, ToolCall, ToolResult

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
RESULTS = {"function_call_output": False, "custom_tool_call_output": True}
"""Whether the result is a custom tool's."""
MOST_ID = 64
"""Characters of a `call_id` at OpenAI."""


def decode_call(members: Fields, where: str) -> ToolCall:
    """Raises `InvalidRequest` when a member that a call needs is missing."""
    kind = text_of(members.get("type")) or ""
    written = CALLS[kind]
    id, name = (_need(members, key, where) for key in ("call_id", "name"))
    value = present(members.get(written))
    text = text_of(value)
    if text is None:  # some hosts send the object itself
        text = bytes(value).decode() if value is not None else ""
    extras = rest(members, frozenset({"type", "call_id", "name", written}))
    return ToolCall(id=id, name=name, arguments=text, is_custom=kind == "custom_tool_call", extras=extras)


def decode_result(members: Fields, where: str) -> ToolResult:
    kind = text_of(members.get("type")) or ""
    call_id = _need(members, "call_id", where)
    value = present(members.get("output"))
    if value is None:
        raise InvalidRequest(f"Object missing required field `output` - at `{where}`.", param=f"{where}.output")
    parts, is_list = decode_content(value, f"{where}.output")
    return ToolResult(
        call_id=call_id,
        parts=tuple(part for part in parts if isinstance(part, Text | Media | Opaque)),
        is_list=is_list,
        member="custom" if RESULTS[kind] else "",
        extras=rest(members, frozenset({"type", "call_id", "output"})),
    )


def _need(members: Fields, key: str, where: str) -> str:
    text = text_of(members.get(key))
    if not text:
        raise InvalidRequest(f"Object missing required field `{key}` - at `{where}`.", param=f"{where}.{key}")
    return text


def encode_call(call: ToolCall, scope: Scope, where: str) -> dict[str, Any]:
    kind = "custom_tool_call" if call.is_custom else "function_call"
    text = call.arguments if call.is_custom or scope.is_ours else whole_arguments(call.arguments, scope, where)
    members: dict[str, Any] = {
        "type": kind,
        "call_id": fit_id(call.id, scope),
        "name": call.name if scope.is_ours else alias(call.name),
        CALLS[kind]: text,
    }
    return merge(members, scope.extras(where, call.extras))


def fit_id(id: str, scope: Scope) -> str:
    """Ids of other dialects may be longer than OpenAI takes: calls and results get the same shorter one."""
    if scope.is_ours or 0 < len(id) <= MOST_ID:
        return id
    return "call_" + sha256(id.encode()).hexdigest()[:24]


def encode_result(result: ToolResult, scope: Scope, where: str, *, is_custom: bool) -> dict[str, Any]:
    parts: list[Part] = list(result.parts)
    if result.is_error:
        scope.lose(where, "marked as an error by the words `Error: `", "approximated")
        first = parts[0] if parts and isinstance(parts[0], Text) else None
        parts = [Text(text=f"Error: {first.text if first else ''}"), *parts[1 if first else 0 :]]
    output = encode_content(parts, scope, f"{where}.output", is_list=result.is_list, is_model=False)
    members: dict[str, Any] = {
        "type": "custom_tool_call_output" if is_custom else "function_call_output",
        "call_id": fit_id(result.call_id, scope),
        "output": output,
    }
    return merge(members, scope.extras(where, result.extras))
