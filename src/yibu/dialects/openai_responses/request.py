"""A whole request, both ways.

Normalised on the way: null is no member; an `input` that is a string is the one message of a user that it stands for;
`stream: false`, `text.format: {"type": "text"}` and `truncation: "disabled"`, which say the default, are left out.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, check_depth, check_values, fields, lean, merge, present, read, rest, split
from yibu.dialects._scope import Scope
from yibu.dialects.dialect import Bounds
from yibu.dialects.openai_responses.response import fit_tier
from yibu.dialects.openai_responses.tools import decode_choice, decode_tool, encode_choice, encode_tool
from yibu.dialects.openai_responses.turns import INSTRUCTIONS, decode_turns, encode_turns
from yibu.dialects.openai_responses.wire import ID, Form, RequestBody, Thought
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest, WouldLose
from yibu.hub.loss import Losses
from yibu.hub.options import JsonObject, JsonSchema, Limits, Output, Plain, Reasoning, Sampling, Streaming
from yibu.hub.parts import Extras, Text
from yibu.hub.stops import UNTOLD

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"

_BODY = msgspec.json.Decoder(RequestBody)
_EXTRA = frozenset({"include", "previous_response_id", "conversation", "prompt", "background", "store", "tool_choice"})
_KNOWN = frozenset(RequestBody.__struct_fields__) - _EXTRA
_FORM = frozenset({"type", "name", "schema", "description", "strict"})
_STATE = ("previous_response_id", "conversation", "prompt")

_LEAST_TOKENS = 16
"""Of `max_output_tokens`. Source: OpenAI's error answer to less, read 2026-11-22."""


def decode_request(body: bytes, bounds: Bounds) -> ChatRequest:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    check_values(body)
    wire = read(_BODY, body)
    members = fields(body)
    state = [name for name in _STATE if present(members.get(name)) is not None]
    if wire.input is None and not state:
        raise InvalidRequest("Object missing required field `input` - at `$`.", param="$.input")
    items = wire.input if isinstance(wire.input, list) else []
    if len(items) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} items.", param="$.input")
    if len(wire.tools or ()) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    turns, bound = decode_turns(items)
    if isinstance(wire.input, str):
        turns = (Turn(role="user", parts=(Text(text=wire.input),)),)
    if wire.instructions is not None:
        turns = (Turn(role="system", parts=(Text(text=wire.instructions),), member=INSTRUCTIONS), *turns)
    extras = rest(members, _KNOWN)
    if bytes(extras.get("truncation", b"")) == b'"disabled"':
        del extras["truncation"]
    choice = decode_choice(wire.tool_choice)
    if choice is not None:
        del extras["tool_choice"]
    return ChatRequest(
        model=wire.model,
        turns=turns,
        tools=tuple(decode_tool(own, f"$.tools[{number}]") for number, own in enumerate(wire.tools or ())),
        tool_choice=choice,
        parallel_tools=wire.parallel_tool_calls,
        sampling=_decode_sampling(wire),
        reasoning=_decode_reasoning(wire.reasoning, members, extras),
        output=_decode_text(wire.text.format if wire.text else None, members, extras),
        limits=Limits(max_output_tokens=wire.max_output_tokens),
        stream=_decode_stream(wire, members),
        user=wire.user or "",
        metadata=wire.metadata or {},
        service_tier=wire.service_tier or "",
        cache_key=wire.prompt_cache_key or "",
        verbosity=(wire.text.verbosity if wire.text else None) or "",
        safety_id=wire.safety_identifier or "",
        dialect=ID,
        bound=(*(f"$.{name}" for name in state), *bound),
        extras=extras,
    )


def _decode_sampling(wire: RequestBody) -> Sampling:
    wants_logprobs = LOGPROBS in (wire.include or ())
    return Sampling(
        temperature=wire.temperature,
        top_p=wire.top_p,
        logprobs=True if wants_logprobs else None,
        top_logprobs=wire.top_logprobs,
    )


