"""Tencent Hunyuan, its OpenAI-compatible address. Docs: cloud.tencent.com/document/product/1729/111007, read 2026-11-22."""

from yibu.providers._messages import LooseTools, SchemaInText, SystemRole
from yibu.providers._quirk import USUAL_CEILING, Between, OneAnswer, Without
from yibu.providers.provider import Provider


class Hunyuan(Provider):
    """A key of the compatible address, no signature of Tencent's."""

    id = "hunyuan"
    title = "Tencent Hunyuan"
    base_url = "https://api.hunyuan.cloud.tencent.com"
    speaks = {"openai_chat": "/v1/chat/completions", "openai_embeddings": "/v1/embeddings"}
    lists_all = False
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            Between("temperature", 0, 2),
            Without(
                "logprobs",
                "top_logprobs",
                "logit_bias",
                "presence_penalty",
                "frequency_penalty",
                "parallel_tool_calls",
                "store",
                "metadata",
                "reasoning_effort",
                "reasoning",
                because="Hunyuan does not know it",
            ),
            SchemaInText(),
            LooseTools(),
            SystemRole(),
        )
    }
