"""A whole request, towards Cohere."""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import lean
from yibu.dialects._scope import Scope
from yibu.dialects.cohere_chat.masks import MOST_STOPS, is_told
from yibu.dialects.cohere_chat.tools import encode_tools
from yibu.dialects.cohere_chat.turns import Conversation
from yibu.dialects.cohere_chat.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.options import JsonObject, JsonSchema, Plain
from yibu.hub.parts import Text
from yibu.hub.stops import UNTOLD

_BOUNDS: dict[str, tuple[str, float, float]] = {
    "temperature": ("temperature", 0, 1),
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0, 1),
    "presence_penalty": ("presence_penalty", 0, 1),
    "seed": ("seed", 0, 2**64 - 1),
}
"""The hub's word, and Cohere's with its least and its most."""
_THINKERS = ("reasoning", "command-a-plus")
"""In the names of models that think; others refuse to be asked."""
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192}
"""Tokens of thought; from `high` on the model takes as many as it likes. The table is ours, the same as towards Anthropic."""
_JSON = "Answer with one JSON object and nothing else: no words around it and no code fence."
_SCHEMA = "It satisfies this JSON schema:"


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """Raises `InvalidRequest` for what would make a wrong answer."""
    scope = Scope(ID, request.dialect, losses)
    scope.extras("$", request.extras)
    scope.extras("$.stream_options", request.stream.extras)
    if (request.limits.choices or 1) > 1:
        raise InvalidRequest("This model gives one choice a call. Leave `n` out, and call several times.", param="$.n")
    if any(modality != "text" for modality in request.modalities):
        raise InvalidRequest("This model answers with text only.", param="$.modalities")
    talk = Conversation(request.turns, scope)
    form = _form(request, talk, scope)
    members: dict[str, Any] = {
        "model": request.model,
        "messages": talk.messages,
        "stream": request.stream.on,
        "documents": talk.documents or None,
        "max_tokens": request.limits.max_output_tokens,
        **_sampling(request, scope),
        **encode_tools(request, scope),
        "response_format": form,
        "thinking": _thinking(request, scope),
    }
    if request.user or request.safety_id:
        scope.lose("$.user", "Cohere is not told whom the caller asks for")
    if request.service_tier not in ("", "auto", "default"):
        scope.lose("$.service_tier", "Cohere has no such tier")
    for name in ("metadata", "cache_key", "verbosity"):
        if getattr(request, name):
            scope.lose(f"$.{name}")
    return msgspec.json.encode(lean(members))


def _sampling(request: ChatRequest, scope: Scope) -> dict[str, Any]:
    sampling = request.sampling
    members: dict[str, Any] = {}
    for name, (word, least, most) in _BOUNDS.items():
        said = getattr(sampling, name)
        if said is None:
            continue
        members[word] = min(max(said, least), most)
        if members[word] != said:
            scope.lose(f"$.{name}", f"{members[word]:g}, the vendor's bound", "approximated")
    if sampling.logit_bias:
        scope.lose("$.logit_bias", "Cohere does not know it")
    if sampling.top_logprobs:
        scope.lose("$.top_logprobs", "Cohere tells of the chosen tokens only")
    stops = [stop for stop in sampling.stop if stop]
    if len(stops) > MOST_STOPS:
        scope.lose("$.stop", f"{MOST_STOPS} are told; at the others {UNTOLD}", "approximated")
        stops = stops[:MOST_STOPS]
    return {**members, "logprobs": sampling.logprobs or None, "stop_sequences": stops or None}


def _form(request: ChatRequest, talk: Conversation, scope: Scope) -> dict[str, Any] | None:
    """With tools or documents, Cohere takes no form of the answer: it is told in words. Without any word of JSON in the
    conversation it may write blanks for ever."""
    output = request.output
    match output:
        case Plain():
            return None
        case JsonObject():
            schema = None
        case JsonSchema():
            schema = output.schema
        case _:
            assert_never(output)
    if is_told(request) or talk.documents:
        scope.lose("$.response_format", "asked for in words", "approximated")
        talk.instruct(f"{_JSON} {_SCHEMA}\n{bytes(schema).decode()}" if schema is not None else _JSON)
        return None
    if not _speaks_of_json(request):
        talk.instruct(_JSON)
    return lean({"type": "json_object", "json_schema": schema})


def _speaks_of_json(request: ChatRequest) -> bool:
    return any(
        isinstance(part, Text) and "json" in part.text.lower()
        for turn in request.turns
        if turn.role != "assistant"
        for part in turn.parts
    )


def _thinking(request: ChatRequest, scope: Scope) -> dict[str, Any] | None:
    effort, budget = request.reasoning.effort, request.reasoning.budget_tokens
    if effort is None and budget is None:
        return None
    is_off = effort == "none" or budget == 0
    if not any(word in request.model for word in _THINKERS):
        if not is_off:
            scope.lose("$.reasoning_effort", "this model does not think")
        return None
    if is_off:
        return {"type": "disabled"}
    if budget is None and effort is not None:
        budget = _BUDGETS.get(effort)
        if effort not in ("high", "max"):
            told = f"told as {budget} tokens" if budget else "told as thinking without a budget"
            scope.lose("$.reasoning_effort", told, "approximated")
    return lean({"type": "enabled", "token_budget": budget if budget and budget > 0 else None})
