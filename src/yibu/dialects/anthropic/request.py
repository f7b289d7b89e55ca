"""A whole request, both ways.

Normalised on the way: null is no member; `stream: false`, `is_error: false` and empty descriptions, which say the default,
are left out. A request of another format is put in order (`conversation`) and fitted to what its model can do
(`abilities`); what cannot be said is a loss, and what would make the answer wrong is refused.
"""

from typing import Any

import msgspec

from yibu.dialects._json import check_depth, check_values, fields, lean, merge, present, raw, read, rest, split, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic import thinking
from yibu.dialects.anthropic.abilities import Abilities, abilities
from yibu.dialects.anthropic.answers import NAME, Form, plan_form
from yibu.dialects.anthropic.calls import alias
from yibu.dialects.anthropic.conversation import Conversation
from yibu.dialects.anthropic.marks import count_marks, drop_marks
from yibu.dialects.anthropic.sampling import encode_sampling
from yibu.dialects.anthropic.thinking import Plan, decode_reasoning, plan_thinking
from yibu.dialects.anthropic.tools import allowed, decode_choice, decode_tool, encode_choice, encode_tool, stand_in
from yibu.dialects.anthropic.tools import encode_native as encode_native_tool
from yibu.dialects.anthropic.turns import bound_of, decode_turns, encode_native
from yibu.dialects.anthropic.wire import ID, RequestBody, read_at
from yibu.dialects.dialect import Bounds
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidRequest, WouldLose
from yibu.hub.loss import Losses
from yibu.hub.options import JsonSchema, Limits, Output, Plain, Sampling, Streaming
from yibu.hub.parts import Extras, ToolCall
from yibu.hub.tools import AnyTool, Auto, NoTool, Only, ToolChoice

MOST_MARKS = 4
"""Anthropic refuses more cache marks in one request."""
FALLBACK_CEILING = 8192
"""`max_tokens` of a model of which nothing is known; the carrier gives the catalogue's figure."""
_TIERS = {"standard_only": "default"}

_BODY = msgspec.json.Decoder(RequestBody)
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_KNOWN = frozenset(RequestBody.__struct_fields__)


class _Format(msgspec.Struct):
    type: str
    schema: msgspec.Raw = msgspec.Raw(b"null")


class _Config(msgspec.Struct):
    format: _Format | None = None


_CONFIG = msgspec.json.Decoder(_Config)


def decode_request(body: bytes, bounds: Bounds) -> ChatRequest:
    """Raises `InvalidRequest` with the path of the wrong member. Also for a body whose tokens are only to be counted."""
    check_depth(body, bounds.depth)
    check_values(body)
    wire = read(_BODY, body)
    members = fields(body)
    if len(wire.messages) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} messages.", param="$.messages")
    if len(wire.tools or ()) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    turns = decode_turns(wire.system, wire.messages, read(_OBJECTS, members["messages"]))
    choice, parallel, more = decode_choice(wire.tool_choice)
    reasoning, more_thinking = decode_reasoning(members)
    extras = rest(members, _KNOWN)
    extras = split(split(extras, "tool_choice", more), "thinking", more_thinking)
    output = _decode_output(wire.output_config, extras, keeps_effort=reasoning.member == "disabled")
    tier = wire.service_tier if isinstance(wire.service_tier, str) else ""
    return ChatRequest(
        model=wire.model,
        turns=turns,
        tools=tuple(decode_tool(tool, f"$.tools[{number}]") for number, tool in enumerate(wire.tools or ())),
        tool_choice=choice,
        parallel_tools=parallel,
        sampling=Sampling(
            temperature=wire.temperature,
            top_p=wire.top_p,
            top_k=wire.top_k,
            stop=tuple(wire.stop_sequences or ()),
        ),
        reasoning=reasoning,
        output=output,
        limits=Limits(max_output_tokens=wire.max_tokens),
        stream=Streaming(on=bool(wire.stream), usage=bool(wire.stream)),
        user=_decode_user(wire.metadata, extras),
        service_tier=_TIERS.get(tier, tier),
        dialect=ID,
        bound=bound_of(turns),
        extras=extras,
    )


def _decode_output(config: msgspec.Raw, extras: Extras, *, keeps_effort: bool) -> Output:
    """What remains of `output_config` is put into `extras`."""
    if present(config) is None:
        return Plain()
    own = fields(config)
    form = read_at(_CONFIG, config, "$.output_config").format
    known = {"format"} if keeps_effort else {"format", "effort"}
    output: Output = Plain()
    if form is not None:
        remains = rest(fields(own["format"]), frozenset({"type", "schema"}))
        if form.type == "json_schema" and not remains:
            output = JsonSchema(name=NAME, schema=present(form.schema))
        else:
            known.discard("format")
    if remains := rest(own, frozenset(known)):
        extras["output_config"] = raw(remains)
    return output


def _decode_user(metadata: msgspec.Raw, extras: Extras) -> str:
    if present(metadata) is None:
        return ""
    own = read_at(_OBJECT, metadata, "$.metadata")
    user = text_of(own.get("user_id"))
    if remains := rest(own, frozenset({"user_id"} if user is not None else ())):
        extras["metadata"] = raw(remains)
    return user or ""


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """The request for a vendor. Raises `InvalidRequest` for what no model of this format can do."""
    scope = Scope(ID, request.dialect, losses)
    return msgspec.json.encode(_native(request, scope) if scope.is_ours else _foreign(request, scope))


