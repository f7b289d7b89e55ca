"""Tools, calls of them and the choice among them, both ways.

The legacy members `functions` and `function_call` are the same things under other names: `member` remembers which.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._arguments import whole_arguments
from yibu.dialects._json import NULL, Fields, fields, lean, merge, present, raw, rest, split
from yibu.dialects._openai_names import alias
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.reasoning import unpack
from yibu.dialects.openai_chat.wire import ID, Call, CustomCall, FunctionCall, FunctionTool, Tool
from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import Extras, Opaque, Seal, ToolCall
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, ToolChoice
from yibu.hub.tools import Tool as HubTool

_FUNCTION = frozenset({"name", "description", "parameters", "strict"})
_CUSTOM = frozenset({"name", "description"})
_SEALED = "yibu"
"""Our key inside `extra_content`, the member in which Google's layer sends its own signatures through clients."""


def decode_tool(tool: Tool, members: Fields, where: str) -> HubTool:
    """A missing `type` means a function, as Mistral's SDK writes it. Kinds that the vendor runs are `Hosted`."""
    if tool.type in (None, "function"):
        if tool.function is None:
            raise InvalidRequest(f"Object missing required field `function` - at `{where}`.", param=f"{where}.function")
        return decode_function(tool.function, members, "function")
    if tool.type == "custom" and tool.custom is not None:
        remains = rest(fields(members["custom"]), _CUSTOM)
        extras = split(rest(members, frozenset({"type", "custom"})), "custom", remains)
        return Function(name=tool.custom.name, description=tool.custom.description or "", is_custom=True, extras=extras)
    return Hosted(dialect=ID, kind=tool.type or "", data=raw(members))


def decode_function(function: FunctionTool, members: Fields, inner: str) -> Function:
    """`inner`: the member that holds the function, empty for the legacy list, whose elements are functions themselves."""
    extras = rest(members, _FUNCTION)
    if inner:
        extras = split(rest(members, frozenset({"type", inner})), inner, rest(fields(members[inner]), _FUNCTION))
    return Function(
        name=function.name,
        description=function.description or "",
        parameters=present(function.parameters),
        strict=function.strict,
        member="" if inner else "functions",
        extras=extras,
    )


def encode_tool(tool: HubTool, scope: Scope, where: str) -> Any:
    """None when only another vendor can run it."""
    match tool:
        case Function():
            extras = scope.extras(where, tool.extras)
            name = tool.name if scope.is_ours else alias(tool.name)
            about: dict[str, Any] = {"name": name, "description": tool.description or None}
            if tool.is_custom:
                return merge({"type": "custom", "custom": lean(about)}, extras, "custom")
            about |= {"parameters": tool.parameters, "strict": tool.strict}
            if tool.member == "functions":
                return merge(lean(about), extras)
            return merge({"type": "function", "function": lean(about)}, extras, "function")
        case Hosted():
            if tool.dialect == ID:
                return tool.data
            scope.lose(where, f"only {tool.dialect} can run the tool {tool.kind}")
            return None
        case _:
            assert_never(tool)


_CHOICES: dict[str, ToolChoice] = {
    "auto": Auto(),
    "none": NoTool(),
    "required": AnyTool(),
    "any": AnyTool(member="any"),
}
"""`any` is Mistral's word."""


class _Named(msgspec.Struct):
    name: str


class _Pick(msgspec.Struct):
    type: str | None = None
    function: _Named | None = None
    custom: _Named | None = None


class _Allowed(msgspec.Struct):
    tools: list[_Pick]
    mode: str = "auto"


class _ChoiceBody(_Pick):
    allowed_tools: _Allowed | None = None
    name: str | None = None


def decode_choice(value: msgspec.Raw | None) -> ToolChoice | None:
    """None when it was left to the model, and for forms that only a vendor knows: those stay an extra."""
    if present(value) is None or value is None:
        return None
    try:
        choice = msgspec.json.decode(value, type=str | _ChoiceBody)
    except msgspec.ValidationError:
        return None
    if isinstance(choice, str):
        return _CHOICES.get(choice)
    if choice.allowed_tools is not None:
        names = [_name(pick) for pick in choice.allowed_tools.tools]
        if all(names):
            is_required = choice.allowed_tools.mode == "required"
            return Only(names=tuple(names), required=is_required, is_list=True)
        return None
    name = _name(choice) or (choice.name if choice.type is None else "")
    return Only(names=(name,)) if name else None