def _decode_reasoning(wire: Thought | None, members: Fields, extras: Extras) -> Reasoning:
    """`member` keeps the caller's word for how much of the thoughts he wants to read, when it is not `auto`."""
    if wire is None:
        return Reasoning()
    remains = rest(fields(members["reasoning"]), frozenset({"effort", "summary"}))
    extras.update(split({}, "reasoning", remains))
    word = wire.summary or ""
    return Reasoning(effort=wire.effort, show=True if word else None, member="" if word == "auto" else word)


def _decode_text(form: Form | None, members: Fields, extras: Extras) -> Output:
    """A form that the hub does not know stays an extra."""
    if present(members.get("text")) is None:
        return Plain()
    remains = rest(fields(members["text"]), frozenset({"format", "verbosity"}))
    found: Output = Plain()
    if form is not None and form.type != "text":
        own = fields(fields(members["text"])["format"])
        if form.type == "json_object":
            found = JsonObject()
        elif form.type == "json_schema" and form.name is not None and not rest(own, _FORM):
            found = JsonSchema(
                name=form.name,
                schema=present(form.schema),
                description=form.description or "",
                strict=form.strict,
            )
        else:
            remains = rest(fields(members["text"]), frozenset({"verbosity"}))
    extras.update(split({}, "text", remains))
    return found


def _decode_stream(wire: RequestBody, members: Fields) -> Streaming:
    options = rest(wire.stream_options or {}, frozenset())
    return Streaming(on=bool(wire.stream), usage=bool(wire.stream), extras=options)


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """The request for a vendor. Raises `InvalidRequest` for what no answer of this format could be."""
    scope = Scope(ID, request.dialect, losses)
    _check(request)
    instructions, turns = _instructions(request.turns, scope)
    members: dict[str, Any] = {
        "model": request.model,
        "input": encode_turns(turns, scope),
        "instructions": instructions,
    }
    tools = [encode_tool(tool, scope, f"$.tools[{number}]") for number, tool in enumerate(request.tools)]
    kept = [tool for tool in tools if tool is not None]
    if "image" in request.modalities and not scope.is_ours:
        scope.lose("$.modalities", "pictures are made by a tool of the vendor's", "approximated")
        kept.append({"type": "image_generation"})
    last = request.turns[-1] if request.turns else None
    if last and last.role == "assistant" and any(isinstance(part, Text) for part in last.parts) and not scope.is_ours:
        scope.lose(f"$.turns[{len(request.turns) - 1}]", "the model answers anew instead of going on", "approximated")
    if kept:
        members["tools"] = kept
    if request.tool_choice is not None and (kept or scope.is_ours):
        members["tool_choice"] = encode_choice(request.tool_choice, request.tools, scope)
    members |= _encode_sampling(request.sampling, scope)
    members |= {
        "parallel_tool_calls": request.parallel_tools,
        "reasoning": _encode_reasoning(request.reasoning, scope),
        "text": _encode_text(request, scope),
        "max_output_tokens": _ceiling(request.limits.max_output_tokens, scope),
        "user": request.user or None,
        "metadata": request.metadata or None,
        "service_tier": fit_tier(request.service_tier) if not scope.is_ours else request.service_tier or None,
        "prompt_cache_key": request.cache_key or None,
        "safety_identifier": request.safety_id or None,
    }
    if request.stream.on:
        members["stream"] = True
    options = scope.extras("$.stream_options", request.stream.extras)
    if options:
        members["stream_options"] = options
    extras = scope.extras("$", request.extras)
    if not scope.is_ours:
        members |= _keep_nothing(request)
    if "text" in extras and members["text"] is None:
        members["text"] = {}
    if "reasoning" in extras and members["reasoning"] is None:
        members["reasoning"] = {}
    merge(members, {key: extras[key] for key in extras.keys() & {"reasoning"}}, "reasoning")
    merge(members, {key: value for key, value in extras.items() if key != "reasoning"}, "text")
    return msgspec.json.encode(lean(members))


