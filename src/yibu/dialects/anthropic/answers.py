"""The form that an answer shall have: `output_config.format`, and what stands in for it where a model has none.

A schema becomes a tool whose arguments are the answer, or, where a tool cannot be forced, words in the system text. Any
JSON object is asked for in words. `hub.masks` turns the answer back.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.abilities import Abilities, abilities
from yibu.dialects.anthropic.calls import alias
from yibu.dialects.anthropic.schema import rooted, strict
from yibu.dialects.anthropic.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.masks import NO_MASKS, Masks
from yibu.hub.options import JsonObject, JsonSchema, Plain
from yibu.hub.parts import ToolCall
from yibu.hub.tools import Function

NAME = "output"
"""Formats that want a name for a schema get this one; there is none here."""
_TOOL = "json_answer"
_ANY_OBJECT = "Answer with one JSON object and nothing else: no words around it and no code fence."
_BY_SCHEMA = "Answer with JSON that satisfies this JSON Schema and nothing else, without a code fence:"


class Form(msgspec.Struct):
    """`format`: for `output_config`; `sentence`: for the system text; `tool`: the stand-in, by whose arguments is answered."""

    format: dict[str, Any] | None = None
    sentence: str = ""
    tool: dict[str, Any] | None = None


def plan_form(request: ChatRequest, able: Abilities, scope: Scope, *, may_force: bool) -> Form:
    """`may_force`: tools can be forced in this request."""
    output = request.output
    match output:
        case Plain():
            return Form()
        case JsonObject():
            scope.lose("$.response_format", "asked for in words", "approximated")
            return Form(sentence=_ANY_OBJECT)
        case JsonSchema():
            if able.has_format:
                schema, has_moved = strict(output.schema)
                if has_moved:
                    scope.lose("$.response_format", "some keywords are told in words", "approximated")
                return Form(format={"type": "json_schema", "schema": schema})
            if may_force:
                scope.lose("$.response_format", "answered by the arguments of a tool", "approximated")
                about = output.description or "Give your whole answer by calling this tool."
                tool = {"name": stand_in_name(request), "description": about, "input_schema": rooted(output.schema)[0]}
                return Form(tool=tool)
            scope.lose("$.response_format", "asked for in words", "approximated")
            text = bytes(output.schema).decode() if output.schema is not None else "{}"
            return Form(sentence=f"{_BY_SCHEMA}\n{text}")
        case _:
            assert_never(output)


def stand_in_name(request: ChatRequest) -> str:
    """A name that none of the caller's tools has."""
    taken = {tool.name for tool in request.tools if isinstance(tool, Function)}
    name = _TOOL
    while name in taken:
        name += "_"
    return name


def masks_of(request: ChatRequest | None) -> Masks:
    """What the encoder of requests disguises in this one."""
    if request is None or request.dialect == ID:
        return NO_MASKS
    functions = [tool for tool in request.tools if isinstance(tool, Function)]
    called = [part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolCall)]
    names = {alias(name): name for name in [tool.name for tool in functions] + called if alias(name) != name}
    is_json = not isinstance(request.output, Plain)
    has_format = isinstance(request.output, JsonSchema) and abilities(request.model).has_format
    return Masks(
        names=names,
        customs=frozenset(tool.name for tool in functions if tool.is_custom),
        answer=stand_in_name(request) if isinstance(request.output, JsonSchema) and not has_format else "",
        may_be_fenced=is_json and not has_format,
        stops=tuple(stop for stop in request.sampling.stop if stop and not stop.strip()),
    )
