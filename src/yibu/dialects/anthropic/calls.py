"""Calls of tools and what they returned, both ways.

The arguments of a call are an object here, whatever a model wrote. Its seal of another vendor (Gemini signs calls)
travels in a thinking block of its own that stands before it, because clients keep those as they came.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from yibu.dialects._free_text import WRAPPED
from yibu.dialects._json import Fields, merge, present, raw, rest
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic import parcel
from yibu.dialects.anthropic.marks import encode_mark
from yibu.dialects.anthropic.wire import Content, ToolUse, read_at
from yibu.dialects.anthropic.wire import ToolResult as WireResult
from yibu.hub.parts import Extras, Media, Opaque, Text, ToolCall, ToolResult

DIRECT = "direct"
"""`member` of a call that says it was made by the model itself."""
_CALL = msgspec.json.Decoder(ToolUse)
_RESULT = msgspec.json.Decoder(WireResult)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_USED = frozenset({"type", "id", "name", "input"})
_RETURNED = frozenset({"type", "tool_use_id", "content", "is_error"})
_LEGAL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LEGAL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MOST_NAME = 128

Inner = Callable[[Content | None, str], tuple[Text | Media | Opaque, ...]]


def decode_call(text: msgspec.Raw, members: Fields, cache: str, where: str) -> ToolCall:
    """`members`: without the mark."""
    wire = read_at(_CALL, text, where)
    arguments = bytes(wire.input).decode() if present(wire.input) is not None else "{}"
    caller, extras = take_caller(rest(members, _USED))
    return ToolCall(id=wire.id, name=wire.name, arguments=arguments, member=caller, cache=cache, extras=extras)


def take_caller(extras: Extras) -> tuple[str, Extras]:
    """That the model itself made a call is said in every one; only other callers (code that it runs) are news."""
    caller = extras.get("caller")
    if caller is None or b"".join(bytes(caller).split()) != b'{"type":"direct"}':
        return "", extras
    return DIRECT, {key: value for key, value in extras.items() if key != "caller"}


def decode_result(text: msgspec.Raw, members: Fields, cache: str, where: str, inner: Inner) -> ToolResult:
    """`inner` decodes the blocks in it."""
    wire = read_at(_RESULT, text, where)
    return ToolResult(
        call_id=wire.tool_use_id,
        parts=inner(wire.content, f"{where}.content"),
        is_error=bool(wire.is_error),
        is_list=isinstance(wire.content, list),
        cache=cache,
        extras=rest(members, _RETURNED),
    )


def encode_call(call: ToolCall, scope: Scope, where: str, *, to_caller: bool) -> list[Any]:
    """The `tool_use` block, with the parcel of a foreign seal before it."""
    block: dict[str, Any] = {"type": "tool_use", "id": call.id, "name": alias(call.name)}
    block["input"] = arguments_of(call)
    if call.member == DIRECT and scope.is_ours:
        block["caller"] = {"type": "direct"}
    blocks = [encode_mark(merge(block, scope.extras(where, call.extras)), call.cache)]
    if call.seal is None:
        return blocks
    if not to_caller:
        scope.lose(f"{where}.seal", f"a seal of {call.seal.dialect} means nothing to this vendor")
        return blocks
    return [carrier(call), *blocks]


def carrier(call: ToolCall) -> dict[str, Any]:
    """The thinking block that takes the seal of a call along."""
    return {"type": "thinking", "thinking": "", "signature": parcel.pack(call.seal, call.id)}


def arguments_of(call: ToolCall) -> msgspec.Raw:
    """The arguments as a JSON object: `{}` for none, `{"_raw": …}` for what is no JSON, `{"value": …}` for what is no object."""
    if call.is_custom:
        return raw({WRAPPED: call.arguments})
    text = call.arguments.strip()
    if text in ("", "null"):
        return msgspec.Raw(b"{}")
    try:
        _OBJECT.decode(text)
    except msgspec.ValidationError:
        return raw({"value": msgspec.Raw(text.encode())})
    except (msgspec.DecodeError, ValueError, RecursionError):
        return raw({"_raw": call.arguments})
    return msgspec.Raw(text.encode())


def alias(name: str) -> str:
    """A legal name for a tool, the same in every turn: its own where it is legal."""
    if _LEGAL_NAME.fullmatch(name):
        return name
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", name)
    return f"{plain[: _MOST_NAME - 9]}_{_digest(name)[:8]}"


def legal_id(id: str) -> str:
    """A legal id for a call and its result, always the same for the same one."""
    return id if _LEGAL_ID.fullmatch(id) else f"call_{_digest(id)[:24]}"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
