"""Quirks about how much a model thinks: OpenAI's `reasoning_effort`, and what vendors have in its place.

Source: the vendors' pages, read 2026-11-22.
"""

from collections.abc import Mapping

from yibu.hub.loss import Loss, Losses
from yibu.providers._quirk import Fields, Quirk, put, value

BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
"""Tokens of thought for an effort, at vendors who count them."""


def _effort(fields: Fields) -> str:
    """What the caller asked for, in OpenAI's or OpenRouter's way; empty when it is left to the model."""
    said = value(fields, "reasoning_effort")
    if said is None and isinstance(whole := value(fields, "reasoning"), dict):
        said = "none" if whole.get("enabled") is False else whole.get("effort")
    return said if isinstance(said, str) else ""


def _forget(fields: Fields) -> None:
    for name in ("reasoning_effort", "reasoning"):
        fields.pop(name, None)


def Efforts(nearest: Mapping[str, str], *, can_stop: bool = True) -> Quirk:
    """The vendor knows other words for efforts: ours to its own. What is not listed is left out, with a `Loss`.

    `can_stop`: `none` is told as it is.
    """

    def quirk(fields: Fields, losses: Losses) -> None:
        asked = _effort(fields)
        _forget(fields)
        if not asked:
            return
        told = "none" if asked == "none" and can_stop else nearest.get(asked, "")
        if told:
            put(fields, "reasoning_effort", told)
        if told != asked:
            losses.append(Loss("approximated", "$.reasoning_effort", told or "left to the model"))

    return quirk


def Switch(*, keeps_effort: bool = False, can_stop: bool = True) -> Quirk:
    """`thinking: {"type": "enabled" | "disabled"}` (DeepSeek, Z.ai, Moonshot, Doubao), unless the caller uses it himself.

    `keeps_effort`: the vendor takes an effort beside it; `can_stop`: it may be switched off.
    """

    def quirk(fields: Fields, losses: Losses) -> None:
        asked = _effort(fields)
        if not asked or value(fields, "thinking") is not None:
            return
        if asked == "none" and not can_stop:
            _forget(fields)
            losses.append(Loss("approximated", "$.reasoning_effort", "this model always thinks"))
            return
        put(fields, "thinking", {"type": "disabled" if asked == "none" else "enabled"})
        if asked == "none" or not keeps_effort:
            _forget(fields)
            if asked != "none":
                losses.append(Loss("approximated", "$.reasoning_effort", "on; the vendor knows no degrees"))

    return quirk


def Budget() -> Quirk:
    """`enable_thinking` and `thinking_budget` (Qwen, Qianfan, SiliconFlow), unless the caller uses them himself."""

    def quirk(fields: Fields, losses: Losses) -> None:
        asked = _effort(fields)
        own = value(fields, "reasoning")
        tokens = own.get("max_tokens") if isinstance(own, dict) else None
        _forget(fields)
        if (not asked and tokens is None) or value(fields, "enable_thinking") is not None:
            return
        put(fields, "enable_thinking", asked != "none")
        if asked == "none":
            return
        budget = tokens if isinstance(tokens, int) else BUDGETS.get(asked)
        if budget is not None and value(fields, "thinking_budget") is None:
            put(fields, "thinking_budget", budget)
            if tokens is None:
                losses.append(Loss("approximated", "$.reasoning_effort", f"{budget} tokens of thought"))

    return quirk


def Template() -> Quirk:
    """`chat_template_kwargs: {"enable_thinking": …}`, as vLLM and SGLang hand it to the template of open models.

    The effort itself stays: models that know degrees read it.
    """

    def quirk(fields: Fields, losses: Losses) -> None:
        asked = _effort(fields)
        if asked == "none":
            own = value(fields, "chat_template_kwargs")
            put(fields, "chat_template_kwargs", {"enable_thinking": False, **(own if isinstance(own, dict) else {})})
            _forget(fields)

    return quirk


def ForcedCallsDoNotThink(*, by_default: bool) -> Quirk:
    """The vendor takes no forced `tool_choice` while the model thinks. A forced call matters more than thoughts nobody asked
    for; where they were asked for, the model is free to call or not. `by_default`: the model thinks unless told not to."""

    def quirk(fields: Fields, losses: Losses) -> None:
        choice = value(fields, "tool_choice")
        thinking = value(fields, "thinking")
        state = thinking.get("type") if isinstance(thinking, dict) else None
        if choice in (None, "auto", "none") or state == "disabled" or (state is None and not by_default):
            return
        if state is None:
            put(fields, "thinking", {"type": "disabled"})
            fields.pop("reasoning_effort", None)
            losses.append(Loss("approximated", "$.thinking", "off: the vendor does not think when a tool is forced"))
        else:
            put(fields, "tool_choice", "auto")
            losses.append(Loss("approximated", "$.tool_choice", "auto: the vendor forces no tool while it thinks"))

    return quirk
