"""DeepSeek. Docs: api-docs.deepseek.com (chat completions, thinking mode, Anthropic API), read 2026-11-22."""

from yibu.providers._messages import SchemaInText, SystemRole, ThoughtsAs, ThoughtsOfCalls
from yibu.providers._quirk import USUAL_CEILING, Between, OneAnswer
from yibu.providers._thinking import Efforts, ForcedCallsDoNotThink, Switch
from yibu.providers.provider import Provider


class DeepSeek(Provider):
    """Models think unless told not to, know the efforts low, high and max, and demand the thoughts of a turn with calls back;
    JSON without a schema; no tool can be forced while they think."""

    id = "deepseek"
    title = "DeepSeek"
    base_url = "https://api.deepseek.com"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "anthropic": "/anthropic/v1/messages",
        "openai_completions": "/beta/completions",
    }
    models_path = "/v1/models"
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            Between("temperature", 0, 2),
            SystemRole(),
            SchemaInText(),
            Switch(keeps_effort=True),
            Efforts({"minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "high", "max": "max"}),
            ForcedCallsDoNotThink(by_default=True),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
            ThoughtsOfCalls(),
        )
    }
