"""Google's Gemini API (AI Studio). Docs: ai.google.dev/api/generate-content, read 2026-11-22."""

from yibu.providers.provider import HeaderKey, Provider


class Gemini(Provider):
    """The key travels in `x-goog-api-key`, never in the address."""

    id = "gemini"
    title = "Google Gemini"
    base_url = "https://generativelanguage.googleapis.com"
    auth = HeaderKey("x-goog-api-key")
    speaks = {
        "gemini": "/v1beta/models/{model}:generateContent",
        "gemini_embeddings": "/v1beta/models/{model}:batchEmbedContents",
    }
    streams = {"gemini": "/v1beta/models/{model}:streamGenerateContent?alt=sse"}
    counts = {"gemini": "/v1beta/models/{model}:countTokens"}
    models_path = "/v1beta/models?pageSize=1000"
