"""OpenRouter. Docs: openrouter.ai/docs/api-reference/overview, read 2026-11-22."""

from yibu.providers.provider import Provider


class OpenRouter(Provider):
    """Takes what its models' vendors take and leaves out the rest itself; thoughts come and go as `reasoning_details`."""

    id = "openrouter"
    title = "OpenRouter"
    base_url = "https://openrouter.ai/api"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "anthropic": "/v1/messages",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
    }
