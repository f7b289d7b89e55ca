"""vLLM, a server of one's own. Docs: docs.vllm.ai/en/latest/serving/openai_compatible_server, read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._thinking import Template
from yibu.providers.provider import Provider


class VLLM(Provider):
    """Templates of open models rarely know a developer; whether to think is theirs to know too."""

    id = "vllm"
    title = "vLLM"
    base_url = "http://127.0.0.1:8000"
    speaks = {
        "openai_chat": "/v1/chat/completions",
        "openai_completions": "/v1/completions",
        "openai_embeddings": "/v1/embeddings",
        "jina_rerank": "/v1/rerank",
    }
    quirks = {"openai_chat": (SystemRole(), Template())}
