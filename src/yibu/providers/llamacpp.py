"""llama.cpp's server, of one's own. Docs: github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md,
read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING
from yibu.providers._thinking import Template
from yibu.providers.provider import Provider


class LlamaCpp(Provider):
    """Serves the model that it was started with, whatever name a call has; fetches no pictures."""

    id = "llamacpp"
    title = "llama.cpp"
    base_url = "http://127.0.0.1:8080"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
        "jina_rerank": "/v1/rerank",
    }
    inline_media = True
    lists_all = False
    quirks = {"openai_chat": (USUAL_CEILING, SystemRole(), Template())}
