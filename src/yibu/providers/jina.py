"""Jina AI. Docs: api.jina.ai/redoc and jina.ai/reranker, read 2026-11-22."""

from yibu.providers.provider import Provider


class Jina(Provider):
    """Vectors and ranking."""

    id = "jina"
    title = "Jina AI"
    base_url = "https://api.jina.ai"
    speaks = {"jina_rerank": "/v1/rerank", "jina_embeddings": "/v1/embeddings"}
    models_path = ""
