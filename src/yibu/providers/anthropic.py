"""Anthropic's own API. Docs: platform.claude.com/docs/en/api/messages, read 2026-11-22."""

from yibu.providers.provider import HeaderKey, Provider


class Anthropic(Provider):
    """The key travels in `x-api-key`; the caller's `anthropic-beta` goes along."""

    id = "anthropic"
    title = "Anthropic"
    base_url = "https://api.anthropic.com"
    auth = HeaderKey("x-api-key")
    speaks = {"anthropic": "/v1/messages"}
    counts = {"anthropic": "/v1/messages/count_tokens"}
    models_path = "/v1/models?limit=1000"
    models_headers = {"anthropic-version": "2023-06-01"}
