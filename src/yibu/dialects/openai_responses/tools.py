"""Tools and the choice among them, both ways. Functions are flat here: there is no `function` around their members.

OpenAI tries `strict` with functions that do not speak of it, and then fills every optional argument; so `false` is written
for functions of other dialects, where silence means no.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, fields, lean, merge, present, raw, read, rest, text_of
from yibu.dialects._openai_names import alias
from yibu.dialects._scope import Scope
from yibu.dialects.openai_responses.wire import ID, Tool
from yibu.hub.errors import InvalidRequest
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, ToolChoice
from yibu.hub.tools import Tool as HubTool

_FUNCTION = frozenset({"type", "name", "description", "parameters", "strict"})
_CUSTOM = frozenset({"type", "name", "description"})
_EMPTY = {"type": "object", "properties": {}}

_TOOL = msgspec.json.Decoder(Tool)

_KINDS = {"code_interpreter": "code_execution"}
"""Names that the hub has for tools which several vendors run; dated and preview versions of the search are the search."""
_NATIVE: dict[str, dict[str, Any]] = {
    "web_search": {"type": "web_search"},
    "code_execution": {"type": "code_interpreter", "container": {"type": "auto"}},
}


def decode_tool(members: Fields, where: str) -> HubTool:
    """What the caller runs is a `Function`, what the vendor runs `Hosted`."""
    tool = read(_TOOL, raw(members), where)
    if tool.type in (None, "function", "custom"):
        if not tool.name:
            raise InvalidRequest(f"Object missing required field `name` - at `{where}`.", param=f"{where}.name")
        if tool.type == "custom":
            extras = rest(members, _CUSTOM)
            return Function(name=tool.name, description=tool.description or "", is_custom=True, extras=extras)
        return Function(
            name=tool.name,
            description=tool.description or "",
            parameters=present(tool.parameters),
            strict=tool.strict,
            extras=rest(members, _FUNCTION),
        )
    kind = "web_search" if tool.type.startswith("web_search") else _KINDS.get(tool.type, tool.type)
    return Hosted(dialect=ID, kind=kind, data=raw(members))


def encode_tool(tool: HubTool, scope: Scope, where: str) -> Any:
    """None when only another vendor can run it."""
    match tool:
        case Function(is_custom=True):
            about = {"type": "custom", "name": _name(tool.name, scope), "description": tool.description or None}
            return merge(lean(about), _custom_extras(tool, scope, where))
        case Function():
            members: dict[str, Any] = {
                "type": "function",
                "name": _name(tool.name, scope),
                "description": tool.description or None,
                "parameters": tool.parameters,
                "strict": tool.strict,
            }
            if not scope.is_ours:
                members["parameters"] = tool.parameters or _EMPTY
                members["strict"] = bool(tool.strict)
            return merge(lean(members), scope.extras(where, tool.extras))
        case Hosted():
            if tool.dialect == ID:
                return tool.data
            if tool.kind in _NATIVE:
                scope.lose(where, f"asked for as {_NATIVE[tool.kind]['type']}, without its options", "approximated")
                return _NATIVE[tool.kind]
            scope.lose(where, f"only {tool.dialect} can run the tool {tool.kind}")
            return None
        case _:
            assert_never(tool)


def _custom_extras(tool: Function, scope: Scope, where: str) -> Fields:
    """Chat has the grammar one level deeper, in `custom.format.grammar`."""
    if scope.is_ours or "custom" not in tool.extras:
        return scope.extras(where, tool.extras)
    others = {key: value for key, value in tool.extras.items() if key != "custom"}
    inner = fields(tool.extras["custom"])
    form = msgspec.json.decode(inner.pop("format", b"null"))
    if not isinstance(form, dict):
        return scope.extras(where, tool.extras)
    grammar = form.pop("grammar", None)
    flat = {**form, **grammar} if isinstance(grammar, dict) else form
    return {**scope.extras(where, others), **scope.extras(f"{where}.custom", inner), "format": raw(flat)}


_CHOICES: dict[str, ToolChoice] = {"auto": Auto(), "none": NoTool(), "required": AnyTool()}
_NAMED = frozenset({"function", "custom"})


class _Pick(msgspec.Struct):
    type: str = ""
    name: str = ""


class _Choice(_Pick):
    mode: str = "auto"
    tools: list[_Pick] | None = None


def decode_choice(value: msgspec.Raw) -> ToolChoice | None:
    """None when it was left to the model, and for forms that only a vendor knows: those stay an extra."""
    if present(value) is None:
        return None
    try:
        choice = msgspec.json.decode(value, type=str | _Choice)
    except msgspec.ValidationError:
        return None
    if isinstance(choice, str):
        return _CHOICES.get(choice)
    members = fields(value)
    if choice.type in _NAMED and choice.name and members.keys() <= {"type", "name"}:
        return Only(names=(choice.name,))
    if choice.type == "allowed_tools" and choice.tools and all(pick.type in _NAMED for pick in choice.tools):
        names = tuple(pick.name for pick in choice.tools)
        return Only(names=names, required=choice.mode == "required", is_list=True) if all(names) else None
    return None


def _name(name: str, scope: Scope) -> str:
    return name if scope.is_ours else alias(name)


def encode_choice(choice: ToolChoice, tools: tuple[HubTool, ...], scope: Scope) -> Any:
    match choice:
        case Auto():
            return "auto"
        case NoTool():
            return "none"
        case AnyTool():
            return "required"
        case Only():
            customs = {tool.name for tool in tools if isinstance(tool, Function) and tool.is_custom}
            picks = [
                {"type": "custom" if name in customs else "function", "name": _name(name, scope)}
                for name in choice.names
            ]
            if len(picks) == 1 and choice.required and not choice.is_list:
                return picks[0]
            return {"type": "allowed_tools", "mode": "required" if choice.required else "auto", "tools": picks}
        case _:
            assert_never(choice)


def type_of(members: Fields) -> str:
    """The `type` of a tool or an item; empty when it does not say."""
    return text_of(members.get("type")) or ""
