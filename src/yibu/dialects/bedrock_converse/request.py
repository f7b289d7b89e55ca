"""A whole request, towards Amazon. What Converse has no word for goes into `additionalModelRequestFields` where a family of
models has one, or is lost."""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import lean
from yibu.dialects._scope import Scope
from yibu.dialects.bedrock_converse.tools import encode_tools
from yibu.dialects.bedrock_converse.turns import Conversation
from yibu.dialects.bedrock_converse.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.options import JsonObject, JsonSchema, Plain

TIERS = ("default", "priority", "flex", "reserved")
_NEAREST = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_ANY_OBJECT = "Answer with one JSON object and nothing else: no words around it and no code fence."


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """Raises `InvalidRequest` for what would make a wrong answer. The model stands in the address, not here."""
    scope = Scope(ID, request.dialect, losses)
    scope.extras("$", request.extras)
    scope.extras("$.stream_options", request.stream.extras)
    if (request.limits.choices or 1) > 1:
        raise InvalidRequest("This model gives one choice a call. Leave `n` out, and call several times.", param="$.n")
    if any(modality != "text" for modality in request.modalities):
        raise InvalidRequest("This model answers with text only.", param="$.modalities")
    talk = Conversation(request.turns, scope)
    system, form = _form(request, talk.system, scope)
    members: dict[str, Any] = {
        "messages": talk.messages,
        "system": system or None,
        "inferenceConfig": _inference(request, scope) or None,
        "toolConfig": encode_tools(request, scope),
        "outputConfig": form,
        "additionalModelRequestFields": _of_the_family(request, scope) or None,
        "requestMetadata": request.metadata or None,
        "serviceTier": _tier(request, scope),
    }
    if request.user or request.safety_id:
        scope.lose("$.user", "Amazon is not told whom the caller asks for")
    for name in ("cache_key", "verbosity"):
        if getattr(request, name):
            scope.lose(f"$.{name}")
    return msgspec.json.encode(lean(members))


def _inference(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    sampling = request.sampling
    for name in ("presence_penalty", "frequency_penalty", "seed", "logit_bias", "top_logprobs"):
        if getattr(sampling, name):
            scope.lose(f"$.{name}", "Converse does not know it")
    if sampling.logprobs:
        raise InvalidRequest("This model tells no probabilities. Leave `logprobs` out.", param="$.logprobs")
    stops = [stop for stop in sampling.stop if stop.strip()]
    if len(stops) < len(sampling.stop):
        scope.lose("$.stop", "blank ones are refused")
    return lean(
        {
            "maxTokens": request.limits.max_output_tokens,
            "temperature": sampling.temperature,
            "topP": sampling.top_p,
            "stopSequences": stops or None,
        }
    )


def _of_the_family(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    """Members of a maker's own: recorded with Nova, Qwen and Claude."""
    own: dict[str, Any] = {}
    model, top_k, effort = request.model, request.sampling.top_k, request.reasoning.effort
    budget = request.reasoning.budget_tokens
    if effort is None and budget is not None:
        effort = "none" if budget == 0 else "low" if budget <= 2048 else "medium" if budget <= 8192 else "high"
    if top_k is not None:
        if "amazon.nova" in model:
            own["inferenceConfig"] = {"topK": top_k}
        elif "anthropic." in model or "claude" in model:
            own["top_k"] = top_k
        else:
            scope.lose("$.top_k", "Converse does not know it")
    if effort is None:
        return own
    near = _NEAREST.get(effort)
    if "amazon.nova-2" in model:
        on = {"type": "enabled", "maxReasoningEffort": near or "medium"}
        own["reasoningConfig"] = {"type": "disabled"} if effort == "none" else on
    elif "qwen." in model and near:
        own["reasoning_config"] = near
    elif effort != "none":
        scope.lose("$.reasoning_effort", "this model thinks as it likes")
        return own
    if near is not None and near != effort:
        scope.lose("$.reasoning_effort", f"told as `{near}`", "approximated")
    return own


def _form(request: ChatRequest, system: list[dict[str, Any]], scope: Scope) -> tuple[list[dict[str, Any]], Any]:
    match request.output:
        case Plain():
            return system, None
        case JsonObject():
            scope.lose("$.response_format", "asked for in words", "approximated")
            return [*system, {"text": _ANY_OBJECT}], None
        case JsonSchema() as output:
            about = {
                "name": output.name or "output",
                "schema": bytes(output.schema).decode() if output.schema is not None else "{}",
                "description": output.description or None,
            }
            return system, {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": lean(about)}}}
        case _:
            assert_never(request.output)


def _tier(request: ChatRequest, scope: Scope) -> dict[str, str] | None:
    tier = request.service_tier
    if not tier or tier == "auto":
        return None
    if tier in TIERS:
        return {"type": tier}
    scope.lose("$.service_tier", "Amazon has no such tier")
    return None
