"""Tools and the choice among them, towards Cohere."""

from typing import Any, assert_never

import msgspec

from yibu.dialects._free_text import DETAIL, SCHEMA, description, others
from yibu.dialects._json import lean
from yibu.dialects._scope import Scope
from yibu.dialects.cohere_chat.masks import alias
from yibu.hub.chat import ChatRequest
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only

ANYTHING = {"type": "object", "properties": {}}


class _Schema(msgspec.Struct):
    required: list[str] = []


def encode_tools(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    """`tools`, `tool_choice` and `strict_tools`, where they are needed."""
    offered = _offered(request, scope)
    if not offered:
        return {}
    if request.parallel_tools is False:
        scope.lose("$.parallel_tool_calls", "of several calls at once the first is given", "approximated")
    return lean(
        {
            "tools": [{"type": "function", "function": _function(tool)} for tool in offered],
            "tool_choice": _choice(request),
            "strict_tools": _are_strict(offered, scope) or None,
        }
    )


def _offered(request: ChatRequest, scope: Scope) -> list[Function]:
    """Cohere cannot be told which tools may be called: it hears of those alone."""
    found: list[Function] = []
    choice = request.tool_choice
    for number, tool in enumerate(request.tools):
        where = f"$.tools[{number}]"
        match tool:
            case Function():
                if isinstance(choice, Only) and tool.name not in choice.names:
                    continue
                scope.extras(where, others(tool) if tool.is_custom else tool.extras)
                if tool.is_custom:
                    scope.lose(where, DETAIL, "approximated")
                found.append(tool)
            case Hosted():
                scope.lose(where, f"Cohere runs no {tool.kind} here")
            case _:
                assert_never(tool)
    return found


def _function(tool: Function) -> dict[str, Any]:
    schema: Any = SCHEMA if tool.is_custom else tool.parameters
    words = description(tool) if tool.is_custom else tool.description
    members = {"name": alias(tool.name), "description": words or None}
    return {**lean(members), "parameters": ANYTHING if schema is None else schema}


def _choice(request: ChatRequest) -> str | None:
    choice = request.tool_choice
    match choice:
        case None | Auto():
            return None
        case NoTool():
            return "NONE"
        case AnyTool():
            return "REQUIRED"
        case Only():
            return "REQUIRED" if choice.required else None
        case _:
            assert_never(choice)


def _are_strict(tools: list[Function], scope: Scope) -> bool:
    """All of them or none; and each needs a parameter that has to be given."""
    if not any(tool.strict for tool in tools):
        return False
    if all(tool.strict and _has_required(tool) for tool in tools):
        return True
    scope.lose("$.tools[*].strict", "Cohere is strict with all tools or none, each with a required parameter")
    return False


def _has_required(tool: Function) -> bool:
    if tool.parameters is None:
        return False
    try:
        return bool(msgspec.json.decode(tool.parameters, type=_Schema).required)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
