"""Names of functions that Google takes, in place of others; and what of a request has to be undone in the answer.

Google, reference of `FunctionDeclaration`, read 2026-11-22: a letter or `_`, then letters, digits, `_ . : -`, at most 64 characters.
"""

import re
from hashlib import sha256

import msgspec

from yibu.dialects._scope import Scope
from yibu.dialects.gemini.models import traits
from yibu.dialects.gemini.wire import ID
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.loss import Loss
from yibu.hub.masks import NO_MASKS, Masks
from yibu.hub.options import Plain
from yibu.hub.parts import Part, ToolCall, ToolResult
from yibu.hub.tools import Function, Only

_LEGAL = re.compile(r"[A-Za-z_][\w.:-]{0,63}", re.ASCII)
MOST_STOPS = 5
_ILLEGAL = re.compile(r"[^\w.:-]", re.ASCII)


def legal(name: str) -> str:
    """The name itself if Google takes it, else one that is always the same for it and for no other."""
    if _LEGAL.fullmatch(name):
        return name
    kept = _ILLEGAL.sub("_", name)[:54]
    begin = "" if kept[:1].isalpha() or kept[:1] == "_" else "_"
    return f"{begin}{kept}_{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def masks_of(asked: ChatRequest | None) -> Masks:
    """What is to be undone in the answer to a request that came from another format."""
    if asked is None or asked.dialect == ID:
        return NO_MASKS
    functions = [tool for tool in asked.tools if isinstance(tool, Function)]
    names = {legal(tool.name): tool.name for tool in functions if legal(tool.name) != tool.name}
    customs = frozenset(tool.name for tool in functions if tool.is_custom)
    is_told = bool(functions) and not traits(asked.model).mixes_tools and not isinstance(asked.output, Plain)
    stops = tuple(filter(None, asked.sampling.stop[MOST_STOPS:]))
    return Masks(
        names=names, customs=customs, may_be_fenced=is_told, stops=stops, has_one_call=asked.parallel_tools is False
    )


def rename(request: ChatRequest, scope: Scope) -> ChatRequest:
    """The request with names that Google takes, wherever a function is named in it."""
    others = [tool.name for tool in request.tools if isinstance(tool, Function) and legal(tool.name) != tool.name]
    scope.losses += [Loss("renamed", f"$.tools[{name}]", f"called {legal(name)} there") for name in others]
    turns = tuple(_turn(turn) for turn in request.turns)
    choice = request.tool_choice
    if isinstance(choice, Only):
        choice = msgspec.structs.replace(choice, names=tuple(map(legal, choice.names)))
    tools = tuple(
        msgspec.structs.replace(tool, name=legal(tool.name)) if isinstance(tool, Function) else tool
        for tool in request.tools
    )
    return msgspec.structs.replace(request, tools=tools, turns=turns, tool_choice=choice)


def _turn(turn: Turn) -> Turn:
    parts = tuple(map(_part, turn.parts))
    return turn if parts == turn.parts else msgspec.structs.replace(turn, parts=parts)


def _part(part: Part) -> Part:
    if isinstance(part, ToolCall | ToolResult) and part.name and legal(part.name) != part.name:
        return msgspec.structs.replace(part, name=legal(part.name))
    return part
