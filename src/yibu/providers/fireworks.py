"""Fireworks. Docs: docs.fireworks.ai/tools-sdks/openai-compatibility, read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING
from yibu.providers.provider import Provider


class Fireworks(Provider):
    """Names of models are long: `accounts/fireworks/models/…`."""

    id = "fireworks"
    title = "Fireworks AI"
    base_url = "https://api.fireworks.ai/inference"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "anthropic": "/v1/messages",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
    }
    lists_all = False
    quirks = {"openai_chat": (USUAL_CEILING, SystemRole())}
