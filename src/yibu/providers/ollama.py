"""Ollama, a server of one's own. Docs: docs.ollama.com/api/openai-compatibility, read 2026-11-22."""

from yibu.providers._messages import SystemRole, ThoughtsAs
from yibu.providers._quirk import USUAL_CEILING, OneAnswer, Without
from yibu.providers.provider import Provider


class Ollama(Provider):
    """Fetches no pictures; ignores the newer name of the ceiling, and `tool_choice`."""

    id = "ollama"
    title = "Ollama"
    base_url = "http://127.0.0.1:11434"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
    }
    inline_media = True
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            OneAnswer(),
            Without("logit_bias", "tool_choice", "user", because="Ollama ignores it"),
            SystemRole(),
            ThoughtsAs("reasoning", "reasoning_content"),
        )
    }