def _native(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    system, messages = encode_native(request.turns, scope)
    about, effort = thinking.encode_native(request.reasoning)
    form = None
    if isinstance(request.output, JsonSchema):
        form = lean({"type": "json_schema", "schema": request.output.schema})
    config = lean({"effort": effort, "format": form})
    extras = dict(request.extras)
    members: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.limits.max_output_tokens,
        "system": system,
        "messages": messages,
        "tools": [encode_native_tool(tool, scope, f"$.tools[{n}]") for n, tool in enumerate(request.tools)] or None,
        "tool_choice": encode_choice(request.tool_choice, request.parallel_tools),
        "thinking": about,
        "output_config": config or None,
        "metadata": {"user_id": request.user} if request.user else None,
        "stop_sequences": list(request.sampling.stop) or None,
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "top_k": request.sampling.top_k,
        "service_tier": _encode_tier(request.service_tier),
        "stream": request.stream.on or None,
    }
    members = lean(members)
    for inner in ("thinking", "tool_choice", "output_config", "metadata"):
        members = merge(members, {inner: extras.pop(inner)} if inner in extras else {}, inner)
    return merge(members, extras)


def _foreign(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    able = abilities(request.model)
    _refuse(request)
    scope.extras("$", request.extras)
    ceiling = request.limits.max_output_tokens
    if ceiling is None:
        ceiling = able.most_output or FALLBACK_CEILING
    plan = plan_thinking(request.reasoning, able, ceiling, scope)
    talk = Conversation(request.turns, scope, able, may_prefill=not plan.has_budget)
    if plan.has_budget and talk.is_unsigned_loop:
        scope.lose("$.reasoning", "the thoughts before this call are gone: no thinking in this turn", "approximated")
        plan = Plan(ceiling=ceiling, thinking={"type": "disabled"})
    choice = _choice(request.tool_choice, plan, able, scope)
    form = plan_form(request, able, scope, may_force=able.can_be_forced and not plan.has_budget)
    tools, written = _tools(request, able, choice, form, scope)
    config = lean({"effort": plan.effort, "format": form.format})
    members: dict[str, Any] = {
        "model": request.model,
        "max_tokens": plan.ceiling,
        "system": _with_sentence(talk.system, form.sentence),
        "messages": talk.messages,
        "tools": tools or None,
        "tool_choice": written,
        "thinking": plan.thinking,
        "output_config": config or None,
        "metadata": {"user_id": request.user or request.safety_id} if request.user or request.safety_id else None,
        **encode_sampling(request.sampling, plan, able, scope),
        "service_tier": _encode_tier(request.service_tier, is_foreign=True),
        "stream": request.stream.on or None,
    }
    for name in ("verbosity", "metadata"):
        if getattr(request, name):
            scope.lose(f"$.{name}", "there is no place for it here")
    members = lean(members)
    if count_marks(members) > MOST_MARKS:
        scope.lose("$.cache_control", f"only the first {MOST_MARKS} cache marks are kept")
        drop_marks(members, MOST_MARKS)
    return members


def _refuse(request: ChatRequest) -> None:
    """What would make the answer another one than was asked for."""
    if (request.limits.choices or 1) > 1:
        raise WouldLose("This model gives one answer at a time: ask for `n` of 1.", param="$.n")
    if request.sampling.logprobs or request.sampling.top_logprobs:
        raise WouldLose("This model does not tell logprobs: leave them out.", param="$.logprobs")
    others = [modality for modality in request.modalities if modality != "text"]
    if others:
        raise WouldLose(f"This model answers in text, not as {others[0]}.", param="$.modalities")


def _choice(choice: ToolChoice | None, plan: Plan, able: Abilities, scope: Scope) -> ToolChoice | None:
    is_forced = isinstance(choice, AnyTool) or (isinstance(choice, Only) and choice.required)
    if not is_forced or (able.can_be_forced and not plan.has_budget):
        return choice
    why = "while it thinks" if able.can_be_forced else "at all"
    scope.lose("$.tool_choice", f"this model cannot be made to call a tool {why}: it may", "approximated")
    if isinstance(choice, Only):
        return Only(names=choice.names, required=False, is_list=True)
    return Auto()


def _tools(
    request: ChatRequest, able: Abilities, choice: ToolChoice | None, form: Form, scope: Scope
) -> tuple[list[Any], dict[str, Any] | None]:
    """The tools and the choice among them."""
    kept = allowed(request.tools, choice)
    if len(kept) < len(request.tools):
        scope.lose("$.tool_choice", "only the allowed tools are told", "approximated")
    encoded = [encode_tool(tool, scope, able, f"$.tools[{number}]") for number, tool in enumerate(kept)]
    tools = [tool for tool in encoded if tool is not None]
    if form.tool is not None:
        wants_none = isinstance(choice, NoTool) or not tools
        only: dict[str, Any] = {"type": "tool", "name": form.tool["name"]} if wants_none else {"type": "any"}
        return [*tools, form.tool], {**only, "disable_parallel_tool_use": True} if wants_none else only
    if tools:
        return tools, encode_choice(choice, request.parallel_tools)
    called = dict.fromkeys(
        alias(part.name) for turn in request.turns for part in turn.parts if isinstance(part, ToolCall)
    )
    if called:
        scope.lose("$.tools", "messages with calls need their tools: they are told by name", "approximated")
        return [stand_in(name) for name in called], {"type": "none"}
    return [], None


def _with_sentence(system: Any, sentence: str) -> Any:
    if not sentence:
        return system
    if isinstance(system, list):
        return [*system, {"type": "text", "text": sentence}]
    return f"{system}\n\n{sentence}" if system else sentence


def _encode_tier(tier: str, *, is_foreign: bool = False) -> str | None:
    """There are two: with and without what the operator has set aside."""
    if not tier:
        return None
    if tier in ("default", "standard"):
        return "standard_only"
    return "auto" if is_foreign else tier
