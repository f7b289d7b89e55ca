"""Voyage AI. Docs: docs.voyageai.com/reference/embeddings-api, read 2026-11-22."""

from yibu.providers.provider import Provider


class Voyage(Provider):
    """Vectors."""

    id = "voyage"
    title = "Voyage AI"
    base_url = "https://api.voyageai.com"
    speaks = {"voyage_embeddings": "/v1/embeddings"}
    models_path = ""
