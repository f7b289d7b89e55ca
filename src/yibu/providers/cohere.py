"""Cohere. Docs: docs.cohere.com/reference (chat, embed, rerank) and docs.cohere.com/docs/compatibility-api, read 2026-11-22."""

from yibu.providers._messages import FOREIGN_THOUGHTS, BareMessages
from yibu.providers._quirk import USUAL_CEILING, Between, OneAnswer, Without
from yibu.providers._thinking import Efforts
from yibu.providers.provider import Provider


class Cohere(Provider):
    """Its own formats; what comes in OpenAI's goes to its compatibility address as it is."""

    id = "cohere"
    title = "Cohere"
    base_url = "https://api.cohere.com"
    speaks = {
        "cohere_chat": "/v2/chat",
        "openai_chat": "/compatibility/v1/chat/completions",
        "cohere_rerank_v2": "/v2/rerank",
        "cohere_rerank": "/v1/rerank",
        "cohere_embed": "/v2/embed",
        "openai_embeddings": "/compatibility/v1/embeddings",
    }
    models_path = "/v1/models?page_size=1000"
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            Between("temperature", 0, 1),
            Without(
                "store",
                "metadata",
                "logit_bias",
                "top_logprobs",
                "modalities",
                "prediction",
                "audio",
                "service_tier",
                "parallel_tool_calls",
                "user",
            ),
            Efforts(dict.fromkeys(("minimal", "low", "medium", "high", "xhigh", "max"), "high")),
            FOREIGN_THOUGHTS,
            BareMessages("name"),
        )
    }
