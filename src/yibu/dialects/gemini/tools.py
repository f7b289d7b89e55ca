"""Tools and the choice among them, both ways.

Normalised on the way: all functions stand in one tool, each of Google's own tools in one of its own.
"""

from typing import Any, assert_never

from yibu.dialects._free_text import DETAIL, SCHEMA, description, others
from yibu.dialects._json import lean, merge, raw
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.models import Traits
from yibu.dialects.gemini.schema import for_json_schema, from_openapi, to_openapi, to_own_openapi
from yibu.dialects.gemini.wire import ID, Members, enum, wrong
from yibu.hub.parts import Extras
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, Tool, ToolChoice

OPENAPI = "parameters"
"""Member of a function whose schema stood in the older of the two members."""

_KINDS = {"googleSearch": "web_search", "codeExecution": "code_execution"}
_OWN = {kind: key for key, kind in _KINDS.items()}


def decode_tools(body: Members) -> tuple[Tool, ...]:
    """Raises `InvalidRequest`."""
    tools: list[Tool] = []
    for tool in body.each("tools"):
        functions = tool.each("functionDeclarations")
        tools += [_decode_function(function) for function in functions]
        for key, value in tool.left.items():
            name = _camel(key)
            tools.append(Hosted(dialect=ID, kind=_KINDS.get(name, name), data=raw({name: value})))
    return tuple(tools)


def _camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _decode_function(function: Members) -> Function:
    name = function.text("name")
    if not name:
        raise wrong(f"{function.path}.name", "the name of a function")
    description = function.text("description") or ""
    schema, older = function.take("parametersJsonSchema"), function.take("parameters")
    member = ""
    if schema is None and older is not None:
        Members(older, f"{function.path}.parameters")
        schema, member = from_openapi(older), OPENAPI
    return Function(name=name, description=description, parameters=schema, member=member, extras=function.left)


def encode_tools(tools: tuple[Tool, ...], traits: Traits, scope: Scope) -> list[Any]:
    """The list `tools`."""
    written: list[Any] = []
    functions: list[Any] = []
    has_functions = any(isinstance(tool, Function) for tool in tools)
    for number, tool in enumerate(tools):
        where = f"$.tools[{number}]"
        match tool:
            case Function():
                if not functions:
                    written.append({"functionDeclarations": functions})
                functions.append(_encode_function(tool, traits, scope, where))
            case Hosted():
                if (hosted := _encode_hosted(tool, scope, where)) is None:
                    continue
                if has_functions and not (scope.is_ours or traits.mixes_tools):
                    scope.lose(where, f"this model takes either functions or {tool.kind}")
                    continue
                written.append(hosted)
            case _:
                assert_never(tool)
    return written


def _encode_hosted(tool: Hosted, scope: Scope, where: str) -> Any:
    if tool.dialect == ID:
        return tool.data
    key = _OWN.get(tool.kind)
    if key is None:
        scope.lose(where, f"only {tool.dialect} can run the tool {tool.kind}")
        return None
    scope.lose(where, f"{key} runs instead of {tool.dialect}'s {tool.kind}, without its options", "approximated")
    return {key: {}}


def _encode_function(tool: Function, traits: Traits, scope: Scope, where: str) -> dict[str, Any]:
    members: dict[str, Any] = {"name": tool.name, "description": tool.description or None}
    parameters, extras = tool.parameters, tool.extras
    if tool.is_custom:
        scope.lose(where, DETAIL, "approximated")
        members["description"] = description(tool) or None
        parameters, extras = SCHEMA, others(tool)
    if parameters is not None:
        if scope.is_ours:
            is_older = tool.member == OPENAPI
            key = "parameters" if is_older else "parametersJsonSchema"
            members[key] = to_own_openapi(parameters) if is_older else parameters
        elif traits.has_json_schema:
            members["parametersJsonSchema"] = for_json_schema(parameters)
        else:
            members["parameters"] = to_openapi(parameters)
    return merge(lean(members), scope.extras(where, extras))


_MODES: dict[str, ToolChoice] = {"AUTO": Auto(), "ANY": AnyTool(), "NONE": NoTool()}


def decode_choice(body: Members) -> tuple[ToolChoice | None, Extras]:
    """The choice, None when it was left to the model, and what of `toolConfig` the hub has no word for.

    `VALIDATED` without names is the model's own choice among calls that keep to their schemas.
    """
    config = body.inner("toolConfig")
    if config is None:
        return None, {}
    value = config.take("functionCallingConfig")
    choice: ToolChoice | None = None
    if value is not None:
        calling = Members(value, f"{config.path}.functionCallingConfig")
        mode = enum(calling.text("mode"))
        names = tuple(calling.strings("allowedFunctionNames") or ())
        if not calling.left:
            choice = _MODES.get(mode) if not names else None
            if names and mode in ("ANY", "VALIDATED"):
                choice = Only(names=names, required=mode == "ANY", is_list=True)
        if choice is None:
            config.put("functionCallingConfig", value)
    return choice, {f"toolConfig.{key}": value for key, value in config.left.items()}


def encode_choice(choice: ToolChoice | None, tools: tuple[Tool, ...], traits: Traits, scope: Scope) -> Any:
    """`functionCallingConfig`; None for the model's own choice, and when there is nothing to choose from."""
    functions = [tool for tool in tools if isinstance(tool, Function)]
    if not functions and not scope.is_ours:
        return None
    is_strict = not scope.is_ours and traits.has_json_schema and any(tool.strict for tool in functions)
    match choice:
        case None:
            return {"mode": "VALIDATED"} if is_strict else None
        case Auto():
            return {"mode": "VALIDATED" if is_strict else "AUTO"}
        case NoTool():
            return {"mode": "NONE"}
        case AnyTool():
            return {"mode": "ANY"}
        case Only():
            if choice.required or scope.is_ours or traits.has_json_schema:
                mode = "ANY" if choice.required else "VALIDATED"
                return {"mode": mode, "allowedFunctionNames": list(choice.names)}
            scope.lose("$.tool_choice", "this model may call any of the tools", "approximated")
            return {"mode": "AUTO"}
        case _:
            assert_never(choice)
