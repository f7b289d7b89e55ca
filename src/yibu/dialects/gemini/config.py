"""`generationConfig`, both ways: sampling, thinking, the form of the output. What the hub has no word for is kept under its path,
such as `generationConfig.speechConfig`.

Source: google-genai 3.4.0, and Google, *Gemini thinking* and *Structured output*, read 2026-11-22.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import lean, raw
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.models import Traits
from yibu.dialects.gemini.names import MOST_STOPS
from yibu.dialects.gemini.schema import for_json_schema, from_openapi, to_openapi, to_own_openapi
from yibu.dialects.gemini.wire import Members, enum
from yibu.hub.chat import ChatRequest
from yibu.hub.options import JsonObject, JsonSchema, Limits, Modality, Output, Plain, Reasoning, Sampling
from yibu.hub.parts import Extras, Text
from yibu.hub.stops import UNTOLD
from yibu.hub.tools import Function

PATH = "generationConfig"
_THINKING = f"{PATH}.thinkingConfig"
_JSON = "application/json"
_NAME = "response"
"""What a schema is called in formats that want a name for it."""
_MODALITIES: dict[str, Modality] = {"TEXT": "text", "AUDIO": "audio", "IMAGE": "image"}
_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")


class Config(msgspec.Struct, frozen=True):
    """What stood in it."""

    sampling: Sampling = Sampling()
    reasoning: Reasoning = Reasoning()
    output: Output = Plain()
    modalities: tuple[Modality, ...] = ()
    limits: Limits = Limits()
    extras: Extras = {}


def decode_config(body: Members) -> Config:
    """Raises `InvalidRequest`."""
    config = body.inner(PATH)
    if config is None:
        return Config()
    sampling = Sampling(
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.whole("topK"),
        presence_penalty=config.number("presencePenalty"),
        frequency_penalty=config.number("frequencyPenalty"),
        seed=config.whole("seed"),
        stop=tuple(config.strings("stopSequences") or ()),
        logprobs=config.flag("responseLogprobs"),
        top_logprobs=config.whole("logprobs"),
    )
    limits = Limits(
        max_output_tokens=config.whole("maxOutputTokens", 1, 2**53), choices=config.whole("candidateCount", 1, 128)
    )
    extras: Extras = {}
    reasoning = _decode_thinking(config, extras)
    output = _decode_output(config)
    modalities = _decode_modalities(config)
    extras |= {f"{PATH}.{key}": value for key, value in config.left.items()}
    return Config(sampling, reasoning, output, modalities, limits, extras)


def _decode_thinking(config: Members, extras: Extras) -> Reasoning:
    """A budget of -1 leaves it to the model, as no budget does."""
    thinking = config.inner("thinkingConfig")
    if thinking is None:
        return Reasoning()
    budget = thinking.whole("thinkingBudget")
    if budget is not None and budget < 0:
        thinking.put("thinkingBudget", raw(budget))
        budget = None
    level = enum(thinking.text("thinkingLevel"))
    if level and level not in _LEVELS:
        thinking.put("thinkingLevel", raw(level))
    effort = level.lower() if level in _LEVELS else None
    show = thinking.flag("includeThoughts")
    extras |= {f"{_THINKING}.{key}": value for key, value in thinking.left.items()}
    return Reasoning(effort=effort, budget_tokens=budget, show=show)


def _decode_output(config: Members) -> Output:
    """A form that the hub does not know (`text/x.enum`) stays an extra, and its schema with it."""
    mime = config.text("responseMimeType")
    if mime is None or mime == "text/plain":
        return Plain()
    if mime != _JSON:
        config.put("responseMimeType", raw(mime))
        return Plain()
    schema = config.take("responseJsonSchema")
    if schema is not None:
        return JsonSchema(name=_NAME, schema=schema)
    older = config.take("responseSchema")
    if older is not None:
        Members(older, f"{config.path}.responseSchema")
        return JsonSchema(name=_NAME, schema=from_openapi(older), member="responseSchema")
    return JsonObject()


def _decode_modalities(config: Members) -> tuple[Modality, ...]:
    names = [enum(name) for name in config.strings("responseModalities") or ()]
    if all(name in _MODALITIES for name in names):
        return tuple(_MODALITIES[name] for name in names)
    config.put("responseModalities", raw(names))
    return ()


def encode_config(request: ChatRequest, traits: Traits, scope: Scope) -> dict[str, Any]:
    """Without the extras."""
    sampling = request.sampling
    stops = list(sampling.stop)
    if len(stops) > MOST_STOPS and not scope.is_ours:
        scope.lose("$.stop", f"{MOST_STOPS} are told; at the others {UNTOLD}", "approximated")
        stops = stops[:MOST_STOPS]
    if sampling.logit_bias:
        scope.lose("$.logit_bias", "this format has no place for it")
    members: dict[str, Any] = {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "candidateCount": request.limits.choices,
        "maxOutputTokens": request.limits.max_output_tokens,
        "stopSequences": stops or None,
        "seed": sampling.seed,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
        "responseLogprobs": sampling.logprobs,
        "logprobs": sampling.top_logprobs,
        "responseModalities": [modality.upper() for modality in request.modalities] or None,
        "thinkingConfig": _encode_thinking(request, traits, scope) or None,
    }
    if scope.is_ours or not _is_told_instead(request, traits):
        members |= _encode_output(request.output, traits, scope)
    return lean(members)


def _encode_thinking(request: ChatRequest, traits: Traits, scope: Scope) -> dict[str, Any]:
    wish = request.reasoning
    if scope.is_ours:
        return lean(
            {
                "includeThoughts": wish.show,
                "thinkingBudget": wish.budget_tokens,
                "thinkingLevel": wish.effort.upper() if wish.effort else None,
            }
        )
    if wish.effort is None and wish.budget_tokens is None and not wish.show:
        return {}
    if not traits.thinks_by:
        if wish.effort != "none" and wish.budget_tokens != 0:
            scope.lose("$.reasoning", "this model does not think")
        return {}
    rests = wish.effort == "none" or wish.budget_tokens == 0
    members: dict[str, Any] = {}
    if not rests and wish.show is not False:
        members["includeThoughts"] = True
    if traits.thinks_by == "thinkingLevel":
        if wish.effort is None and wish.budget_tokens is None:
            return members
        effort = wish.effort if wish.effort is not None else _effort(wish.budget_tokens or 0)
        if wish.effort is None:
            scope.lose("$.reasoning.budget_tokens", "told as a level", "approximated")
        level = traits.level(effort)
        if rests or effort not in (level, "max"):
            scope.lose("$.reasoning.effort", f"this model's nearest level is {level}", "approximated")
        return {**members, "thinkingLevel": level.upper()}
    if wish.budget_tokens is not None:
        members["thinkingBudget"] = traits.fit(wish.budget_tokens)
    elif wish.effort is not None:
        members["thinkingBudget"] = traits.tokens(wish.effort)
    if rests and members.get("thinkingBudget"):
        scope.lose("$.reasoning.effort", "this model cannot but think", "approximated")
    return members


def _effort(budget_tokens: int) -> str:
    """The budgets at which vendors that take both draw the lines."""
    if budget_tokens <= 0:
        return "none"
    return "low" if budget_tokens <= 1024 else "medium" if budget_tokens <= 8192 else "high"


def _encode_output(output: Output, traits: Traits, scope: Scope) -> dict[str, Any]:
    match output:
        case Plain():
            return {}
        case JsonObject():
            return {"responseMimeType": _JSON}
        case JsonSchema():
            schema = output.schema
            if schema is None:
                return {"responseMimeType": _JSON}
            if scope.is_ours:
                is_older = output.member == "responseSchema"
                key = "responseSchema" if is_older else "responseJsonSchema"
                return {"responseMimeType": _JSON, key: to_own_openapi(schema) if is_older else schema}
            if traits.has_json_schema:
                return {"responseMimeType": _JSON, "responseJsonSchema": for_json_schema(schema)}
            return lean({"responseMimeType": _JSON, "responseSchema": to_openapi(schema)})
        case _:
            assert_never(output)


def _is_told_instead(request: ChatRequest, traits: Traits) -> bool:
    """Models before 3 refuse a form of the output beside functions: there it is asked for in words."""
    has_functions = any(isinstance(tool, Function) for tool in request.tools)
    return has_functions and not traits.mixes_tools and not isinstance(request.output, Plain)


def told_instead(request: ChatRequest, traits: Traits, scope: Scope) -> Text | None:
    """The instruction that stands for a form of the output, None when none is needed."""
    if scope.is_ours or not _is_told_instead(request, traits):
        return None
    scope.lose("$.response_format", "beside functions this model is asked for it in words", "approximated")
    schema = request.output.schema if isinstance(request.output, JsonSchema) else None
    if schema is None:
        return Text(text="Give your final answer as one JSON object and nothing else.")
    words = bytes(schema).decode()
    return Text(text=f"Give your final answer as JSON and nothing else. It has to satisfy this JSON Schema:\n{words}")
