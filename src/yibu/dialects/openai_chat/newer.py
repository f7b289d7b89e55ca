"""What OpenAI added to this format and few others took over: tools that take free text, and lists of allowed tools.

OpenAI, *Function calling*, read 2026-11-22: both came with GPT-5. Vendors who copied the format before refuse them, so requests
of other formats say them in older words to any other model: a function with the one argument `input`, and only those tools
that are allowed.
"""

import re

import msgspec

from yibu.dialects._free_text import DETAIL, SCHEMA, WRAPPED, description, others
from yibu.dialects._json import raw
from yibu.dialects._scope import Scope
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.parts import Part, ToolCall
from yibu.hub.tools import AnyTool, Auto, Function, Only, Tool, ToolChoice

_KNOWING = re.compile(r"(?:openai/)?gpt-[5-9]")


def in_older_words(request: ChatRequest, scope: Scope) -> ChatRequest:
    """The request itself where there is nothing to say otherwise."""
    if scope.is_ours or _KNOWING.match(request.model):
        return request
    choice, tools = _allowed(request.tool_choice, request.tools, scope)
    return msgspec.structs.replace(
        request,
        tools=tuple(_function(tool, scope, f"$.tools[{number}]") for number, tool in enumerate(tools)),
        tool_choice=choice,
        turns=tuple(map(_turn, request.turns)),
    )


def wrapped(request: ChatRequest) -> frozenset[str]:
    """Names of the tools that were told as functions with one argument."""
    if _KNOWING.match(request.model):
        return frozenset()
    return frozenset(tool.name for tool in request.tools if isinstance(tool, Function) and tool.is_custom)


def _allowed(
    choice: ToolChoice | None, tools: tuple[Tool, ...], scope: Scope
) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    if not isinstance(choice, Only) or (choice.required and not choice.is_list):
        return choice, tools
    if choice.required and len(choice.names) == 1:
        return Only(names=choice.names), tools
    kept = tuple(tool for tool in tools if not isinstance(tool, Function) or tool.name in choice.names)
    if len(kept) < len(tools):
        scope.lose("$.tool_choice", "only the allowed tools are told", "approximated")
    return AnyTool() if choice.required else Auto(), kept


def _function(tool: Tool, scope: Scope, where: str) -> Tool:
    if not isinstance(tool, Function) or not tool.is_custom:
        return tool
    scope.lose(where, DETAIL, "approximated")
    return Function(name=tool.name, description=description(tool), parameters=SCHEMA, extras=others(tool))


def _turn(turn: Turn) -> Turn:
    if not any(isinstance(part, ToolCall) and part.is_custom for part in turn.parts):
        return turn
    return msgspec.structs.replace(turn, parts=tuple(map(_call, turn.parts)))


def _call(part: Part) -> Part:
    if not isinstance(part, ToolCall) or not part.is_custom:
        return part
    arguments = bytes(raw({WRAPPED: part.arguments})).decode()
    return msgspec.structs.replace(part, arguments=arguments, is_custom=False)
