"""Together. Docs: docs.together.ai/docs/openai-api-compatibility, read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING, Without
from yibu.providers._thinking import Template
from yibu.providers.provider import Provider


class Together(Provider):
    """Open models; their names begin with their makers'."""

    id = "together"
    title = "Together AI"
    base_url = "https://api.together.ai"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
    }
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            SystemRole(),
            Without("user", "store", "metadata", "service_tier", "prompt_cache_key"),
            Template(),
        )
    }
