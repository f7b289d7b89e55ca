"""Xinference, a server of one's own. Docs: inference.readthedocs.io (RESTful API; rerank), read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING
from yibu.providers._thinking import Template
from yibu.providers.provider import Provider


class Xinference(Provider):
    """A model's name is its uid."""

    id = "xinference"
    title = "Xinference"
    base_url = "http://127.0.0.1:9997"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
        "xinference_rerank": "/v1/rerank",
    }
    quirks = {"openai_chat": (USUAL_CEILING, SystemRole(), Template())}
