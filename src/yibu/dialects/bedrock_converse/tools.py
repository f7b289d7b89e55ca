"""Tools and the choice among them, towards Amazon."""

from typing import Any, assert_never

from yibu.dialects._json import lean
from yibu.dialects._scope import Scope
from yibu.dialects.bedrock_converse.masks import alias
from yibu.hub.chat import ChatRequest
from yibu.hub.parts import ToolCall
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, ToolChoice

ANYTHING = {"type": "object", "properties": {}}
WRAPPED = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
MARK = {"cachePoint": {"type": "default"}}


def mark(cache: str) -> dict[str, Any]:
    """What stands behind a piece up to which everything is to be kept in the prompt cache."""
    return {"cachePoint": {"type": "default", "ttl": cache}} if cache in ("5m", "1h") else MARK


def encode_tools(request: ChatRequest, scope: Scope) -> dict[str, Any] | None:
    """`toolConfig`. A conversation with calls in it needs their tools, so those that are gone are told by their names."""
    called = [part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolCall)]
    offered = _allowed(request, scope)
    choice = request.tool_choice
    if isinstance(choice, NoTool):
        if not called:
            return None
        scope.lose(
            "$.tool_choice", "the model is not kept from calling tools that the conversation has", "approximated"
        )
    specs: list[Any] = []
    for tool in offered:
        specs.append({"toolSpec": _spec(tool)})
        if tool.cache:
            specs.append(mark(tool.cache))
    known = {alias(tool.name) for tool in offered}
    for name in dict.fromkeys(alias(name) for name in called):
        if name not in known:
            specs.append({"toolSpec": {"name": name, "inputSchema": {"json": ANYTHING}}})
    if not specs:
        return None
    if request.parallel_tools is False:
        scope.lose("$.parallel_tool_calls", "of several calls at once the first is given", "approximated")
    return lean({"tools": specs, "toolChoice": _choice(choice)})


def _allowed(request: ChatRequest, scope: Scope) -> list[Function]:
    found: list[Function] = []
    choice = request.tool_choice
    for number, tool in enumerate(request.tools):
        match tool:
            case Function():
                if isinstance(choice, Only) and tool.name not in choice.names:
                    continue
                scope.extras(f"$.tools[{number}]", tool.extras)
                found.append(tool)
            case Hosted():
                scope.lose(f"$.tools[{number}]", f"Amazon runs no {tool.kind} here")
            case _:
                assert_never(tool)
    return found


def _spec(tool: Function) -> dict[str, Any]:
    schema: Any = WRAPPED if tool.is_custom else tool.parameters
    members = {"name": alias(tool.name), "description": tool.description or None, "strict": tool.strict or None}
    return {**lean(members), "inputSchema": {"json": ANYTHING if schema is None else schema}}


def _choice(choice: ToolChoice | None) -> dict[str, Any] | None:
    match choice:
        case None | NoTool():
            return None
        case Auto():
            return {"auto": {}}
        case AnyTool():
            return {"any": {}}
        case Only():
            if not choice.required:
                return {"auto": {}}
            return {"tool": {"name": alias(choice.names[0])}} if len(choice.names) == 1 else {"any": {}}
        case _:
            assert_never(choice)