def _ceiling(tokens: int | None, scope: Scope) -> int | None:
    if tokens is None or tokens >= _LEAST_TOKENS or scope.is_ours:
        return tokens
    scope.lose("$.max_tokens", f"{_LEAST_TOKENS} is the least that this format takes", "approximated")
    return _LEAST_TOKENS


def _check(request: ChatRequest) -> None:
    if (request.limits.choices or 1) > 1:
        raise WouldLose("The vendor of this model gives one answer a call: leave `n` out.", param="$.n")
    if "audio" in request.modalities:
        raise WouldLose("The vendor of this model does not answer with sound.", param="$.modalities")


def _instructions(turns: tuple[Turn, ...], scope: Scope) -> tuple[str | None, tuple[Turn, ...]]:
    """The text for `instructions`: of another dialect the system text at the head, if it is nothing but text."""
    first = turns[0] if turns else None
    if not scope.is_ours and all(turn.role == "system" for turn in turns):
        return None, turns  # OpenAI wants some input
    if first is None or (scope.is_ours and first.member != INSTRUCTIONS) or first.role != "system" or first.name:
        return None, turns
    texts = [part.text for part in first.parts if isinstance(part, Text)]
    if len(texts) != len(first.parts) or not any(texts):
        return ("" if scope.is_ours else None), turns[1:] if scope.is_ours or not first.parts else turns
    for number, part in enumerate(first.parts):
        if isinstance(part, Text):
            scope.extras(f"$.turns[0].content[{number}]", part.extras)
    scope.extras("$.turns[0]", first.extras)
    return "\n\n".join(text for text in texts if text), turns[1:]


def _encode_sampling(sampling: Sampling, scope: Scope) -> dict[str, Any]:
    for name in ("top_k", "presence_penalty", "frequency_penalty", "seed", "logit_bias"):
        if getattr(sampling, name) is not None:
            scope.lose(f"$.{name}", "this format has no such member")
    if sampling.stop:
        scope.lose("$.stop", f"this format has none: {UNTOLD}", "approximated")
    return {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_logprobs": sampling.top_logprobs}


def _encode_reasoning(reasoning: Reasoning, scope: Scope) -> dict[str, Any] | None:
    """Thoughts are shown only when asked for: callers of other dialects who let the model think want to see them."""
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None:
        scope.lose("$.reasoning.budget_tokens", "told as an effort", "approximated")
        effort = _effort(reasoning.budget_tokens)
    word = (reasoning.member if scope.is_ours else "") or "auto"
    thinks = effort not in (None, "none") and not scope.is_ours
    shows = reasoning.show or (reasoning.show is None and thinks)
    return lean({"effort": effort, "summary": word if shows else None}) or None


def _effort(budget_tokens: int) -> str:
    """The budgets at which vendors that take both draw the lines."""
    if budget_tokens <= 0:
        return "none"
    return "low" if budget_tokens < 2048 else "medium" if budget_tokens < 12000 else "high"


def _encode_text(request: ChatRequest, scope: Scope) -> dict[str, Any] | None:
    return lean({"format": _encode_form(request.output, scope), "verbosity": request.verbosity or None}) or None


def _encode_form(output: Output, scope: Scope) -> dict[str, Any] | None:
    match output:
        case Plain():
            return None
        case JsonObject():
            return {"type": "json_object"}
        case JsonSchema():
            is_strict = output.strict if scope.is_ours else bool(output.strict)
            name = output.name or "answer"
            about = {"name": name, "description": output.description or None, "schema": output.schema}
            return {"type": "json_schema", **lean({**about, "strict": is_strict})}
        case _:
            assert_never(output)


def _keep_nothing(request: ChatRequest) -> dict[str, Any]:
    """Callers of other dialects send the whole conversation each time: the vendor need not keep it, and gives its
    thoughts along in a form that can come back. Models that do not think refuse to be asked for them."""
    include = []
    if request.reasoning.effort not in (None, "none") or request.reasoning.budget_tokens:
        include.append(ENCRYPTED)
    if request.sampling.logprobs:
        include.append(LOGPROBS)
    return {"store": False, "include": include or None}
