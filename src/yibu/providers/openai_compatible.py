"""Any relay or server that speaks OpenAI's chat format and nothing else is known of.

Docs: platform.openai.com/docs/api-reference/chat, read 2026-11-22.
"""

from yibu.providers.provider import Provider


class OpenAICompatible(Provider):
    """Chat, legacy completions and embeddings, passed on as they are. It needs a `base_url`."""

    id = "openai_compatible"
    title = "OpenAI-compatible"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
    }
