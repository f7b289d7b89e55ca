"""Moonshot (Kimi). Docs: platform.kimi.ai/docs/api/chat and platform.kimi.ai/docs/api/models-overview, read 2026-11-22."""

from yibu.providers._messages import LooseTools, SystemRole, ThoughtsAs
from yibu.providers._quirk import Between, For, Only, Without
from yibu.providers._thinking import Efforts, Switch
from yibu.providers.provider import Provider

_DEGREES = {"minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "max", "max": "max"}


class Moonshot(Provider):
    """Kimi models fix their sampling, force no tool, and want their thoughts back within a loop of tools.

    The address in China is `https://api.moonshot.cn`.
    """

    id = "moonshot"
    title = "Moonshot AI (Kimi)"
    base_url = "https://api.moonshot.ai"
    speaks = {"openai_chat": "/v1/chat/completions", "anthropic": "/anthropic/v1/messages"}
    quirks = {
        "openai_chat": (
            For(
                ["kimi-"],
                Without(
                    "temperature",
                    "top_p",
                    "n",
                    "presence_penalty",
                    "frequency_penalty",
                    because="Kimi models have one value only",
                ),
                Only("tool_choice", "auto", "none", instead="auto"),
            ),
            For(["kimi-k3"], Efforts(_DEGREES, can_stop=False)),
            For(["kimi-k2.7"], Switch(can_stop=False)),
            For(["kimi-k2.5", "kimi-k2.6"], Switch()),
            For(["moonshot-"], Between("temperature", 0, 1), Without("reasoning_effort", "reasoning")),
            Without("logprobs", "top_logprobs", "logit_bias", "top_k"),
            LooseTools(),
            SystemRole(),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
        )
    }
