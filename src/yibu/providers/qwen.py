"""Alibaba Model Studio (DashScope), Qwen. Docs: help.aliyun.com/en/model-studio/qwen-api-via-openai-chat-completions and
help.aliyun.com/en/model-studio/deep-thinking, read 2026-11-22."""

from yibu.hub.loss import Loss, Losses
from yibu.providers._messages import LooseTools, SystemRole, ThoughtsAs
from yibu.providers._quirk import USUAL_CEILING, Between, Fields, For, Only, Without, model, put, value
from yibu.providers._thinking import Budget
from yibu.providers.provider import Provider

OPEN = (
    "qwen3-0.6b",
    "qwen3-1.7b",
    "qwen3-4b",
    "qwen3-8b",
    "qwen3-14b",
    "qwen3-32b",
    "qwen3-30b-a3b",
    "qwen3-235b-a22b",
)
"""Open models of the first Qwen3, which think by default and then must be streamed."""


def think_in_streams_only(fields: Fields, losses: Losses) -> None:
    """`enable_thinking must be set to false for non-streaming calls`."""
    if (
        model(fields).lower() in OPEN
        and value(fields, "stream") is not True
        and value(fields, "enable_thinking") is not False
    ):
        if value(fields, "enable_thinking"):
            losses.append(Loss("dropped", "$.enable_thinking", "this model thinks in streams only"))
        put(fields, "enable_thinking", False)
        fields.pop("thinking_budget", None)


def forced_calls_do_not_think(fields: Fields, losses: Losses) -> None:
    """A named function excludes thinking; any tool at all cannot be demanded."""
    Only("tool_choice", "auto", "none", *([value(fields, "tool_choice")] if _is_named(fields) else []), instead="auto")(
        fields, losses
    )
    if _is_named(fields):
        if value(fields, "enable_thinking"):
            losses.append(Loss("dropped", "$.enable_thinking", "off: the vendor does not think when a tool is forced"))
        put(fields, "enable_thinking", False)
        fields.pop("thinking_budget", None)


def _is_named(fields: Fields) -> bool:
    return isinstance(value(fields, "tool_choice"), dict)


class Qwen(Provider):
    """Thinking is `enable_thinking` with `thinking_budget`.

    Other regions: `https://dashscope.aliyuncs.com` (Beijing), `https://dashscope-us.aliyuncs.com`.
    """

    id = "qwen"
    title = "Alibaba Qwen (DashScope)"
    base_url = "https://dashscope-intl.aliyuncs.com"
    speaks = {
        "openai_chat": "/compatible-mode/v1/chat/completions",
        "anthropic": "/apps/anthropic/v1/messages",
        "openai_embeddings": "/compatible-mode/v1/embeddings",
    }
    models_path = "/compatible-mode/v1/models"
    lists_all = False
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            Between("temperature", 0, 1.99),
            Between("top_p", 0.01, 1),
            Without("logit_bias", "frequency_penalty", "user", "store", "metadata", "service_tier"),
            Budget(),
            forced_calls_do_not_think,
            For(["qwen3-"], think_in_streams_only),
            LooseTools(),
            SystemRole(),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
        )
    }
