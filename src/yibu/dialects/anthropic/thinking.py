"""How much a model is to think: `thinking` and `output_config.effort`, both ways.

Older models take a budget of tokens, which must be smaller than the ceiling of the answer; newer ones decide themselves
and take an effort. Which is which stands in `abilities`; the table of budgets is ours.
"""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, lean, present, rest
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.abilities import Abilities
from yibu.dialects.anthropic.wire import read_at
from yibu.hub.options import Reasoning
from yibu.hub.parts import Extras

KINDS = frozenset({"enabled", "adaptive", "disabled", "between_tools"})
SHOWING = frozenset({"enabled", "adaptive", "between_tools"})
LEAST_BUDGET = 1024
"""Anthropic refuses less; so much room is left for the answer itself, too."""
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_THINKING = frozenset({"type", "budget_tokens"})


class _Wire(msgspec.Struct):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _Config(msgspec.Struct):
    effort: str | None = None


_WIRE = msgspec.json.Decoder(_Wire)
_CONFIG = msgspec.json.Decoder(_Config)


def decode_reasoning(members: Fields) -> tuple[Reasoning, Extras]:
    """The wish, and what remains of `thinking`. A kind that is not known yet remains whole.

    Whoever does not ask for thinking gets no thoughts to read.
    """
    config = present(members.get("output_config"))
    effort = read_at(_CONFIG, config, "$.output_config").effort if config is not None else None
    value = present(members.get("thinking"))
    if value is None:
        return Reasoning(effort=effort, show=False), {}
    wire = read_at(_WIRE, value, "$.thinking")
    own = fields(value)
    if wire.type not in KINDS:
        return Reasoning(effort=effort), own
    if wire.type == "disabled":
        return Reasoning(effort="none", show=False, member="disabled"), rest(own, _THINKING)
    show = wire.display != "omitted"
    budget = wire.budget_tokens if wire.type == "enabled" else None
    return Reasoning(effort=effort, budget_tokens=budget, show=show, member=wire.type), rest(own, _THINKING)


def encode_native(reasoning: Reasoning) -> tuple[dict[str, Any] | None, str | None]:
    """`thinking` and the effort of a request that was written in this format."""
    effort = None if reasoning.member == "disabled" else reasoning.effort
    if reasoning.member not in KINDS:
        return None, effort
    return lean({"type": reasoning.member, "budget_tokens": reasoning.budget_tokens}), effort


class Plan(msgspec.Struct):
    """`thinking` and `effort` as they are written; `ceiling`: the `max_tokens` that they need."""

    ceiling: int
    thinking: dict[str, Any] | None = None
    effort: str | None = None

    @property
    def has_budget(self) -> bool:
        """With a budget, a model takes neither a forced tool nor other sampling than its own."""
        return self.thinking is not None and self.thinking["type"] == "enabled"

    @property
    def is_on(self) -> bool:
        return self.thinking is not None and self.thinking["type"] != "disabled"


def plan_thinking(reasoning: Reasoning, able: Abilities, ceiling: int, scope: Scope) -> Plan:
    """For a request of another format. `ceiling`: what the caller allows for the answer, thinking included."""
    plan = Plan(ceiling=ceiling)
    level, budget = reasoning.effort, reasoning.budget_tokens
    if level is None and budget is None:
        return plan
    if level == "none" or (level is None and budget == 0):
        return _stop(plan, able, scope)
    if able.thinking == "none":
        scope.lose("$.reasoning", "this model does not think")
        return plan
    if able.thinking == "manual" or (able.thinking == "both" and budget is not None and budget > 0):
        return _budgeted(plan, _budget(level, budget), able, scope)
    if level is None:
        level = _level(budget or 0)
        scope.lose("$.reasoning.budget_tokens", f"told as the effort `{level}`", "approximated")
    shows = {"display": "summarized"} if able.thinking == "adaptive" and reasoning.show is not False else {}
    plan.thinking = {"type": "adaptive", **shows}
    plan.effort = _nearest(level, able, scope)
    return plan


def _stop(plan: Plan, able: Abilities, scope: Scope) -> Plan:
    if able.thinking == "none":
        return plan
    if able.can_stop_thinking:
        plan.thinking = {"type": "disabled"}
    else:
        plan.effort = "low"
        scope.lose("$.reasoning", "this model always thinks: it is asked for low effort", "approximated")
    return plan


def _budget(level: str | None, budget: int | None) -> int:
    """A negative budget leaves it to the model, as Gemini has it."""
    if budget is not None and budget > 0:
        return max(budget, LEAST_BUDGET)
    return _BUDGETS.get(level or "medium", _BUDGETS["medium"])


def _budgeted(plan: Plan, budget: int, able: Abilities, scope: Scope) -> Plan:
    """The ceiling is raised rather than the budget cut, up to what the model can write at all."""
    if budget >= plan.ceiling:
        wanted = budget + plan.ceiling
        raised = min(wanted, max(able.most_output or wanted, plan.ceiling))
        room = raised - max(min(plan.ceiling, LEAST_BUDGET), 1)
        budget = min(budget, room)
        if budget < LEAST_BUDGET:
            scope.lose("$.reasoning", "there is no room to think in")
            return plan
        scope.lose("$.max_tokens", f"raised to {raised}, because thinking counts in it", "approximated")
        plan.ceiling = raised
    plan.thinking = {"type": "enabled", "budget_tokens": budget}
    return plan


def _level(budget: int) -> str:
    if budget < 0:
        return "high"
    return "low" if budget < 2048 else "medium" if budget < 12_000 else "high"


def _nearest(level: str, able: Abilities, scope: Scope) -> str:
    """The same level, else the next lower one that the model has, else its lowest."""
    if level in able.efforts:
        return level
    rank = _LEVELS.index(level) if level in _LEVELS else _LEVELS.index("medium")
    lower = [one for one in able.efforts if _LEVELS.index(one) <= rank]
    found = lower[-1] if lower else able.efforts[0]
    scope.lose("$.reasoning.effort", f"told as `{found}`", "approximated")
    return found
