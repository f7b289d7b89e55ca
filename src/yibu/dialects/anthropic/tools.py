"""Tools and the choice among them, both ways."""

from typing import Any, assert_never

import msgspec

from yibu.dialects._free_text import DETAIL, SCHEMA, description
from yibu.dialects._json import Fields, fields, lean, merge, present, raw, rest, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.abilities import Abilities
from yibu.dialects.anthropic.calls import alias
from yibu.dialects.anthropic.marks import encode_mark, take_mark
from yibu.dialects.anthropic.schema import rooted, strict
from yibu.dialects.anthropic.wire import ID, members_of, read_at
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, Tool, ToolChoice

_FUNCTION = frozenset({"type", "name", "description", "input_schema", "strict"})
_NATIVE = {
    "web_search": {"type": "web_search_20250305", "name": "web_search"},
    "code_execution": {"type": "code_execution_20250825", "name": "code_execution"},
}
"""The oldest version that is still served: every model that has the tool at all takes it."""


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    input_schema: msgspec.Raw = msgspec.Raw(b"null")
    strict: bool | None = None


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_TOOL = msgspec.json.Decoder(_Function)
_CHOICE = msgspec.json.Decoder(_Choice)
_CHOSEN = frozenset({"type", "name", "disable_parallel_tool_use"})


def decode_tool(text: msgspec.Raw, where: str) -> Tool:
    """A missing or null `type` is a tool that the caller runs, as `custom` is; the versioned ones the vendor runs."""
    cache, members = take_mark(members_of(text, where))
    kind = text_of(members.get("type"))
    if kind not in (None, "", "custom"):
        return Hosted(dialect=ID, kind=_kind(kind or ""), data=text)
    wire = read_at(_TOOL, text, where)
    return Function(
        name=wire.name,
        description=wire.description or "",
        parameters=present(wire.input_schema),
        strict=wire.strict,
        member="custom" if kind == "custom" else "",
        cache=cache,
        extras=rest(members, _FUNCTION),
    )


def _kind(word: str) -> str:
    return next((kind for kind in _NATIVE if word.startswith(f"{kind}_")), word)


def encode_native(tool: Tool, scope: Scope, where: str) -> Any:
    """A tool that was written in this format, as it came."""
    match tool:
        case Hosted():
            return tool.data
        case Function():
            about = {"type": tool.member or None, "name": tool.name, "description": tool.description or None}
            members = lean({**about, "input_schema": tool.parameters, "strict": tool.strict})
            return encode_mark(merge(members, scope.extras(where, tool.extras)), tool.cache)
        case _:
            assert_never(tool)


def encode_tool(tool: Tool, scope: Scope, able: Abilities, where: str) -> Any:
    """A tool of another format. None for one that its own vendor runs. Raises `InvalidRequest` where the answer would be wrong
    without it."""
    match tool:
        case Hosted():
            return _encode_hosted(tool, scope, where)
        case Function() if tool.is_custom:
            scope.lose(where, DETAIL, "approximated")
            about: dict[str, Any] = {"name": alias(tool.name), "description": description(tool) or None}
            about["input_schema"] = SCHEMA
            return encode_mark(lean(about), tool.cache)
        case Function():
            scope.extras(where, tool.extras)
            schema, is_changed = rooted(tool.parameters)
            if is_changed:
                scope.lose(f"{where}.parameters", "the root of a schema is an object here", "approximated")
            about = {"name": alias(tool.name), "description": tool.description or None, "input_schema": schema}
            if tool.strict and able.has_format:
                about["input_schema"], has_moved = strict(schema)
                about["strict"] = True
                if has_moved:
                    scope.lose(f"{where}.parameters", "some keywords are told in words", "approximated")
            elif tool.strict:
                scope.lose(f"{where}.strict", "this model does not guarantee the form of arguments")
            return encode_mark(lean(about), tool.cache)
        case _:
            assert_never(tool)


def _encode_hosted(tool: Hosted, scope: Scope, where: str) -> Any:
    if tool.dialect == ID:
        return tool.data
    native = _NATIVE.get(tool.kind)
    if native is None:
        scope.lose(where, f"the vendor of this model has no {tool.kind}")
        return None
    scope.lose(where, f"the vendor's own {tool.kind} is used", "approximated")
    return native


def decode_choice(value: msgspec.Raw) -> tuple[ToolChoice | None, bool | None, Fields]:
    """The choice, whether calls may stand side by side (None for unsaid), and other members of it.

    A kind that is not known yet is None with all its members.
    """
    if present(value) is None:
        return None, None, {}
    wire = read_at(_CHOICE, value, "$.tool_choice")
    members = fields(value)
    found: ToolChoice | None = None
    match wire.type:
        case "auto":
            found = Auto()
        case "any":
            found = AnyTool()
        case "none":
            found = NoTool()
        case "tool" if wire.name is not None:
            found = Only(names=(wire.name,))
        case _:
            return None, None, members
    parallel = None if wire.disable_parallel_tool_use is None else not wire.disable_parallel_tool_use
    return found, parallel, rest(members, _CHOSEN)


def encode_choice(choice: ToolChoice | None, parallel: bool | None) -> dict[str, Any] | None:
    """A list of allowed tools is `auto` or `any` here: the tools themselves are filtered with `allowed`."""
    members: dict[str, Any] | None
    match choice:
        case None:
            members = {"type": "auto"} if parallel is not None else None
        case Auto():
            members = {"type": "auto"}
        case NoTool():
            return {"type": "none"}
        case AnyTool():
            members = {"type": "any"}
        case Only():
            if len(choice.names) == 1 and choice.required:
                members = {"type": "tool", "name": alias(choice.names[0])}
            else:
                members = {"type": "any" if choice.required else "auto"}
        case _:
            assert_never(choice)
    if members is not None and parallel is not None:
        members["disable_parallel_tool_use"] = not parallel
    return members


def allowed(tools: tuple[Tool, ...], choice: ToolChoice | None) -> tuple[Tool, ...]:
    """Those that the choice leaves."""
    if not isinstance(choice, Only) or (len(choice.names) == 1 and choice.required and not choice.is_list):
        return tools
    return tuple(tool for tool in tools if not isinstance(tool, Function) or tool.name in choice.names)


def stand_in(name: str) -> dict[str, Any]:
    """A tool of which only calls in the history are left: messages with calls need their tools."""
    return {"name": name, "input_schema": raw({"type": "object", "properties": {}})}
