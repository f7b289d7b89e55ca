"""A whole request, both ways.

Normalised on the way: null is no member; `stop` is a list; `stream: false`, `response_format: {"type": "text"}`, empty
`tool_calls` and empty descriptions, which say the default, are left out; the `type` of tools and calls is written.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, check_depth, check_values, fields, lean, merge, present, read, rest, split
from yibu.dialects._scope import Scope
from yibu.dialects.dialect import Bounds
from yibu.dialects.openai_chat.newer import in_older_words
from yibu.dialects.openai_chat.search import SEARCH, decode_search, take_search
from yibu.dialects.openai_chat.tools import decode_choice, decode_function, decode_tool, encode_choice, encode_tool
from yibu.dialects.openai_chat.turns import decode_turns, encode_turns
from yibu.dialects.openai_chat.wire import ID, RequestBody, ResponseFormat
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.options import JsonObject, JsonSchema, Limits, Output, Plain, Reasoning, Sampling, Streaming
from yibu.hub.parts import Extras
from yibu.hub.stops import UNTOLD
from yibu.hub.tools import Auto, Function, NoTool
from yibu.hub.tools import Tool as HubTool

MOST_STOPS = 4
"""Stop strings that OpenAI takes."""

_BODY = msgspec.json.Decoder(RequestBody)
_OBJECTS = msgspec.json.Decoder(list[Fields])
_KNOWN = frozenset(RequestBody.__struct_fields__)
_REASONING = frozenset({"effort", "max_tokens", "exclude"})
_SCHEMA = frozenset({"name", "schema", "description", "strict"})


class _Reasoning(msgspec.Struct):
    """OpenRouter's object, also Snowflake's."""

    effort: str | None = None
    max_tokens: int | None = None
    exclude: bool | None = None


def decode_request(body: bytes, bounds: Bounds) -> ChatRequest:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    check_values(body)
    wire = read(_BODY, body)
    members = fields(body)
    if len(wire.messages) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} messages.", param="$.messages")
    if len(wire.tools or ()) + len(wire.functions or ()) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    known = {*_KNOWN, SEARCH}
    choice_member = "function_call" if wire.functions and "tool_choice" not in members else "tool_choice"
    choice = decode_choice(members.get(choice_member))
    if choice is not None:
        known.add(choice_member)
    reasoning = _decode_reasoning(wire, members)
    extras = rest(members, frozenset(known))
    if reasoning.member:
        extras = split(extras, "reasoning", rest(fields(extras.pop("reasoning")), _REASONING))
    if wire.max_completion_tokens is not None and wire.max_tokens is not None:
        extras["max_tokens"] = members["max_tokens"]
    return ChatRequest(
        model=wire.model,
        turns=decode_turns(wire.messages, read(_OBJECTS, members["messages"])),
        tools=_decode_tools(wire, members),
        tool_choice=choice,
        parallel_tools=wire.parallel_tool_calls,
        sampling=Sampling(
            temperature=wire.temperature,
            top_p=wire.top_p,
            top_k=wire.top_k,
            presence_penalty=wire.presence_penalty,
            frequency_penalty=wire.frequency_penalty,
            seed=wire.seed,
            stop=(wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ()),
            logprobs=wire.logprobs,
            top_logprobs=wire.top_logprobs,
            logit_bias=wire.logit_bias,
        ),
        reasoning=reasoning,
        output=_decode_output(wire.response_format, members, extras),
        modalities=tuple(wire.modalities or ()),
        limits=Limits(
            max_output_tokens=wire.max_completion_tokens or wire.max_tokens,
            choices=wire.n,
            member="max_tokens" if wire.max_completion_tokens is None and wire.max_tokens is not None else "",
        ),
        stream=_decode_stream(wire, members),
        user=wire.user or "",
        safety_id=wire.safety_identifier or "",
        service_tier=wire.service_tier or "",
        cache_key=wire.prompt_cache_key or "",
        verbosity=wire.verbosity or "",
        metadata=wire.metadata or {},
        dialect=ID,
        extras=extras,
    )


def _decode_tools(wire: RequestBody, members: Fields) -> tuple[HubTool, ...]:
    tools: list[HubTool] = []
    if wire.tools:
        for number, (tool, own) in enumerate(zip(wire.tools, _OBJECTS.decode(members["tools"]), strict=True)):
            tools.append(decode_tool(tool, own, f"$.tools[{number}]"))
    if wire.functions:
        for function, own in zip(wire.functions, _OBJECTS.decode(members["functions"]), strict=True):
            tools.append(decode_function(function, own, ""))
    return (*tools, *decode_search(members))


def _decode_reasoning(wire: RequestBody, members: Fields) -> Reasoning:
    value = present(members.get("reasoning"))
    if wire.reasoning_effort is not None or value is None:
        return Reasoning(effort=wire.reasoning_effort)
    try:
        found = msgspec.json.decode(value, type=_Reasoning)
    except msgspec.ValidationError:
        return Reasoning()
    show = None if found.exclude is None else not found.exclude
    return Reasoning(effort=found.effort, budget_tokens=found.max_tokens, show=show, member="reasoning")


def _decode_output(form: ResponseFormat | None, members: Fields, extras: Extras) -> Output:
    """A form that the hub does not know stays an extra."""
    if form is None or form.type == "text":
        return Plain()
    own = fields(members["response_format"])
    if form.type == "json_object":
        return JsonObject()
    if form.type == "json_schema" and form.json_schema is not None:
        schema = form.json_schema
        remains = rest(fields(own["json_schema"]), _SCHEMA)
        if not remains and own.keys() <= {"type", "json_schema"}:
            return JsonSchema(
                name=schema.name,
                schema=present(schema.schema),
                description=schema.description or "",
                strict=schema.strict,
            )
    extras["response_format"] = members["response_format"]
    return Plain()


def _decode_stream(wire: RequestBody, members: Fields) -> Streaming:
    options = present(members.get("stream_options"))
    extras = rest(fields(options), frozenset({"include_usage"})) if options is not None else {}
    wants_usage = wire.stream_options is not None and bool(wire.stream_options.include_usage)
    return Streaming(on=bool(wire.stream), usage=wants_usage, extras=extras)


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """The request for a vendor. The usage of a stream is asked for if `request.stream.usage` says so."""
    scope = Scope(ID, request.dialect, losses)
    request = in_older_words(request, scope)
    members: dict[str, Any] = {"model": request.model, "messages": encode_turns(request.turns, scope)}
    extras = scope.extras("$", request.extras)
    members |= _encode_tools(request, scope)
    members |= _encode_sampling(request.sampling, scope)
    members |= _encode_reasoning(request.reasoning, scope)
    ceiling = request.limits.member or "max_completion_tokens"
    members |= {
        "response_format": _encode_output(request.output),
        "modalities": list(request.modalities) or None,
        ceiling: request.limits.max_output_tokens,
        "n": request.limits.choices,
        "user": request.user or None,
        "safety_identifier": request.safety_id or None,
        "service_tier": request.service_tier or None,
        "prompt_cache_key": request.cache_key or None,
        "verbosity": request.verbosity or None,
        "metadata": request.metadata or None,
    }
    options = dict[str, Any](scope.extras("$.stream_options", request.stream.extras))
    if request.stream.on:
        members["stream"] = True
        if request.stream.usage:
            options["include_usage"] = True
    if options:
        members["stream_options"] = options
    return msgspec.json.encode(merge(lean(members), extras, "reasoning"))


def _encode_tools(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    members: dict[str, Any] = {}
    is_legacy = False
    search, taken = take_search(request, scope)
    for number, tool in enumerate(request.tools):
        if number in taken:
            continue
        encoded = encode_tool(tool, scope, f"$.tools[{number}]")
        if encoded is not None:
            key = "functions" if isinstance(tool, Function) and tool.member == "functions" else "tools"
            is_legacy = is_legacy or key == "functions"
            members.setdefault(key, []).append(encoded)
    if not members and not scope.is_ours:  # OpenAI refuses a choice among no tools
        if request.tool_choice not in (None, Auto(), NoTool()):
            scope.lose("$.tool_choice", "there is no tool left to call")
        return search
    members |= search
    if request.tool_choice is not None:
        is_legacy = is_legacy and "tools" not in members
        key = "function_call" if is_legacy else "tool_choice"
        members[key] = encode_choice(request.tool_choice, request.tools, scope, is_legacy=is_legacy)
    members["parallel_tool_calls"] = request.parallel_tools
    return members


def _encode_sampling(sampling: Sampling, scope: Scope) -> dict[str, Any]:
    members = msgspec.structs.asdict(sampling)
    members["stop"] = list(sampling.stop) or None
    if len(sampling.stop) > MOST_STOPS and not scope.is_ours:
        scope.lose("$.stop", f"{MOST_STOPS} are told; at the others {UNTOLD}", "approximated")
        members["stop"] = list(sampling.stop[:MOST_STOPS])
    if sampling.top_k is not None and not scope.is_ours:
        scope.lose("$.top_k", "OpenAI refuses it")
        members["top_k"] = None
    return members


def _encode_reasoning(reasoning: Reasoning, scope: Scope) -> dict[str, Any]:
    if reasoning.member == "reasoning":
        exclude = None if reasoning.show is None else not reasoning.show
        return {
            "reasoning": lean({"effort": reasoning.effort, "max_tokens": reasoning.budget_tokens, "exclude": exclude})
        }
    if reasoning.budget_tokens is not None and reasoning.effort is None:
        scope.lose("$.reasoning.budget_tokens", "told as an effort", "approximated")
        return {"reasoning_effort": _effort(reasoning.budget_tokens)}
    return {"reasoning_effort": reasoning.effort}


def _effort(budget_tokens: int) -> str:
    """The budgets at which vendors that take both draw the lines."""
    if budget_tokens <= 0:
        return "none"
    return "low" if budget_tokens <= 2048 else "medium" if budget_tokens <= 8192 else "high"


def _encode_output(output: Output) -> dict[str, Any] | None:
    match output:
        case Plain():
            return None
        case JsonObject():
            return {"type": "json_object"}
        case JsonSchema():
            about = {
                "name": output.name,
                "description": output.description or None,
                "schema": output.schema,
                "strict": output.strict,
            }
            return {"type": "json_schema", "json_schema": lean(about)}
        case _:
            assert_never(output)