def _name(pick: _Pick) -> str:
    named = pick.custom if pick.type == "custom" else pick.function
    return named.name if named is not None else ""


def encode_choice(choice: ToolChoice, tools: tuple[HubTool, ...], scope: Scope, *, is_legacy: bool) -> Any:
    """`is_legacy`: for the member `function_call`, which knows `auto`, `none` and one name."""
    match choice:
        case Auto():
            return "auto"
        case NoTool():
            return "none"
        case AnyTool():
            return "auto" if is_legacy else choice.member or "required"
        case Only():
            customs = {tool.name for tool in tools if isinstance(tool, Function) and tool.is_custom}
            if is_legacy and choice.names:
                return {"name": choice.names[0]}
            picks = [_pick(name if scope.is_ours else alias(name), name in customs) for name in choice.names]
            if len(picks) == 1 and choice.required and not choice.is_list:
                return picks[0]
            mode = "required" if choice.required else "auto"
            return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": picks}}
        case _:
            assert_never(choice)


def _pick(name: str, is_custom: bool) -> dict[str, Any]:
    kind = "custom" if is_custom else "function"
    return {"type": kind, kind: {"name": name}}


def decode_call(call: Call, members: Fields, *, id: str, keep: frozenset[str] = frozenset()) -> ToolCall | Opaque:
    """One element of `tool_calls`. `keep`: members that are extras here although they are positional elsewhere.

    A call that is neither a function's nor a custom tool's is `Opaque`. Snowflake sends an empty `custom` beside
    each `function`: the one that `type` names counts.
    """
    known = frozenset({"id", "type", "function", "custom", "index"}) - keep
    extras = rest(members, known)
    seal, extras = take_seal(extras)
    made: FunctionCall | CustomCall | None = call.function
    if call.type == "custom" or made is None:
        made = call.custom
    if made is None or call.type not in (None, "", "function", "custom"):
        return Opaque(dialect=ID, data=raw(members), member="tool_calls")
    if isinstance(made, CustomCall):
        extras = split(extras, "custom", rest(fields(members["custom"]), frozenset({"name", "input"})))
        return ToolCall(id=id, name=made.name, arguments=made.input or "", is_custom=True, seal=seal, extras=extras)
    extras = split(extras, "function", rest(fields(members["function"]), frozenset({"name", "arguments"})))
    return ToolCall(id=id, name=made.name, arguments=made.arguments or "", seal=seal, extras=extras)


def take_seal(extras: Extras) -> tuple[Seal | None, Extras]:
    """A seal of another dialect that came through a client, taken out of `extra_content`."""
    value = extras.get("extra_content")
    if value is None or b'"yibu"' not in bytes(value):
        return None, extras
    content = fields(value)
    try:
        packed = msgspec.json.decode(content.pop(_SEALED, NULL), type=dict[str, str])
    except msgspec.ValidationError:
        return None, extras
    others = {key: value for key, value in extras.items() if key != "extra_content"}
    return unpack(packed.get("dialect"), packed.get("data")), split(others, "extra_content", content)


def encode_call(call: ToolCall, scope: Scope, where: str, *, to_caller: bool) -> dict[str, Any]:
    """`to_caller`: a foreign seal rides along in `extra_content`; towards a vendor it is a loss."""
    members: dict[str, Any] = {"id": call.id}
    is_kept = to_caller or scope.is_ours
    name, text = call.name if is_kept else alias(call.name), call.arguments
    if call.is_custom:
        members |= {"type": "custom", "custom": {"name": name, "input": text}}
    else:
        text = text if is_kept else whole_arguments(text, scope, where)
        members |= {"type": "function", "function": {"name": name, "arguments": text}}
    merge(members, scope.extras(where, call.extras), "custom" if call.is_custom else "function")
    if call.seal is not None:
        if to_caller:
            members["extra_content"] = {**_content(members), **pack_seal(call.seal)}
        else:
            scope.lose(f"{where}.seal", f"a seal of {call.seal.dialect} means nothing to this vendor")
    return members


def pack_seal(seal: Seal) -> dict[str, Any]:
    """The member of `extra_content` that carries the seal through a client."""
    return {_SEALED: {"dialect": seal.dialect, "data": bytes(seal.data).decode()}}


def _content(members: dict[str, Any]) -> Fields:
    value = members.get("extra_content")
    return fields(value) if isinstance(value, msgspec.Raw) and bytes(value).startswith(b"{") else {}
