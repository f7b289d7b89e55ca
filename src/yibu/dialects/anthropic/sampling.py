"""How a model of this format picks its words, where it lets itself be told.

Thinking with a budget wants a temperature of 1, no `top_k` and a `top_p` of at least 0.95; Claude 4.1 and 4.5 take a
temperature or a `top_p`, not both; newer ones neither. Source: Anthropic, *Messages* and *Extended thinking*, read 2026-11-22.
"""

from typing import Any

from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.abilities import Abilities
from yibu.dialects.anthropic.thinking import Plan
from yibu.hub.options import Sampling
from yibu.hub.stops import UNTOLD

_LEAST_TOP_P = 0.95


def encode_sampling(sampling: Sampling, plan: Plan, able: Abilities, scope: Scope) -> dict[str, Any]:
    """The members for a request of another format; values that say the default are no loss."""
    for name in ("presence_penalty", "frequency_penalty", "seed", "logit_bias"):
        if getattr(sampling, name):
            scope.lose(f"$.{name}", "there is no such option here")
    temperature, top_p, top_k = sampling.temperature, sampling.top_p, sampling.top_k
    if not able.has_sampling or plan.has_budget:
        why = "a thinking model samples as it does" if able.has_sampling else "this model samples as it does"
        if temperature not in (None, 1.0):
            scope.lose("$.temperature", why)
        if top_k is not None:
            scope.lose("$.top_k", why)
        if top_p is not None and (top_p < _LEAST_TOP_P or not able.has_sampling):
            if top_p != 1.0:
                scope.lose("$.top_p", why)
            top_p = None
        temperature = top_k = None
    if temperature is not None and temperature > 1:
        scope.lose("$.temperature", "the highest is 1 here", "approximated")
        temperature = 1.0
    if temperature is not None and top_p is not None and not able.takes_both:
        if top_p != 1.0:
            scope.lose("$.top_p", "not together with a temperature")
        top_p = None
    stops = [stop for stop in sampling.stop if stop.strip()]
    if len(stops) < len(sampling.stop):
        scope.lose("$.stop", f"blank ones are refused there: {UNTOLD}", "approximated")
    return {"temperature": temperature, "top_p": top_p, "top_k": top_k, "stop_sequences": stops or None}
