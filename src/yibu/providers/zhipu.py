"""Zhipu (Z.ai, GLM). Docs: docs.z.ai/api-reference/llm/chat-completion and docs.z.ai/guides/overview/concept-param,
read 2026-11-22."""

from yibu.providers._messages import BareMessages, LooseTools, NoTools, SchemaInText, SystemRole, ThoughtsAs
from yibu.providers._quirk import USUAL_CEILING, Between, For, OneAnswer, Only, Without
from yibu.providers._thinking import Efforts, Switch
from yibu.providers.provider import Provider

_DEGREES = {"minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "max", "max": "max"}


class Zhipu(Provider):
    """Knows `tool_choice` auto only, JSON without a schema, and no penalties.

    The address in China is `https://open.bigmodel.cn`, that of the coding plan ends with `/api/coding/paas/v4`.
    """

    id = "zhipu"
    title = "Zhipu AI (Z.ai)"
    base_url = "https://api.z.ai"
    speaks = {
        "openai_chat": "/api/paas/v4/chat/completions",
        "anthropic": "/api/anthropic/v1/messages",
        "openai_embeddings": "/api/paas/v4/embeddings",
    }
    models_path = "/api/paas/v4/models"
    lists_all = False
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            Between("temperature", 0, 1),
            Between("top_p", 0.01, 1),
            Without(
                "frequency_penalty",
                "presence_penalty",
                "logprobs",
                "top_logprobs",
                "logit_bias",
                "seed",
                "parallel_tool_calls",
                "user",
                "store",
                "metadata",
                "service_tier",
                because="GLM does not know it",
            ),
            NoTools(),
            Only("tool_choice", "auto", instead="auto"),
            For(["glm-5.2"], Switch(keeps_effort=True), Efforts(_DEGREES)),
            For(["glm-5.3"], Efforts(_DEGREES, can_stop=False)),
            Switch(),
            SchemaInText(),
            LooseTools(),
            SystemRole(),
            BareMessages("name"),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
        )
    }
